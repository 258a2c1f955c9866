//! To which inboxes something goes: a post, a change of it, its deletion, what an account says of itself.
//!
//! A shared inbox stands for all of a server, so each inbox is named once. What these queries may answer is in
//! `visible!`: nobody gets what they may not see; only deletions go to whoever had it once.

use domain::{AccountId, PostId};

use crate::db::Conn;
use crate::error::Result;
use crate::sql;
use crate::visible::{visible, written_to};

/// Inboxes of remote accounts, one per server where it has a shared one. Left out: suspended accounts and
/// communities; with a post, also all who may not see it now, and communities that its author has blocked.
macro_rules! inboxes_of {
    ($accounts:expr, seeing $post:literal) => {
        concat!(
            inboxes_of!($accounts),
            " AND EXISTS (SELECT 1 FROM posts seen WHERE seen.id = ",
            $post,
            " AND ",
            visible!("seen" to "a.id"),
            " AND NOT EXISTS (SELECT 1 FROM account_domain_blocks away
                WHERE away.account_id = seen.account_id AND away.domain = a.domain))"
        )
    };
    ($accounts:expr) => {
        concat!(
            "SELECT DISTINCT coalesce(a.shared_inbox_url, a.inbox_url) FROM accounts a
             WHERE a.domain <> '' AND a.inbox_url <> '' AND a.suspended_at IS NULL AND a.deleted_at IS NULL
               AND ",
            written_to!("a"),
            " AND a.id IN (",
            $accounts,
            ")"
        )
    };
}

pub(crate) async fn urls(query: sql::Query, conn: &mut Conn) -> Result<Vec<String>> {
    Ok(query.all::<(String,)>(conn).await?.into_iter().map(|(url,)| url).collect())
}

/// Where the remote followers of an account are reached.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn follower_inboxes(conn: &mut Conn, of: AccountId) -> Result<Vec<String>> {
    urls(sql!(inboxes_of!("SELECT f.account_id FROM follows f WHERE f.target_id = $1")).bind(of), conn).await
}

/// Where these accounts are reached; local ones need no inbox.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn inboxes_of(conn: &mut Conn, ids: &[AccountId]) -> Result<Vec<String>> {
    urls(sql!(inboxes_of!("SELECT x.id FROM accounts x WHERE x.id = ANY($1)")).bind(ids), conn).await
}

/// Followers of the author of post `$1`.
macro_rules! followers {
    () => {
        "SELECT f.account_id FROM posts o JOIN follows f ON f.target_id = o.account_id
            WHERE o.id = $1 AND o.visibility <> 'direct'"
    };
}

/// The accounts that post `$1` addresses or answers, and those that answered or boosted it.
macro_rules! concerned {
    () => {
        "SELECT m.account_id FROM mentions m WHERE m.post_id = $1
         UNION SELECT o.in_reply_to_account_id FROM posts o WHERE o.id = $1 AND o.in_reply_to_account_id IS NOT NULL
         UNION SELECT p.account_id FROM posts p WHERE p.in_reply_to_id = $1 AND p.in_reply_to_id IS NOT NULL
         UNION SELECT b.account_id FROM posts b WHERE b.boost_of_id = $1 AND b.boost_of_id IS NOT NULL"
    };
}

/// Where the remote accounts are reached that a post or boost concerns and who may see it now: followers of its author,
/// those that it addresses or answers, and those that answered or boosted it.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn audience_inboxes(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    let audience = sql!(inboxes_of!(concat!(followers!(), " UNION ", concerned!()), seeing "$1"));
    urls(audience.bind(post), conn).await
}

/// Where a post or boost is published: to its audience, and a boost to the author of what it shares as well, unless
/// they are blocked, or their community is.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn publication_inboxes(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    let mut inboxes = audience_inboxes(conn, post).await?;
    inboxes.extend(author_of_boosted(conn, post).await?);
    Ok(inboxes)
}

async fn author_of_boosted(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    let shared = sql!(inboxes_of!(
        "SELECT o.account_id FROM posts b JOIN posts o ON o.id = b.boost_of_id JOIN accounts oa ON oa.id = o.account_id
         WHERE b.id = $1
            AND NOT EXISTS (SELECT 1 FROM blocks k WHERE k.account_id = b.account_id AND k.target_id = o.account_id)
            AND NOT EXISTS (SELECT 1 FROM account_domain_blocks away
                WHERE away.account_id = b.account_id AND away.domain = oa.domain)"
    ));
    urls(shared.bind(post), conn).await
}

/// Where those of these accounts are reached who may see a post now; local ones need no inbox.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn inboxes_that_see(conn: &mut Conn, post: PostId, ids: &[AccountId]) -> Result<Vec<String>> {
    urls(sql!(inboxes_of!("SELECT x.id FROM accounts x WHERE x.id = ANY($2)", seeing "$1")).bind(post).bind(ids), conn)
        .await
}

/// Where the remote accounts are reached that a post addresses, whether or not they may see it now.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn addressed_inboxes(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    urls(sql!(inboxes_of!("SELECT m.account_id FROM mentions m WHERE m.post_id = $1")).bind(post), conn).await
}

/// What was done with post `$1`, for a query that asks who did it: `about` are the answers to it, answers to these, and
/// its boosts, those that were taken back as well; `opened` are the same if everybody may see the post, and so may have
/// fetched it because of them. At most 10,000 answers are looked at, 100 deep: SQLite counts them as it finds them,
/// PostgreSQL as they are read.
macro_rules! deeds {
    (sqlite $asks:expr) => {
        deeds!(" LIMIT 10000", "", $asks)
    };
    (postgres $asks:expr) => {
        deeds!("", " LIMIT 10000", $asks)
    };
    ($found:literal, $read:literal, $asks:expr) => {
        concat!(
            "WITH RECURSIVE answers (id, account_id, visibility, created_at, depth) AS (
                SELECT id, account_id, visibility, created_at, CAST(1 AS BIGINT) FROM posts
                    WHERE in_reply_to_id = $1 AND in_reply_to_id IS NOT NULL
                UNION ALL
                SELECT p.id, p.account_id, p.visibility, p.created_at, answers.depth + 1
                    FROM answers JOIN posts p ON p.in_reply_to_id = answers.id WHERE answers.depth < 100",
            $found,
            "),
             about (id, account_id, visibility, created_at) AS (
                SELECT id, account_id, visibility, created_at
                FROM (SELECT id, account_id, visibility, created_at FROM answers",
            $read,
            ") AS walked
                UNION ALL
                SELECT b.id, b.account_id, b.visibility, b.created_at FROM posts b
                    WHERE b.boost_of_id = $1 AND b.boost_of_id IS NOT NULL),
             opened (id, account_id, visibility, created_at) AS (
                SELECT about.id, about.account_id, about.visibility, about.created_at FROM posts o, about
                    WHERE o.id = $1 AND o.visibility IN ('public', 'unlisted') AND about.account_id <> o.account_id) ",
            $asks
        )
    };
}

/// Accounts whose servers have a copy of post `$1`, or part of it, by what somebody did with it: those that answered or
/// boosted it, now or once, and those that marked it as a favourite. Of an open post also those that others' answers
/// name, and followers of the members among them all.
macro_rules! involved {
    () => {
        "SELECT account_id FROM about
         UNION SELECT p.account_id FROM posts p WHERE p.in_reply_to_id = $1 AND p.in_reply_to_id IS NOT NULL
         UNION SELECT v.account_id FROM favourites v WHERE v.post_id = $1
         UNION SELECT m.account_id FROM opened JOIN mentions m ON m.post_id = opened.id
         UNION SELECT f.account_id FROM (
            SELECT DISTINCT opened.account_id FROM opened JOIN members mb ON mb.account_id = opened.account_id
            WHERE opened.visibility <> 'direct') AS t JOIN follows f ON f.target_id = t.account_id"
    };
}

/// Where the remote accounts are reached whose servers have a copy of a post by what somebody did with it, whether or
/// not they may see it now; also those who could see then what a member did, and no more.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn involved_inboxes(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    macro_rules! once {
        () => {
            concat!(
                "SELECT DISTINCT r.inbox_url FROM opened JOIN former_readers r ON r.author_id = opened.account_id
                    AND (r.post_id = opened.id OR (r.post_id = 0 AND opened.visibility <> 'direct'
                        AND r.ended_at >= opened.created_at))
                 WHERE ",
                written_to!("r")
            )
        };
    }
    let now = sql!(
        sqlite: deeds!(sqlite inboxes_of!(involved!())),
        postgres: deeds!(postgres inboxes_of!(involved!())),
    );
    let mut inboxes = urls(now.bind(post), conn).await?;
    let once = sql!(sqlite: deeds!(sqlite once!()), postgres: deeds!(postgres once!()));
    inboxes.extend(urls(once.bind(post), conn).await?);
    Ok(inboxes)
}

/// Where a new version of a post goes: to where it is published, and to whoever else has it and may see it now.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn update_inboxes(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    let mut inboxes = publication_inboxes(conn, post).await?;
    inboxes.extend(involved_that_see(conn, post).await?);
    Ok(inboxes)
}

/// As [`update_inboxes`], of all but the author's followers.
pub(crate) async fn update_inboxes_of_others(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    let mut inboxes = urls(sql!(inboxes_of!(concerned!(), seeing "$1")).bind(post), conn).await?;
    inboxes.extend(author_of_boosted(conn, post).await?);
    inboxes.extend(involved_that_see(conn, post).await?);
    Ok(inboxes)
}

async fn involved_that_see(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    let involved = sql!(
        sqlite: deeds!(sqlite inboxes_of!(involved!(), seeing "$1")),
        postgres: deeds!(postgres inboxes_of!(involved!(), seeing "$1")),
    );
    urls(involved.bind(post), conn).await
}

/// Does somebody follow an account who is reached at this inbox?
pub(crate) async fn has_follower_at(conn: &mut Conn, of: AccountId, inbox: &str) -> Result<bool> {
    sql!(
        "SELECT f.id FROM accounts a JOIN follows f ON f.account_id = a.id AND f.target_id = $1
         WHERE coalesce(a.shared_inbox_url, a.inbox_url) = $2 AND a.suspended_at IS NULL AND a.deleted_at IS NULL
         LIMIT 1"
    )
    .bind(of)
    .bind(inbox)
    .exists(conn)
    .await
}

/// Where every server is reached that we know an account of.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn every_inbox(conn: &mut Conn) -> Result<Vec<String>> {
    urls(sql!(inboxes_of!("SELECT x.id FROM accounts x WHERE x.domain <> ''")), conn).await
}
