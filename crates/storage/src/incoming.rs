//! What comes from elsewhere meets here: a post, a boost, a follow. Whoever they are of may have ended meanwhile.

use domain::post::Post;
use domain::{AccountId, PostId};

use crate::db::Conn;
use crate::error::Result;
use crate::posts::{PostRow, post_columns};
use crate::sql;

/// What a post meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// Its author is not deleted.
    pub author_lives: bool,
    /// Its id is here, as a post or as a tombstone.
    pub known: bool,
    /// As [`concerns_us`].
    pub concerns_us: bool,
    /// Something came before it that answers it.
    pub is_answered: bool,
    /// Members asked to hear of each post of its author ([`crate::notifications::watchers`]).
    pub is_watched: bool,
}

/// All that a post by this author, addressing these, meets here, in one question.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn met(conn: &mut Conn, uri: &str, author: AccountId, mentions: &[(AccountId, bool)]) -> Result<Met> {
    let ids: Vec<AccountId> = mentions.iter().map(|(id, _)| *id).collect();
    let (author_lives, known, named, followed, is_answered, is_watched) = sql!(
        "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $1 AND deleted_at IS NULL),
            EXISTS (SELECT 1 FROM posts WHERE uri = $2),
            EXISTS (SELECT 1 FROM members WHERE account_id = ANY($3)),
            EXISTS (SELECT 1 FROM follows f WHERE f.target_id = $1 AND f.by_member),
            EXISTS (SELECT 1 FROM posts o WHERE o.in_reply_to_uri = $2 AND o.in_reply_to_id IS NULL
                AND o.in_reply_to_uri IS NOT NULL AND o.deleted_at IS NULL),
            EXISTS (SELECT 1 FROM follows f WHERE f.target_id = $1 AND f.by_member AND f.notify)"
    )
    .bind(author)
    .bind(uri)
    .bind(&ids)
    .one::<(bool, bool, bool, bool, bool, bool)>(conn)
    .await?;
    Ok(Met { author_lives, known, concerns_us: named || followed, is_answered, is_watched })
}

/// Does a post by this author, addressing these, concern anybody here: is the author followed from here, or one of
/// ours addressed?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn concerns_us(conn: &mut Conn, author: AccountId, mentions: &[(AccountId, bool)]) -> Result<bool> {
    let ids: Vec<AccountId> = mentions.iter().map(|(id, _)| *id).collect();
    sql!(
        "SELECT account_id FROM members WHERE account_id = ANY($2)
         UNION ALL
         SELECT f.account_id FROM follows f WHERE f.target_id = $1 AND f.by_member
         LIMIT 1"
    )
    .bind(author)
    .bind(&ids)
    .exists(conn)
    .await
}

macro_rules! boostable {
    ($which:literal) => {
        concat!(
            "SELECT ",
            post_columns!(),
            " FROM posts p WHERE ",
            $which,
            " AND p.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM posts k WHERE k.uri = $1)
               AND NOT EXISTS (SELECT 1 FROM posts e
                    WHERE e.account_id = $2 AND e.boost_of_id = p.id AND e.deleted_at IS NULL LIMIT 1 OFFSET 0)
               AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = p.account_id AND b.target_id = $2)
               AND EXISTS (SELECT 1 FROM accounts w WHERE w.id = $2 AND w.deleted_at IS NULL)"
        )
    };
}

/// Which post somebody boosts.
#[derive(Debug, Clone, Copy)]
pub enum Boosted<'a> {
    /// By its ActivityPub id.
    Named(&'a str),
    Found(PostId),
}

/// The post that somebody boosts, by an activity of this id. `None` where that is here already, as a boost or as a
/// tombstone, where they boosted the post before or are deleted, where its author blocks them, or where there is no
/// such post.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn boostable(conn: &mut Conn, uri: &str, who: AccountId, post: Boosted<'_>) -> Result<Option<Post>> {
    let row = match post {
        Boosted::Named(post) => sql!(boostable!("p.uri = $3")).bind(uri).bind(who).bind(post).maybe(conn).await?,
        Boosted::Found(post) => sql!(boostable!("p.id = $3")).bind(uri).bind(who).bind(post).maybe(conn).await?,
    };
    row.map(|row: PostRow| Post::try_from(row)).transpose()
}

/// What a follow meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowMet {
    /// The follower is not deleted.
    pub follower_lives: bool,
    /// The member blocks the follower, or the follower's community.
    pub kept_away: bool,
    /// They follow already.
    pub known: bool,
}

/// What a follow of a member by this account meets here.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn met_by_follow(conn: &mut Conn, member: AccountId, follower: AccountId) -> Result<FollowMet> {
    let (follower_lives, blocked, domain_blocked, known) = sql!(
        "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $2 AND deleted_at IS NULL),
            EXISTS (SELECT 1 FROM blocks WHERE account_id = $1 AND target_id = $2),
            EXISTS (SELECT 1 FROM account_domain_blocks d JOIN accounts a ON a.domain = d.domain
                WHERE d.account_id = $1 AND a.id = $2),
            EXISTS (SELECT 1 FROM follows WHERE account_id = $2 AND target_id = $1)"
    )
    .bind(member)
    .bind(follower)
    .one::<(bool, bool, bool, bool)>(conn)
    .await?;
    Ok(FollowMet { follower_lives, kept_away: blocked || domain_blocked, known })
}
