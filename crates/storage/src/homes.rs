//! Home timelines: what is in each, written when it happens. By `app::fanout` and the verbs of following alone;
//! `timelines::home` reads them.

use domain::{AccountId, Host, PostId};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// The post `$4`, or a boost of it, is among the 40 newest entries of this home timeline: then no boost of it is put on
/// top, as in Mastodon.
macro_rules! seen_lately {
    ($account:literal) => {
        concat!(
            "(",
            seen_lately!($account by "post_id"),
            " OR ",
            seen_lately!($account by "boost_of_id"),
            ")"
        )
    };
    ($account:literal by $column:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM home_entries h WHERE h.account_id = ",
            $account,
            " AND h.",
            $column,
            " = $4 AND h.post_id >= coalesce((SELECT n.post_id FROM home_entries n WHERE n.account_id = ",
            $account,
            " ORDER BY n.post_id DESC LIMIT 1 OFFSET 39), 0))"
        )
    };
}

/// Entries kept per home timeline; older ones are trimmed by the schedule.
pub const ENTRIES: i64 = 2_000;

/// Who gets a new post or boost in the home timeline. Written in one statement per kind of audience; gives
/// nothing back: listeners ask [`owners`] for those they serve.
#[derive(Debug, Clone)]
pub struct HomeEntry<'a> {
    pub post: PostId,
    pub author: AccountId,
    /// The author of the boosted post, and the post.
    pub boost_of: Option<(AccountId, PostId)>,
    /// The author of what it answers, when that is somebody else.
    pub reply_to: Option<AccountId>,
    pub language: Option<&'a str>,
    /// Only those who are mentioned (a direct post).
    pub mentioned_only: bool,
}

/// Puts a post into the home timelines of the author's local followers (and the author's own).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn add(tx: &mut Tx, e: &HomeEntry<'_>) -> Result<()> {
    let (boosted_author, boosted) = e.boost_of.map_or((0, 0), |(a, p)| (a.0, p.0));
    sql!(concat!(
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
             AND NOT ",
        seen_lately!("f.account_id"),
        "))
           AND ($5 = 0 OR $5 = f.account_id
             OR (EXISTS (SELECT 1 FROM follows rf WHERE rf.account_id = f.account_id AND rf.target_id = $5)
               AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = f.account_id AND m.target_id = $5)))
           AND (f.languages = '[]' OR $6 = '' OR f.languages LIKE '%\"' || $6 || '\"%')
           AND (NOT $7 OR EXISTS (SELECT 1 FROM mentions mt WHERE mt.post_id = $1 AND mt.account_id = f.account_id))
           AND NOT EXISTS (SELECT 1 FROM list_members lm JOIN lists l ON l.id = lm.list_id
             WHERE lm.account_id = $2 AND l.account_id = f.account_id AND l.exclusive)
         UNION ALL SELECT m.account_id, $1, NULLIF($4, 0) FROM members m
           WHERE m.account_id = $2 AND ($3 = 0 OR NOT ",
        seen_lately!("m.account_id"),
        ") ON CONFLICT DO NOTHING"
    ))
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
pub async fn add_for_tags(tx: &mut Tx, post: PostId, author: AccountId) -> Result<()> {
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
pub async fn owners(conn: &mut Conn, post: PostId, among: &[AccountId]) -> Result<Vec<AccountId>> {
    sql!("SELECT account_id FROM home_entries WHERE account_id = ANY($1) AND post_id = $2")
        .bind(among)
        .bind(post)
        .ids(conn)
        .await
}

/// Takes a post out of every home timeline it may be in; whose it was in.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove(tx: &mut Tx, post: PostId, author: AccountId) -> Result<Vec<AccountId>> {
    sql!(
        "DELETE FROM home_entries WHERE post_id = $1 AND account_id IN (
            SELECT account_id FROM follows WHERE target_id = $2 AND by_member
            UNION SELECT account_id FROM members WHERE account_id = $2
            UNION SELECT tf.account_id FROM post_tags pt JOIN tag_follows tf ON tf.tag_id = pt.tag_id
                WHERE pt.post_id = $1)
         RETURNING account_id"
    )
    .bind(post)
    .bind(author)
    .ids(tx)
    .await
}

/// Takes one account's posts, boosts of them and others' answers to them out of a member's home timeline: the member
/// unfollowed, muted or blocked the account.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_author(tx: &mut Tx, me: AccountId, author: AccountId) -> Result<()> {
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
pub async fn remove_domains(tx: &mut Tx, me: AccountId, domains: &[Host]) -> Result<()> {
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

/// Fills a home timeline with the latest posts of an account that was just followed, as far as they are known here and
/// nobody's boost of them is in it.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn add_author(tx: &mut Tx, me: AccountId, author: AccountId, limit: i64) -> Result<()> {
    sql!(
        "INSERT INTO home_entries (account_id, post_id)
         SELECT $1, p.id FROM (
            SELECT p.id FROM posts p WHERE p.account_id = $2 AND p.deleted_at IS NULL AND p.visibility <> 'direct'
              AND p.boost_of_id IS NULL
              AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = $2 OR p.in_reply_to_account_id = $1)
            ORDER BY p.id DESC LIMIT $3) AS p
         WHERE EXISTS (SELECT 1 FROM members WHERE account_id = $1)
           AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = $1 AND m.target_id = $2)
           AND NOT EXISTS (SELECT 1 FROM home_entries h WHERE h.account_id = $1 AND h.boost_of_id = p.id)
         ON CONFLICT DO NOTHING"
    )
    .bind(me)
    .bind(author)
    .bind(limit)
    .run(tx)
    .await?;
    Ok(())
}

/// Drops what is beyond [`ENTRIES`] in every home timeline.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn trim(tx: &mut Tx) -> Result<u64> {
    let mut trimmed = 0;
    for me in sql!("SELECT account_id FROM members /* scan */ ORDER BY account_id").ids::<AccountId>(tx).await? {
        trimmed += sql!(
            "DELETE FROM home_entries WHERE account_id = $1 AND post_id < (
                SELECT post_id FROM home_entries WHERE account_id = $1 ORDER BY post_id DESC LIMIT 1 OFFSET $2)"
        )
        .bind(me)
        .bind(ENTRIES - 1)
        .run(tx)
        .await?;
    }
    Ok(trimmed)
}
