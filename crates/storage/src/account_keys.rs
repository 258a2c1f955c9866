//! The public keys of remote accounts beside the first, which stands with the account itself: an actor may show
//! several, and may keep one in a document of its own.

use domain::AccountId;
use domain::account::AccountKey;

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// Whose key it is, and the key in PEM.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn by_key_id(conn: &mut Conn, key_id: &str) -> Result<Option<(AccountId, String)>> {
    let found = sql!("SELECT account_id, pem FROM account_keys WHERE key_id = $1")
        .bind(key_id)
        .maybe::<(i64, String)>(conn)
        .await?;
    Ok(found.map(|(account, pem)| (AccountId(account), pem)))
}

/// Keeps a key, or changes it.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn keep(tx: &mut Tx, account: AccountId, key: &AccountKey) -> Result<()> {
    sql!(
        "INSERT INTO account_keys (key_id, account_id, pem) VALUES ($1, $2, $3)
         ON CONFLICT (key_id) DO UPDATE SET account_id = excluded.account_id, pem = excluded.pem"
    )
    .bind(&key.id)
    .bind(account)
    .bind(&key.pem)
    .run(tx)
    .await?;
    Ok(())
}

/// Forgets an account's keys but those with these ids.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn forget_others(tx: &mut Tx, account: AccountId, key_ids: &[String]) -> Result<()> {
    sql!("DELETE FROM account_keys WHERE account_id = $1 AND NOT (key_id = ANY($2))")
        .bind(account)
        .bind(key_ids)
        .run(tx)
        .await?;
    Ok(())
}
