//! Addresses that members signed in from, as tags that do not say which: see `app::accounts::familiar`.

use domain::{AccountId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// Notes that the member signed in from there, and keeps no more than the `most` addresses that were used last.
///
/// # Errors
/// [`crate::Error::Conflict`] when the account is gone.
pub async fn keep(tx: &mut Tx, account: AccountId, address: i64, most: i64) -> Result<()> {
    let now = tx.now();
    sql!(
        "INSERT INTO member_addresses (account_id, address, last_used_at) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, address) DO UPDATE SET last_used_at = excluded.last_used_at"
    )
    .bind(account)
    .bind(address)
    .bind(now)
    .run(tx)
    .await?;
    sql!(
        "DELETE FROM member_addresses WHERE account_id = $1 AND address NOT IN
            (SELECT address FROM member_addresses WHERE account_id = $1 ORDER BY last_used_at DESC, address LIMIT $2)"
    )
    .bind(account)
    .bind(most)
    .run(tx)
    .await?;
    Ok(())
}

/// Did the member sign in from there since then?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn is_kept(conn: &mut Conn, account: AccountId, address: i64, since: Timestamp) -> Result<bool> {
    sql!("SELECT account_id FROM member_addresses WHERE account_id = $1 AND address = $2 AND last_used_at >= $3")
        .bind(account)
        .bind(address)
        .bind(since)
        .exists(conn)
        .await
}

/// Forgets those that nobody signed in from since then.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn purge(tx: &mut Tx, since: Timestamp) -> Result<u64> {
    sql!("DELETE FROM member_addresses WHERE last_used_at < $1").bind(since).run(tx).await
}

/// Forgets a member's.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn forget(tx: &mut Tx, account: AccountId) -> Result<()> {
    sql!("DELETE FROM member_addresses WHERE account_id = $1").bind(account).run(tx).await?;
    Ok(())
}
