//! Lists of posts. Every list takes a `Viewer` and gives what she may see, newest first; `hydrate` makes views of
//! it. Home timelines are written by `app::fanout` alone.

use domain::page::Page;
use domain::{AccountId, Host, ListId, PostId, Viewer};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::hydrate::{Found, found_columns};
use crate::sql;
use crate::visible::{answers_wanted, boosted, paged, visible, wanted};

/// Entries kept per home timeline; older ones are trimmed by the schedule.
pub const HOME_ENTRIES: i64 = 2_000;

/// Her home timeline.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn home(conn: &mut Conn, me: AccountId, page: &Page) -> Result<Vec<Found>> {
    let query = paged!(
        page,
        concat!(
            "SELECT ",
            found_columns!(),
            " FROM home_entries h JOIN posts p ON p.id = h.post_id JOIN accounts a ON a.id = p.account_id
             WHERE h.account_id = $1 AND ",
            visible!("p" by "a"),
            " AND ",
            boosted!("p"),
            " AND (p.account_id = $1 OR ",
            answers_wanted!("p"),
            ")"
        ),
        "h.post_id"
    );
    let found = query.bind(me).bind(page.below()).bind(page.above()).bind(page.limit).all(conn).await?;
    Ok(page.newest_first(found))
}

/// Which public posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublicFilter {
    /// Only this community's.
    pub local: bool,
    /// Only other communities'.
    pub remote: bool,
    pub only_media: bool,
}

/// Public posts of everybody (whom the community has not silenced and the viewer has not muted).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn public(conn: &mut Conn, viewer: Viewer, filter: PublicFilter, page: &Page) -> Result<Vec<Found>> {
    macro_rules! head {
        ($which:literal) => {
            concat!(
                "SELECT ",
                found_columns!(),
                " FROM posts p JOIN accounts a ON a.id = p.account_id WHERE p.visibility = 'public' AND p.boost_of_id IS NULL AND p.deleted_at IS NULL ",
                $which,
                " AND (NOT $5 OR EXISTS (SELECT 1 FROM attachments m WHERE m.post_id = p.id AND m.post_id IS NOT NULL))
                  AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = p.account_id)
                  AND a.silenced_at IS NULL
                  AND ",
                visible!("p" by "a"),
                " AND ",
                wanted!("a")
            )
        };
    }
    let query = match (filter.local, filter.remote) {
        (true, false) => paged!(page, head!("AND p.local"), "p.id"),
        (false, true) => paged!(page, head!("AND NOT p.local"), "p.id"),
        _ => paged!(page, head!(""), "p.id"),
    };
    let query = query.bind(viewer.raw()).bind(page.below()).bind(page.above()).bind(page.limit).bind(filter.only_media);
    Ok(page.newest_first(query.all(conn).await?))
}

/// Which posts of a hashtag: normalised names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagFilter {
    /// At least one of these.
    pub any: Vec<String>,
    /// Every one of these too.
    pub all: Vec<String>,
    /// None of these.
    pub none: Vec<String>,
    pub local: bool,
    pub remote: bool,
    pub only_media: bool,
}

/// Public posts with a hashtag.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn tag(conn: &mut Conn, viewer: Viewer, filter: &TagFilter, page: &Page) -> Result<Vec<Found>> {
    macro_rules! tagged {
        ($from:literal, $id:literal) => {
            paged!(
                page,
                concat!(
                    "SELECT ",
                    found_columns!(),
                    $from,
                    " AND p.visibility = 'public' AND p.boost_of_id IS NULL
                       AND (SELECT count(*) FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
                            WHERE pt.post_id = p.id AND t.name = ANY($6)) = $7
                       AND NOT EXISTS (SELECT 1 FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
                            WHERE pt.post_id = p.id AND t.name = ANY($8))
                       AND (NOT $9 OR EXISTS (SELECT 1 FROM attachments m WHERE m.post_id = p.id AND m.post_id IS NOT NULL))
                       AND (NOT $10 OR p.local) AND (NOT $11 OR NOT p.local)
                       AND a.silenced_at IS NULL
                       AND ",
                    visible!("p" by "a"),
                    " AND ",
                    wanted!("a")
                ),
                $id
            )
        };
    }
    let query = if filter.any.len() == 1 {
        // In the order of the hashtag's own posts, until there are enough.
        tagged!(
            " FROM post_tags x JOIN posts p ON p.id = x.post_id JOIN accounts a ON a.id = p.account_id
             WHERE x.tag_id = (SELECT t.id FROM tags t WHERE t.name = ANY($5))",
            "x.post_id"
        )
    } else {
        tagged!(
            " FROM posts p JOIN accounts a ON a.id = p.account_id
             WHERE p.id IN (SELECT pt.post_id FROM post_tags pt JOIN tags t ON t.id = pt.tag_id WHERE t.name = ANY($5))",
            "p.id"
        )
    };
    let mut all = filter.all.clone();
    all.sort();
    all.dedup();
    let wanted = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let ids = query
        .bind(viewer.raw())
        .bind(page.below())
        .bind(page.above())
        .bind(page.limit)
        .bind(filter.any.as_slice())
        .bind(all)
        .bind(wanted)
        .bind(filter.none.as_slice())
        .bind(filter.only_media)
        .bind(filter.local)
        .bind(filter.remote)
        .all(conn)
        .await?;
    Ok(page.newest_first(ids))
}

/// Which of an account's posts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each leaves something out, whatever the others do")]
pub struct AccountFilter {
    /// What public timelines hold: not what is unlisted, either.
    pub only_public: bool,
    pub only_media: bool,
    /// Answers to others are left out; answers to herself stay.
    pub exclude_replies: bool,
    pub exclude_boosts: bool,
    /// A normalised hashtag.
    pub tagged: Option<String>,
}

/// An account's posts and boosts.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn account(
    conn: &mut Conn,
    viewer: Viewer,
    account: AccountId,
    filter: &AccountFilter,
    page: &Page,
) -> Result<Vec<Found>> {
    let query = paged!(
        page,
        concat!(
            "SELECT ",
            found_columns!(),
            " FROM posts p JOIN accounts a ON a.id = p.account_id WHERE p.account_id = $5 AND p.deleted_at IS NULL
               AND (NOT $6 OR EXISTS (SELECT 1 FROM attachments m WHERE m.post_id = p.id AND m.post_id IS NOT NULL))
               AND (NOT $7 OR p.in_reply_to_uri IS NULL OR p.in_reply_to_account_id = p.account_id)
               AND (NOT $8 OR p.boost_of_id IS NULL)
               AND ($9 = '' OR EXISTS (SELECT 1 FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
                    WHERE pt.post_id = p.id AND t.name = $9))
               AND (NOT $10 OR p.visibility = 'public')
               AND ",
            visible!("p" by "a"),
            " AND ",
            boosted!("p")
        ),
        "p.id"
    );
    let ids = query
        .bind(viewer.raw())
        .bind(page.below())
        .bind(page.above())
        .bind(page.limit)
        .bind(account)
        .bind(filter.only_media)
        .bind(filter.exclude_replies)
        .bind(filter.exclude_boosts)
        .bind(filter.tagged.clone().unwrap_or_default())
        .bind(filter.only_public)
        .all(conn)
        .await?;
    Ok(page.newest_first(ids))
}

/// What an account pinned to its profile, the last pinned first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn pinned(conn: &mut Conn, viewer: Viewer, account: AccountId) -> Result<Vec<PostId>> {
    sql!(concat!(
        "SELECT p.id FROM pins i JOIN posts p ON p.id = i.post_id WHERE i.account_id = $2 AND ",
        visible!("p"),
        " ORDER BY i.id DESC"
    ))
    .bind(viewer.raw())
    .bind(account)
    .ids(conn)
    .await
}

/// Posts of the members of one of her lists, boosts included; replies as the list's policy says.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn list(conn: &mut Conn, me: AccountId, list: ListId, page: &Page) -> Result<Vec<Found>> {
    let query = paged!(
        page,
        concat!(
            "SELECT ",
            found_columns!(),
            " FROM posts p JOIN accounts a ON a.id = p.account_id JOIN list_members lm ON lm.account_id = p.account_id
               JOIN lists l ON l.id = lm.list_id
             WHERE l.id = $5 AND l.account_id = $1 AND p.visibility <> 'direct'
               AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = p.account_id
                 OR (l.replies_policy = 'followed' AND EXISTS (SELECT 1 FROM follows rf
                     WHERE rf.account_id = $1 AND rf.target_id = p.in_reply_to_account_id))
                 OR (l.replies_policy = 'list' AND EXISTS (SELECT 1 FROM list_members rm
                     WHERE rm.list_id = l.id AND rm.account_id = p.in_reply_to_account_id)))
               AND ",
            visible!("p" by "a"),
            " AND ",
            wanted!("a"),
            " AND ",
            boosted!("p"),
            " AND ",
            answers_wanted!("p")
        ),
        "p.id"
    );
    let ids = query.bind(me).bind(page.below()).bind(page.above()).bind(page.limit).bind(list).all(conn).await?;
    Ok(page.newest_first(ids))
}

/// Who gets a new post or boost in her home timeline. Written in one statement per kind of audience; gives
/// nothing back: listeners ask [`home_owners`] for those they serve.
#[derive(Debug, Clone)]
pub struct HomeEntry<'a> {
    pub post: PostId,
    pub author: AccountId,
    /// The author of the boosted post, and the post.
    pub boost_of: Option<(AccountId, PostId)>,
    /// Whom it answers, when not the author herself.
    pub reply_to: Option<AccountId>,
    pub language: Option<&'a str>,
    /// Only those who are mentioned (a direct post).
    pub mentioned_only: bool,
}

/// Puts a post into the home timelines of the author's local followers (and her own).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn add_to_homes(tx: &mut Tx, e: &HomeEntry<'_>) -> Result<()> {
    let (boosted_author, boosted) = e.boost_of.map_or((0, 0), |(a, p)| (a.0, p.0));
    sql!(
        "INSERT INTO home_entries (account_id, post_id, boost_of_id)
         SELECT f.account_id, $1, NULLIF($4, 0) FROM follows f
         WHERE f.target_id = $2 AND f.by_member
           AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = f.account_id AND m.target_id = $2)
           AND ($3 = 0 OR (f.show_boosts
             AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = f.account_id AND m.target_id = $3)
             AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = f.account_id AND b.target_id = $3)
             AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $3 AND b.target_id = f.account_id)
             AND NOT EXISTS (SELECT 1 FROM account_domain_blocks d JOIN accounts da ON da.domain = d.domain
                WHERE d.account_id = f.account_id AND da.id = $3)
             AND NOT EXISTS (SELECT 1 FROM home_entries h WHERE h.account_id = f.account_id AND h.post_id = $4)
             AND NOT EXISTS (SELECT 1 FROM home_entries h WHERE h.account_id = f.account_id AND h.boost_of_id = $4)))
           AND ($5 = 0 OR $5 = f.account_id
             OR (EXISTS (SELECT 1 FROM follows rf WHERE rf.account_id = f.account_id AND rf.target_id = $5)
               AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = f.account_id AND m.target_id = $5)))
           AND (f.languages = '[]' OR $6 = '' OR f.languages LIKE '%\"' || $6 || '\"%')
           AND (NOT $7 OR EXISTS (SELECT 1 FROM mentions mt WHERE mt.post_id = $1 AND mt.account_id = f.account_id))
           AND NOT EXISTS (SELECT 1 FROM list_members lm JOIN lists l ON l.id = lm.list_id
             WHERE lm.account_id = $2 AND l.account_id = f.account_id AND l.exclusive)
         UNION ALL SELECT m.account_id, $1, NULLIF($4, 0) FROM members m WHERE m.account_id = $2
         ON CONFLICT DO NOTHING"
    )
    .bind(e.post)
    .bind(e.author)
    .bind(boosted_author)
    .bind(boosted)
    .bind(e.reply_to.map_or(0, |id| id.0))
    .bind(e.language.unwrap_or_default())
    .bind(e.mentioned_only)
    .run(tx)
    .await?;
    Ok(())
}

/// Puts a public post into the home timelines of members who follow one of its hashtags, and want both its author and
/// the author of what it answers.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn add_to_tag_followers(tx: &mut Tx, post: PostId, author: AccountId) -> Result<()> {
    sql!(
        "INSERT INTO home_entries (account_id, post_id)
         SELECT DISTINCT tf.account_id, $1
         FROM post_tags pt JOIN tag_follows tf ON tf.tag_id = pt.tag_id JOIN posts p ON p.id = pt.post_id
         WHERE pt.post_id = $1
           AND NOT EXISTS (SELECT 1 FROM accounts s WHERE s.id = $2 AND s.silenced_at IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM mutes m
                WHERE m.account_id = tf.account_id AND m.target_id IN ($2, p.in_reply_to_account_id))
           AND NOT EXISTS (SELECT 1 FROM blocks b
                WHERE b.account_id = tf.account_id AND b.target_id IN ($2, p.in_reply_to_account_id))
           AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $2 AND b.target_id = tf.account_id)
           AND NOT EXISTS (SELECT 1 FROM account_domain_blocks d JOIN accounts da ON da.domain = d.domain
                WHERE d.account_id = tf.account_id AND da.id IN ($2, p.in_reply_to_account_id))
         ON CONFLICT DO NOTHING"
    )
    .bind(post)
    .bind(author)
    .run(tx)
    .await?;
    Ok(())
}

/// Which of these members have the post in their home timeline.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn home_owners(conn: &mut Conn, post: PostId, among: &[AccountId]) -> Result<Vec<AccountId>> {
    sql!("SELECT account_id FROM home_entries WHERE account_id = ANY($1) AND post_id = $2")
        .bind(among)
        .bind(post)
        .ids(conn)
        .await
}

/// Takes a post out of every home timeline it may be in.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_from_homes(tx: &mut Tx, post: PostId, author: AccountId) -> Result<()> {
    sql!(
        "DELETE FROM home_entries WHERE post_id = $1 AND account_id IN (
            SELECT account_id FROM follows WHERE target_id = $2 AND by_member
            UNION SELECT account_id FROM members WHERE account_id = $2
            UNION SELECT tf.account_id FROM post_tags pt JOIN tag_follows tf ON tf.tag_id = pt.tag_id WHERE pt.post_id = $1)"
    )
    .bind(post)
    .bind(author)
    .run(tx)
    .await?;
    Ok(())
}

/// Takes one account's posts, boosts of them and others' answers to them out of a member's home timeline: the member
/// unfollowed, muted or blocked the account.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_author_from_home(tx: &mut Tx, me: AccountId, author: AccountId) -> Result<()> {
    sql!(
        "DELETE FROM home_entries WHERE account_id = $1 AND post_id IN (
            SELECT p.id FROM home_entries h JOIN posts p ON p.id = h.post_id LEFT JOIN posts o ON o.id = p.boost_of_id
            WHERE h.account_id = $1 AND (p.account_id = $2 OR o.account_id = $2
               OR (p.in_reply_to_account_id = $2 AND p.account_id <> $1)))"
    )
    .bind(me)
    .bind(author)
    .run(tx)
    .await?;
    Ok(())
}

/// Takes the posts of these domains, boosts of them and others' answers to them out of a member's home timeline.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_domains_from_home(tx: &mut Tx, me: AccountId, domains: &[Host]) -> Result<()> {
    sql!(
        "DELETE FROM home_entries WHERE account_id = $1 AND post_id IN (
            SELECT p.id FROM home_entries h JOIN posts p ON p.id = h.post_id JOIN accounts a ON a.id = p.account_id
              LEFT JOIN posts o ON o.id = p.boost_of_id LEFT JOIN accounts oa ON oa.id = o.account_id
              LEFT JOIN accounts ra ON ra.id = p.in_reply_to_account_id
            WHERE h.account_id = $1 AND (a.domain = ANY($2) OR oa.domain = ANY($2)
               OR (ra.domain = ANY($2) AND p.account_id <> $1)))"
    )
    .bind(me)
    .bind(domains)
    .run(tx)
    .await?;
    Ok(())
}

/// Fills a home timeline with the latest posts of an account that was just followed, as far as they are known here.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn add_author_to_home(tx: &mut Tx, me: AccountId, author: AccountId, limit: i64) -> Result<()> {
    sql!(
        "INSERT INTO home_entries (account_id, post_id)
         SELECT $1, p.id FROM (
            SELECT p.id FROM posts p WHERE p.account_id = $2 AND p.deleted_at IS NULL AND p.visibility <> 'direct'
              AND p.boost_of_id IS NULL
              AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = $2 OR p.in_reply_to_account_id = $1)
            ORDER BY p.id DESC LIMIT $3) AS p
         WHERE EXISTS (SELECT 1 FROM members WHERE account_id = $1)
           AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = $1 AND m.target_id = $2)
         ON CONFLICT DO NOTHING"
    )
    .bind(me)
    .bind(author)
    .bind(limit)
    .run(tx)
    .await?;
    Ok(())
}

/// Drops what is beyond [`HOME_ENTRIES`] in every home timeline.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn trim_homes(tx: &mut Tx) -> Result<u64> {
    let mut trimmed = 0;
    for me in sql!("SELECT account_id FROM members /* scan */ ORDER BY account_id").ids::<AccountId>(tx).await? {
        trimmed += sql!(
            "DELETE FROM home_entries WHERE account_id = $1 AND post_id < (
                SELECT post_id FROM home_entries WHERE account_id = $1 ORDER BY post_id DESC LIMIT 1 OFFSET $2)"
        )
        .bind(me)
        .bind(HOME_ENTRIES - 1)
        .run(tx)
        .await?;
    }
    Ok(trimmed)
}
