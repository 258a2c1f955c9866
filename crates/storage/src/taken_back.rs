//! What an actor elsewhere took back before it came (a `Delete` that overtook its `Create`, an `Undo` its `Follow`):
//! kept for a while, so that it is not done when it comes after all.
//!
//! What it is called is [`crate::inbox_items::New::about`].

use domain::{AccountId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// Keeps that it was taken back, from now on.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn keep(tx: &mut Tx, actor: AccountId, about: &str) -> Result<()> {
    let now = tx.now();
    sql!(
        "INSERT INTO taken_back (actor_id, about, taken_back_at) VALUES ($1, $2, $3)
         ON CONFLICT (actor_id, about) DO UPDATE SET taken_back_at = excluded.taken_back_at"
    )
    .bind(actor)
    .bind(about)
    .bind(now)
    .run(tx)
    .await?;
    Ok(())
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn is_kept(conn: &mut Conn, actor: AccountId, about: &str) -> Result<bool> {
    sql!("SELECT actor_id FROM taken_back WHERE actor_id = $1 AND about = $2")
        .bind(actor)
        .bind(about)
        .exists(conn)
        .await
}

/// It came, and was not done: the next one of that name is.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn forget(tx: &mut Tx, actor: AccountId, about: &str) -> Result<()> {
    sql!("DELETE FROM taken_back WHERE actor_id = $1 AND about = $2").bind(actor).bind(about).run(tx).await?;
    Ok(())
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn forget_before(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    sql!("DELETE FROM taken_back WHERE taken_back_at < $1").bind(before).run(tx).await
}
