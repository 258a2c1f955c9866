//! Browsers that are signed in. A session is known by the SHA-256 of its token alone.

use std::time::Duration;

use domain::{AccountId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// A signed-in browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    pub account: AccountId,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
}

/// # Errors
/// [`crate::Error::Conflict`] when the account is gone.
pub async fn insert(tx: &mut Tx, hash: &[u8], s: &Session, user_agent: &str) -> Result<()> {
    sql!(
        "INSERT INTO sessions (token_hash, account_id, created_at, last_used_at, expires_at, user_agent)
         VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(hash)
    .bind(s.account)
    .bind(s.created_at)
    .bind(s.last_used_at)
    .bind(s.expires_at)
    .bind(user_agent)
    .run(tx)
    .await?;
    Ok(())
}

/// The session, unless it has expired.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn find(conn: &mut Conn, hash: &[u8], now: Timestamp) -> Result<Option<Session>> {
    Ok(sql!(
        "SELECT account_id, created_at, last_used_at, expires_at FROM sessions
         WHERE token_hash = $1 AND expires_at > $2"
    )
    .bind(hash)
    .bind(now)
    .maybe::<(i64, i64, i64, i64)>(conn)
    .await?
    .map(|(account, created_at, last_used_at, expires_at)| Session {
        account: AccountId(account),
        created_at: Timestamp(created_at),
        last_used_at: Timestamp(last_used_at),
        expires_at: Timestamp(expires_at),
    }))
}

/// Notes that it was used, and until when it lives from now on.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn touch(tx: &mut Tx, hash: &[u8], expires_at: Timestamp) -> Result<()> {
    let now = tx.now();
    sql!("UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE token_hash = $1")
        .bind(hash)
        .bind(now)
        .bind(expires_at)
        .run(tx)
        .await?;
    Ok(())
}

/// Signs a browser out.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove(tx: &mut Tx, hash: &[u8]) -> Result<bool> {
    Ok(sql!("DELETE FROM sessions WHERE token_hash = $1").bind(hash).run(tx).await? > 0)
}

/// Signs an account out everywhere.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_all_of(tx: &mut Tx, account: AccountId) -> Result<u64> {
    sql!("DELETE FROM sessions WHERE account_id = $1").bind(account).run(tx).await
}

/// No session lives longer than `lifetime` from now on: a clock that was ahead may have made some that would.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn shorten(tx: &mut Tx, lifetime: Duration) -> Result<u64> {
    let latest = tx.now().plus(lifetime);
    sql!("UPDATE sessions /* scan */ SET expires_at = $1 WHERE expires_at > $1").bind(latest).run(tx).await
}

/// Forgets sessions that have expired.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn purge(tx: &mut Tx) -> Result<u64> {
    let now = tx.now();
    sql!("DELETE FROM sessions /* scan */ WHERE expires_at <= $1").bind(now).run(tx).await
}
