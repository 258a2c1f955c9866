//! Where copies of members' posts are by what is no more: with former followers, with those who once marked a post as a
//! favourite, and with those that an edit took out.
//!
//! Told of deletions, never of anything that is new. One row for a member or post and a community, whoever was the
//! reader there: what a community does makes them no more than that.

use domain::{AccountId, Host, PostId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::recipients::urls;
use crate::sql;
use crate::visible::written_to;

/// Keeps the communities of readers who are about to be none; `$1` is the time.
macro_rules! keep {
    ($author:literal, $post:literal, $readers:expr) => {
        concat!(
            "INSERT INTO former_readers (author_id, post_id, domain, inbox_url, ended_at)
             SELECT ",
            $author,
            ", ",
            $post,
            ", a.domain, min(coalesce(a.shared_inbox_url, a.inbox_url)), $1 FROM accounts a JOIN ",
            $readers,
            " AND a.domain <> '' AND a.inbox_url <> '' GROUP BY ",
            $author,
            ", ",
            $post,
            ", a.domain
             ON CONFLICT (author_id, post_id, domain) DO UPDATE SET inbox_url = excluded.inbox_url,
                ended_at = excluded.ended_at"
        )
    };
    (followers $which:literal) => {
        keep!(
            "f.target_id",
            "CAST(0 AS BIGINT)",
            concat!("follows f ON f.account_id = a.id JOIN members mb ON mb.account_id = f.target_id WHERE ", $which)
        )
    };
    (fond $which:literal) => {
        keep!(
            "p.account_id",
            "p.id",
            concat!("favourites v ON v.account_id = a.id JOIN posts p ON p.id = v.post_id WHERE p.local AND ", $which)
        )
    };
    (addressed $which:literal) => {
        keep!(
            "p.account_id",
            "p.id",
            concat!("mentions m ON m.account_id = a.id JOIN posts p ON p.id = m.post_id WHERE p.local AND ", $which)
        )
    };
}

/// Before a follow ends.
pub(crate) async fn of_follow(tx: &mut Tx, follower: AccountId, target: AccountId) -> Result<()> {
    let now = tx.now();
    sql!(keep!(followers "f.account_id = $2 AND f.target_id = $3"))
        .bind(now)
        .bind(follower)
        .bind(target)
        .run(tx)
        .await?;
    Ok(())
}

/// Before everything ends that these communities' people follow.
pub(crate) async fn of_domains(tx: &mut Tx, domains: &[Host]) -> Result<()> {
    let now = tx.now();
    sql!(keep!(followers "a.domain = ANY($2)")).bind(now).bind(domains).run(tx).await?;
    Ok(())
}

/// Before a favourite ends.
pub(crate) async fn of_favourite(tx: &mut Tx, who: AccountId, post: PostId) -> Result<()> {
    let now = tx.now();
    sql!(keep!(fond "v.post_id = $2 AND v.account_id = $3")).bind(now).bind(post).bind(who).run(tx).await?;
    Ok(())
}

/// Before the favourites of a post end with it.
pub(crate) async fn of_favourites(tx: &mut Tx, post: PostId) -> Result<()> {
    let now = tx.now();
    sql!(keep!(fond "v.post_id = $2")).bind(now).bind(post).run(tx).await?;
    Ok(())
}

/// Before everything ends that an account may read: it is gone, its community is not.
pub(crate) async fn of_account(tx: &mut Tx, id: AccountId) -> Result<()> {
    let now = tx.now();
    sql!(keep!(followers "f.account_id = $2")).bind(now).bind(id).run(tx).await?;
    // Of a member who goes: they have what others wrote, by what this one boosted and answered.
    sql!(keep!(followers "f.target_id = $2")).bind(now).bind(id).run(tx).await?;
    sql!(keep!(addressed "m.account_id = $2 AND p.deleted_at IS NULL")).bind(now).bind(id).run(tx).await?;
    sql!(keep!(fond "v.account_id = $2")).bind(now).bind(id).run(tx).await?;
    Ok(())
}

/// Before an edit takes everybody but these out of a post.
pub(crate) async fn taken_out(tx: &mut Tx, post: PostId, addressed: &[AccountId]) -> Result<()> {
    let now = tx.now();
    sql!(keep!(addressed "m.post_id = $2 AND NOT m.account_id = ANY($3)"))
        .bind(now)
        .bind(post)
        .bind(addressed)
        .run(tx)
        .await?;
    Ok(())
}

macro_rules! inboxes {
    ($from:literal) => {
        sql!(concat!("SELECT DISTINCT r.inbox_url FROM ", $from, " AND ", written_to!("r")))
    };
}

/// Where those are reached who had a post or boost, and may see it no more. Left out: suspended communities.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn inboxes(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    let found = inboxes!(
        "posts p JOIN former_readers r ON r.author_id = p.account_id AND (r.post_id = p.id
            OR (r.post_id = 0 AND p.visibility <> 'direct' AND r.ended_at >= p.created_at)) WHERE p.id = $1"
    );
    urls(found.bind(post), conn).await
}

/// Where those are reached who had any post of a member, and may see it no more. Left out: suspended communities.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn inboxes_of_author(conn: &mut Conn, author: AccountId) -> Result<Vec<String>> {
    let found = inboxes!("former_readers r WHERE r.author_id = $1");
    urls(found.bind(author), conn).await
}

/// Forgets those of members and posts that went before `before`: by then everybody was told.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn forget(tx: &mut Tx, before: Timestamp) -> Result<()> {
    sql!(
        "DELETE FROM former_readers /* scan */
         WHERE EXISTS (SELECT 1 FROM accounts a WHERE a.id = former_readers.author_id AND a.deleted_at < $1)
            OR EXISTS (SELECT 1 FROM posts p WHERE p.id = former_readers.post_id AND p.deleted_at < $1)"
    )
    .bind(before)
    .run(tx)
    .await?;
    Ok(())
}
