//! Finding accounts and posts by words. Tags are found in `tags`; what is on other servers, by `federation`.
//!
//! Posts: only among those she wrote, was addressed by, favourited or bookmarked, and still may see. Nobody's
//! public posts are searchable by strangers.

use std::cmp::Reverse;

use domain::{AccountId, Host, PostId, text};

use crate::db::Conn;
use crate::error::Result;
use crate::sql;
use crate::visible::{listed, visible, wanted};

/// `%`, `_` and `\` mean themselves in a search.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// What to look for among accounts.
#[derive(Debug, Clone)]
pub struct AccountQuery<'a> {
    /// Beginnings of words of a name or display name, or `name@domain`.
    pub text: &'a str,
    /// Only those she follows.
    pub following: bool,
    pub limit: i64,
    pub offset: i64,
}

/// How many of those whose names begin so are looked at, and how many of those that the viewer follows.
const CANDIDATES: i64 = 500;

/// One of the words of the account's name is between these. All of its words are read, by the index that has them by
/// account: without statistics PostgreSQL reads all words that begin so, for each account.
macro_rules! named {
    ($account:literal from $from:literal to $to:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM (SELECT w.word FROM account_words w WHERE w.account_id = ",
            $account,
            " LIMIT 1000 OFFSET 0) n WHERE n.word >= ",
            $from,
            " AND n.word < ",
            $to,
            " LIMIT 1 OFFSET 0)"
        )
    };
}

/// Accounts by the beginnings of words of their names: those she follows first, then this community's, then those whose
/// name itself begins so. Suspended accounts, hidden ones, those that block her, and those of communities that she
/// blocks, are not found. Those that she blocks or mutes are, as in Mastodon: to end a block, she looks for whom it is
/// about.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn accounts(conn: &mut Conn, viewer: AccountId, q: &AccountQuery<'_>) -> Result<Vec<AccountId>> {
    let asked = q.text.trim().trim_start_matches('@');
    let (name, domain) = asked.split_once('@').unwrap_or((asked, ""));
    let name = name.to_lowercase();
    let host = Host::parse(domain).ok();
    let domain = host.as_ref().map_or(domain, Host::as_str);
    // A name as it is written, or else words; the longest says most.
    let mut words: Vec<String> = text::words(&name).into_iter().collect();
    words.sort_by_key(|word| Reverse(word.len()));
    if !domain.is_empty() {
        words = vec![name.clone()];
    }
    let mut words = words.into_iter();
    let Some(first) = words.next() else { return Ok(Vec::new()) };
    let (second, third) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    sql!(concat!(
        "SELECT a.id FROM accounts a WHERE a.id IN (
                SELECT account_id FROM (
                    SELECT account_id FROM account_words WHERE word >= $8 AND word < $9 ORDER BY word, account_id LIMIT $14
                ) AS beginning
                UNION SELECT account_id FROM (
                    SELECT f.target_id AS account_id FROM follows f WHERE f.account_id = $1 AND ",
        named!("f.target_id" from "$8" to "$9"),
        "           LIMIT $14
                ) AS followed)
            AND ($10 = '' OR ",
        named!("a.id" from "$10" to "$11"),
        ") AND ($12 = '' OR ",
        named!("a.id" from "$12" to "$13"),
        ") AND ",
        listed!("a"),
        " AND ($3 = '' OR (lower(a.username) LIKE $2 ESCAPE '\\' AND a.domain LIKE $4 ESCAPE '\\'))
            AND (NOT $5 OR EXISTS (
                SELECT 1 FROM follows f WHERE f.account_id = $1 AND f.target_id = a.id LIMIT 1 OFFSET 0))
            AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = a.id AND b.target_id = $1 LIMIT 1 OFFSET 0)
            AND NOT EXISTS (
                SELECT 1 FROM account_domain_blocks d WHERE d.account_id = $1 AND d.domain = a.domain LIMIT 1 OFFSET 0)
         ORDER BY CASE WHEN EXISTS (
                SELECT 1 FROM follows f WHERE f.account_id = $1 AND f.target_id = a.id
                LIMIT 1 OFFSET 0) THEN 0 ELSE 1 END,
            CASE WHEN a.domain = '' THEN 0 ELSE 1 END,
            CASE WHEN lower(a.username) LIKE $2 ESCAPE '\\' THEN 0 ELSE 1 END,
            a.followers_count DESC, a.id
         LIMIT $6 OFFSET $7"
    ))
    .bind(viewer)
    .bind(format!("{}%", escaped(&name)))
    .bind(domain)
    .bind(format!("{}%", escaped(domain)))
    .bind(q.following)
    .bind(q.limit)
    .bind(q.offset)
    .bind(&first)
    .bind(end(&first))
    .bind(&second)
    .bind(end(&second))
    .bind(&third)
    .bind(end(&third))
    .bind(CANDIDATES)
    .ids(conn)
    .await
}

/// Where the words that begin so end: the last character that a text may hold follows.
fn end(beginning: &str) -> String {
    format!("{beginning}\u{10fffd}")
}

/// What to look for among posts.
#[derive(Debug, Clone)]
pub struct PostQuery<'a> {
    pub text: &'a str,
    /// Only by this author.
    pub by: Option<AccountId>,
    /// Only older than this.
    pub max_id: Option<PostId>,
    /// Only newer than this.
    pub min_id: Option<PostId>,
    pub limit: i64,
    pub offset: i64,
}

/// How many of these posts are looked at, the newest.
const LOOKS: i64 = 100_000;

/// Posts by words that the viewer may see, newest first, of authors the viewer wants to see.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn posts(conn: &mut Conn, viewer: AccountId, q: &PostQuery<'_>) -> Result<Vec<PostId>> {
    sql!(concat!(
        "SELECT p.id FROM (SELECT id FROM (
                SELECT id FROM posts WHERE account_id = $1 AND deleted_at IS NULL AND id < $4 AND id > $5
                UNION SELECT post_id FROM mentions WHERE account_id = $1 AND post_id < $4 AND post_id > $5
                UNION SELECT post_id FROM favourites WHERE account_id = $1 AND post_id < $4 AND post_id > $5
                UNION SELECT post_id FROM bookmarks WHERE account_id = $1 AND post_id < $4 AND post_id > $5) AS every
                ORDER BY id DESC LIMIT $8) AS c
            JOIN posts p ON p.id = c.id JOIN accounts a ON a.id = p.account_id
         WHERE p.deleted_at IS NULL AND p.boost_of_id IS NULL
            AND (lower(p.content) LIKE $2 ESCAPE '\\' OR lower(p.spoiler_text) LIKE $2 ESCAPE '\\')
            AND ($3 = 0 OR p.account_id = $3) AND ",
        visible!("p" by "a"),
        " AND ",
        wanted!("a"),
        " ORDER BY c.id DESC LIMIT $6 OFFSET $7"
    ))
    .bind(viewer)
    .bind(format!("%{}%", escaped(q.text.trim())))
    .bind(q.by.map_or(0, i64::from))
    .bind(q.max_id.map_or(i64::MAX, i64::from))
    .bind(q.min_id.map_or(0, i64::from))
    .bind(q.limit)
    .bind(q.offset)
    .bind(LOOKS)
    .ids(conn)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_mean_themselves() {
        assert_eq!(escaped(r"50%_OFF\"), r"50\%\_off\\");
    }
}
