//! Which post an app's request made, by the key that came with it: the same request again gives the same post.

use domain::{AccountId, PostId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// The post that was published with this key, if the request was seen before.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn post_of(conn: &mut Conn, account: AccountId, key: &str) -> Result<Option<PostId>> {
    let row = sql!("SELECT post_id FROM idempotency_keys WHERE account_id = $1 AND key = $2")
        .bind(account)
        .bind(key)
        .maybe::<(i64,)>(conn)
        .await?;
    Ok(row.map(|(id,)| PostId(id)))
}

/// Remembers the key of a published post.
///
/// # Errors
/// [`crate::Error::Conflict`] when another request with the same key was faster.
pub async fn keep(tx: &mut Tx, account: AccountId, key: &str, post: PostId) -> Result<()> {
    let now = tx.now();
    sql!("INSERT INTO idempotency_keys (account_id, key, post_id, created_at) VALUES ($1, $2, $3, $4)")
        .bind(account)
        .bind(key)
        .bind(post)
        .bind(now)
        .run(tx)
        .await?;
    Ok(())
}

/// Forgets keys of requests older than `before`.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn forget(tx: &mut Tx, before: Timestamp) -> Result<()> {
    sql!("DELETE FROM idempotency_keys /* scan */ WHERE created_at < $1").bind(before).run(tx).await?;
    Ok(())
}
