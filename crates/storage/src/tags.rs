//! Hashtags: what they are called, how they are used, who follows them. Posts of a tag are in `timelines`.

use std::collections::HashMap;

use domain::page::Page;
use domain::{AccountId, IdGenerator, PostId, TagId, Timestamp, Viewer, text};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;
use crate::visible::{listed, visible};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub id: TagId,
    /// Normalised: lower case.
    pub name: String,
    /// As first written.
    pub display: String,
}

/// One day of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Midnight UTC.
    pub day: Timestamp,
    pub posts: i64,
    pub accounts: i64,
}

const DAY_MS: i64 = 86_400_000;
/// Days of history, today included.
pub const HISTORY_DAYS: i64 = 7;

type Row = (i64, String, String);

fn tag((id, name, display): Row) -> Tag {
    Tag { id: TagId(id), name, display }
}

/// By normalised name.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn by_name(conn: &mut Conn, name: &str) -> Result<Option<Tag>> {
    Ok(sql!("SELECT id, name, display FROM tags WHERE name = $1").bind(name).maybe::<Row>(conn).await?.map(tag))
}

/// The hashtags of a post.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn of_post(conn: &mut Conn, post: PostId) -> Result<Vec<TagId>> {
    sql!("SELECT tag_id FROM post_tags WHERE post_id = $1").bind(post).ids(conn).await
}

/// The normalised names of these.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn names(conn: &mut Conn, tags: &[TagId]) -> Result<Vec<String>> {
    let rows = sql!("SELECT name FROM tags WHERE id = ANY($1)").bind(tags).all::<(String,)>(conn).await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Tags that are looked at when they are looked for by a beginning, and posts of each.
const CANDIDATES: i64 = 300;
const LOOKS: i64 = 200;

/// Tags whose normalised name begins with `prefix` (at least one character), the shortest first, of the first 300 by
/// name. One of whose 200 newest posts the viewer may see none is not found: that it exists would tell what others say
/// in private.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn starting_with(conn: &mut Conn, viewer: Viewer, prefix: &str, limit: i64, offset: i64) -> Result<Vec<Tag>> {
    let Some(end) = after_prefix(prefix) else { return Ok(Vec::new()) };
    let rows = sql!(concat!(
        "SELECT t.id, t.name, t.display
         FROM (SELECT id, name, display FROM tags WHERE name >= $2 AND name < $3 ORDER BY name LIMIT $6) AS t
         WHERE EXISTS (
            SELECT 1 FROM (
                    SELECT x.post_id FROM post_tags x WHERE x.tag_id = t.id ORDER BY x.post_id DESC LIMIT $7) AS pt
                JOIN posts p ON p.id = pt.post_id JOIN accounts a ON a.id = p.account_id
            WHERE ",
        visible!("p" by "a"),
        ") ORDER BY length(t.name), t.name LIMIT $4 OFFSET $5"
    ))
    .bind(viewer.raw())
    .bind(prefix)
    .bind(end)
    .bind(limit)
    .bind(offset)
    .bind(CANDIDATES)
    .bind(LOOKS)
    .all::<Row>(conn)
    .await?;
    Ok(rows.into_iter().map(tag).collect())
}

/// The smallest text after every text that starts with `prefix`.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    let last = chars.pop()?;
    let next = (u32::from(last) + 1..=u32::from(char::MAX)).filter_map(char::from_u32).find(|c| text::is_clean(*c))?;
    chars.push(next);
    Some(chars.into_iter().collect())
}

/// How public posts used the tags in the last week, today first; every day is there, used or not.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn history(conn: &mut Conn, tags: &[TagId], now: Timestamp) -> Result<HashMap<TagId, Vec<Use>>> {
    if tags.is_empty() {
        return Ok(HashMap::new());
    }
    let today = now.0.div_euclid(DAY_MS);
    let from = Timestamp((today - HISTORY_DAYS + 1) * DAY_MS);
    let rows = sql!(concat!(
        "SELECT u.tag_id, u.day, CAST(sum(u.posts) AS BIGINT), count(*)
         FROM (SELECT t.tag_id, p.created_at / 86400000 AS day, p.account_id, count(*) AS posts
               FROM post_tags t JOIN posts p ON p.id = t.post_id
               WHERE t.tag_id = ANY($1) AND t.post_id >= $2 AND p.created_at >= $3 AND p.visibility = 'public'
                  AND p.deleted_at IS NULL
               GROUP BY 1, 2, 3) AS u
            JOIN accounts a ON a.id = u.account_id
         WHERE ",
        listed!("a"),
        " GROUP BY 1, 2"
    ))
    .bind(tags)
    .bind(IdGenerator::first_at::<PostId>(from))
    .bind(from)
    .all::<(i64, i64, i64, i64)>(conn)
    .await?;
    let counted: HashMap<(i64, i64), (i64, i64)> =
        rows.into_iter().map(|(tag, day, posts, accounts)| ((tag, day), (posts, accounts))).collect();
    let week = |tag: TagId| {
        (0..HISTORY_DAYS)
            .map(|ago| {
                let (posts, accounts) = counted.get(&(tag.0, today - ago)).copied().unwrap_or_default();
                Use { day: Timestamp((today - ago) * DAY_MS), posts, accounts }
            })
            .collect()
    };
    Ok(tags.iter().map(|t| (*t, week(*t))).collect())
}

/// Which of the tags she follows.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn followed_among(conn: &mut Conn, account: AccountId, tags: &[TagId]) -> Result<Vec<TagId>> {
    sql!("SELECT tag_id FROM tag_follows WHERE account_id = $1 AND tag_id = ANY($2)")
        .bind(account)
        .bind(tags)
        .ids(conn)
        .await
}

/// The tags she follows, the latest first, with the ids that the list pages by.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn followed(conn: &mut Conn, account: AccountId, page: &Page) -> Result<Vec<(i64, Tag)>> {
    let query = if page.upward() {
        sql!(
            "SELECT f.id, t.id, t.name, t.display FROM tag_follows f JOIN tags t ON t.id = f.tag_id
             WHERE f.account_id = $1 AND f.id < $2 AND f.id > $3 ORDER BY f.id ASC LIMIT $4"
        )
    } else {
        sql!(
            "SELECT f.id, t.id, t.name, t.display FROM tag_follows f JOIN tags t ON t.id = f.tag_id
             WHERE f.account_id = $1 AND f.id < $2 AND f.id > $3 ORDER BY f.id DESC LIMIT $4"
        )
    };
    let rows = query
        .bind(account)
        .bind(page.below())
        .bind(page.above())
        .bind(page.limit)
        .all::<(i64, i64, String, String)>(conn)
        .await?;
    let rows = page.newest_first(rows);
    Ok(rows.into_iter().map(|(row, id, name, display)| (row, tag((id, name, display)))).collect())
}

/// Follows a tag; again is no error.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn follow(tx: &mut Tx, account: AccountId, id: TagId) -> Result<()> {
    let row: i64 = tx.id();
    sql!("INSERT INTO tag_follows (tag_id, account_id, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(account)
        .bind(row)
        .run(tx)
        .await?;
    Ok(())
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn unfollow(tx: &mut Tx, account: AccountId, id: TagId) -> Result<()> {
    sql!("DELETE FROM tag_follows WHERE account_id = $1 AND tag_id = $2").bind(account).bind(id).run(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_character() {
        assert_eq!(after_prefix("te").as_deref(), Some("tf"));
        assert_eq!(after_prefix("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after_prefix(""), None);
    }
}
