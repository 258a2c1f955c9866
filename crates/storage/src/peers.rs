//! What is needed to speak with other servers beside posts and accounts: their emojis, and the ends of remote
//! accounts. What was decided about their domains is in [`crate::domains`].

use domain::account::Account;
use domain::{AccountId, EmojiId, Host, PostId, ThreadId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;
use crate::visible::visible;

/// Takes the handle from an account that is gone, so that its successor may have it.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn release_handle(tx: &mut Tx, id: AccountId) -> Result<()> {
    sql!("UPDATE accounts SET version = version + 1, username = username || '.' || CAST(id AS TEXT) WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// Marks an account as suspended and limited as another stands, unless it is so already.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn stand_as(tx: &mut Tx, id: AccountId, other: &Account) -> Result<()> {
    sql!(
        "UPDATE accounts SET version = version + 1, suspended_at = coalesce(suspended_at, $2),
            silenced_at = coalesce(silenced_at, $3) WHERE id = $1"
    )
    .bind(id)
    .bind(other.suspended_at)
    .bind(other.silenced_at)
    .run(tx)
    .await?;
    Ok(())
}

/// Members' blocks and mutes of an account, and their notes on it, become those of its successor, unless there are some
/// on that one already; gives those members.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn succeed(tx: &mut Tx, former: AccountId, successor: AccountId) -> Result<Vec<AccountId>> {
    macro_rules! moved {
        ($table:literal) => {
            sql!(concat!(
                "UPDATE ",
                $table,
                " SET target_id = $2 WHERE target_id = $1
                    AND EXISTS (SELECT 1 FROM members m WHERE m.account_id = ",
                $table,
                ".account_id) AND NOT EXISTS (SELECT 1 FROM ",
                $table,
                " other WHERE other.account_id = ",
                $table,
                ".account_id AND other.target_id = $2) RETURNING account_id"
            ))
        };
    }
    let mut members = Vec::new();
    for query in [moved!("blocks"), moved!("mutes"), moved!("account_notes")] {
        members.extend(query.bind(former).bind(successor).ids::<AccountId>(tx).await?);
    }
    members.sort();
    members.dedup();
    Ok(members)
}

/// Members who block an account and yet have a follow or a request with it, and their `Block`s' ids.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn blocked_but_related(conn: &mut Conn, target: AccountId) -> Result<Vec<(AccountId, String)>> {
    let rows = sql!(
        "SELECT b.account_id, b.uri FROM blocks b JOIN members m ON m.account_id = b.account_id
         WHERE b.target_id = $1 AND (
            EXISTS (SELECT 1 FROM follows f WHERE f.account_id = b.account_id AND f.target_id = $1)
            OR EXISTS (SELECT 1 FROM follows f WHERE f.account_id = $1 AND f.target_id = b.account_id)
            OR EXISTS (SELECT 1 FROM follow_requests r WHERE r.account_id = b.account_id AND r.target_id = $1)
            OR EXISTS (SELECT 1 FROM follow_requests r WHERE r.account_id = $1 AND r.target_id = b.account_id))
         ORDER BY b.id"
    )
    .bind(target)
    .all::<(i64, String)>(conn)
    .await?;
    Ok(rows.into_iter().map(|(member, uri)| (AccountId(member), uri)).collect())
}

/// The account was read again and found unchanged, or could not be read: not to be asked again at once.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn touch_account(tx: &mut Tx, id: AccountId, at: Timestamp) -> Result<()> {
    sql!("UPDATE accounts SET version = version + 1, fetched_at = $2 WHERE id = $1").bind(id).bind(at).run(tx).await?;
    Ok(())
}

/// A custom emoji of another server.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn upsert_emoji(
    tx: &mut Tx,
    domain: &Host,
    shortcode: &str,
    uri: Option<&str>,
    image_url: &str,
) -> Result<()> {
    let (id, now): (EmojiId, _) = (tx.id(), tx.now());
    sql!(
        "INSERT INTO custom_emojis (id, shortcode, domain, uri, remote_url, visible, updated_at)
         VALUES ($1, $2, $3, $4, $5, FALSE, $6)
         ON CONFLICT (shortcode, domain) DO UPDATE SET uri = excluded.uri, updated_at = excluded.updated_at,
            key = CASE WHEN custom_emojis.remote_url = excluded.remote_url THEN custom_emojis.key ELSE NULL END,
            remote_url = excluded.remote_url"
    )
    .bind(id)
    .bind(shortcode)
    .bind(domain)
    .bind(uri)
    .bind(image_url)
    .bind(now)
    .run(tx)
    .await?;
    Ok(())
}

/// Those of the shortcodes that are known of a domain, with where their pictures are.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn known_emojis(
    conn: &mut Conn,
    domain: &Host,
    shortcodes: &[String],
) -> Result<Vec<(String, Option<String>)>> {
    sql!("SELECT shortcode, remote_url FROM custom_emojis WHERE domain = $1 AND shortcode = ANY($2)")
        .bind(domain)
        .bind(shortcodes)
        .all(conn)
        .await
}

/// The members who follow a remote account, for a move.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn local_followers(conn: &mut Conn, of: AccountId) -> Result<Vec<AccountId>> {
    sql!("SELECT f.account_id FROM follows f WHERE f.target_id = $1 AND f.by_member").bind(of).ids(conn).await
}

/// Is anybody of a domain addressed by a post, and may see it now? (May that server fetch it?)
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn addresses_domain(conn: &mut Conn, post: PostId, domain: &Host) -> Result<bool> {
    sql!(concat!(
        "SELECT m.account_id FROM mentions m JOIN accounts a ON a.id = m.account_id JOIN posts p ON p.id = m.post_id
         WHERE m.post_id = $1 AND a.domain = $2 AND ",
        visible!("p" to "m.account_id"),
        " LIMIT 1"
    ))
    .bind(post)
    .bind(domain)
    .exists(conn)
    .await
}

/// The remote accounts that an inbox of their own belongs to (not a shared one).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn accounts_with_inbox(conn: &mut Conn, inbox_url: &str) -> Result<Vec<AccountId>> {
    sql!("SELECT id FROM accounts WHERE inbox_url = $1 AND deleted_at IS NULL LIMIT 5").bind(inbox_url).ids(conn).await
}

/// The direct answers to a post that anyone may see, oldest first: their ActivityPub ids, from `after` on.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn open_replies(conn: &mut Conn, post: PostId, after: PostId, limit: i64) -> Result<Vec<(PostId, String)>> {
    let rows = sql!(
        "SELECT p.id, p.uri FROM posts p JOIN accounts a ON a.id = p.account_id
         WHERE p.in_reply_to_id = $1 AND p.in_reply_to_id IS NOT NULL AND p.id > $2 AND p.deleted_at IS NULL
           AND p.visibility IN ('public', 'unlisted') AND a.suspended_at IS NULL AND NOT a.hidden ORDER BY p.id LIMIT $3"
    )
    .bind(post)
    .bind(after)
    .bind(limit)
    .all::<(i64, String)>(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, uri)| (PostId(id), uri)).collect())
}

/// How many posts a discussion has, tombstones included.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn thread_size(conn: &mut Conn, thread: ThreadId) -> Result<i64> {
    sql!("SELECT count(*) FROM posts WHERE thread_id = $1 AND boost_of_id IS NULL").bind(thread).count(conn).await
}
