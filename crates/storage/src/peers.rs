//! What is needed to speak with other servers beside posts and accounts: keys to sign with, policies about
//! domains, and the ends of remote accounts.

use domain::instance::DomainSeverity;
use domain::{AccountId, EmojiId, PostId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::sql;

/// A private key in PEM and the id of its public half.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    pub key_id: String,
    pub private_pem: String,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The key of a local account, also of one that was deleted: its last activities are still to be signed.
///
/// # Errors
/// [`Error::NotFound`] when it is not a local account, or its key was removed.
pub async fn signing_key(conn: &mut Conn, account: AccountId) -> Result<StoredKey> {
    let (key_id, private_pem) = sql!(
        "SELECT a.public_key_id, m.private_key_pem FROM accounts a JOIN members m ON m.account_id = a.id WHERE a.id = $1"
    )
    .bind(account)
    .one::<(String, String)>(conn)
    .await?;
    if private_pem.is_empty() {
        return Err(Error::NotFound);
    }
    Ok(StoredKey { key_id, private_pem })
}

const INSTANCE_PRIVATE: &str = "instance_key.private";
const INSTANCE_PUBLIC: &str = "instance_key.public";

/// The key pair of the instance actor: private and public half in PEM. `None` before the first start.
///
/// # Errors
/// As [`Error`] says.
pub async fn instance_key(conn: &mut Conn) -> Result<Option<(String, String)>> {
    let private = setting(conn, INSTANCE_PRIVATE).await?;
    let public = setting(conn, INSTANCE_PUBLIC).await?;
    Ok(private.zip(public))
}

/// Keeps the key pair of the instance actor, unless another process was faster; gives the one that counts.
///
/// # Errors
/// As [`Error`] says.
pub async fn keep_instance_key(tx: &mut Tx, private_pem: &str, public_pem: &str) -> Result<(String, String)> {
    // The private half decides who was first: the loser reads both.
    let first = sql!("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(INSTANCE_PRIVATE)
        .bind(private_pem)
        .run(tx)
        .await?;
    if first > 0 {
        sql!(
            "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )
        .bind(INSTANCE_PUBLIC)
        .bind(public_pem)
        .run(tx)
        .await?;
    }
    instance_key(tx).await?.ok_or(Error::NotFound)
}

async fn setting(conn: &mut Conn, name: &'static str) -> Result<Option<String>> {
    let row = sql!("SELECT value FROM settings WHERE name = $1").bind(name).maybe::<(String,)>(conn).await?;
    Ok(row.map(|(value,)| value))
}

/// Every domain that is silenced or suspended.
///
/// # Errors
/// As [`Error`] says.
pub async fn domain_policies(conn: &mut Conn) -> Result<Vec<(String, DomainSeverity)>> {
    let rows = sql!("SELECT domain, severity FROM domain_policies").all::<(String, String)>(conn).await?;
    Ok(rows.into_iter().filter_map(|(domain, severity)| Some((domain, DomainSeverity::parse(&severity)?))).collect())
}

/// The account is gone for good; its row stays, so that its id is never used again. `false` when it was already.
///
/// # Errors
/// As [`Error`] says.
pub async fn bury_account(tx: &mut Tx, id: AccountId) -> Result<bool> {
    let now = tx.now();
    let n = sql!("UPDATE accounts SET version = version + 1, deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id)
        .bind(now)
        .run(tx)
        .await?;
    Ok(n > 0)
}

/// Takes the handle from an account that is gone, so that its successor may have it.
///
/// # Errors
/// As [`Error`] says.
pub async fn release_handle(tx: &mut Tx, id: AccountId) -> Result<()> {
    sql!("UPDATE accounts SET version = version + 1, username = username || '.' || CAST(id AS TEXT) WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// The account was read again and found unchanged, or could not be read: not to be asked again at once.
///
/// # Errors
/// As [`Error`] says.
pub async fn touch_account(tx: &mut Tx, id: AccountId, at: Timestamp) -> Result<()> {
    sql!("UPDATE accounts SET version = version + 1, fetched_at = $2 WHERE id = $1").bind(id).bind(at).run(tx).await?;
    Ok(())
}

/// A custom emoji of another server.
///
/// # Errors
/// As [`Error`] says.
pub async fn upsert_emoji(
    tx: &mut Tx,
    domain: &str,
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
/// As [`Error`] says.
pub async fn known_emojis(
    conn: &mut Conn,
    domain: &str,
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
/// As [`Error`] says.
pub async fn local_followers(conn: &mut Conn, of: AccountId) -> Result<Vec<AccountId>> {
    sql!("SELECT f.account_id FROM follows f JOIN members m ON m.account_id = f.account_id WHERE f.target_id = $1")
        .bind(of)
        .ids(conn)
        .await
}

/// Is anybody of a domain addressed by a post? (May that server fetch it?)
///
/// # Errors
/// As [`Error`] says.
pub async fn addresses_domain(conn: &mut Conn, post: PostId, domain: &str) -> Result<bool> {
    sql!("SELECT m.account_id FROM mentions m JOIN accounts a ON a.id = m.account_id WHERE m.post_id = $1 AND a.domain = $2 LIMIT 1")
        .bind(post)
        .bind(domain)
        .exists(conn)
        .await
}

/// Every server we know somebody of, one inbox each: for what everybody must hear, such as the end of an account.
///
/// # Errors
/// As [`Error`] says.
pub async fn all_inboxes(conn: &mut Conn) -> Result<Vec<String>> {
    let rows = sql!(
        "SELECT DISTINCT coalesce(a.shared_inbox_url, a.inbox_url) FROM accounts a
         WHERE a.domain <> '' AND a.inbox_url <> '' AND a.deleted_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM domain_policies dp WHERE dp.severity = 'suspend'
             AND (a.domain = dp.domain OR a.domain LIKE '%.' || dp.domain))"
    )
    .all::<(String,)>(conn)
    .await?;
    Ok(rows.into_iter().map(|(url,)| url).collect())
}

/// The remote accounts that an inbox of their own belongs to (not a shared one).
///
/// # Errors
/// As [`Error`] says.
pub async fn accounts_with_inbox(conn: &mut Conn, inbox_url: &str) -> Result<Vec<AccountId>> {
    sql!("SELECT id FROM accounts WHERE inbox_url = $1 AND deleted_at IS NULL LIMIT 5").bind(inbox_url).ids(conn).await
}

/// The direct answers to a post that anyone may see, oldest first: their ActivityPub ids, from `after` on.
///
/// # Errors
/// As [`Error`] says.
pub async fn open_replies(conn: &mut Conn, post: PostId, after: PostId, limit: i64) -> Result<Vec<(PostId, String)>> {
    let rows = sql!(
        "SELECT p.id, p.uri FROM posts p JOIN accounts a ON a.id = p.account_id
         WHERE p.in_reply_to_id = $1 AND p.in_reply_to_id IS NOT NULL AND p.id > $2 AND p.deleted_at IS NULL
           AND p.visibility IN ('public', 'unlisted') AND a.suspended_at IS NULL ORDER BY p.id LIMIT $3"
    )
    .bind(post)
    .bind(after)
    .bind(limit)
    .all::<(i64, String)>(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, uri)| (PostId(id), uri)).collect())
}
