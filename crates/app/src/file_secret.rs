//! The secret with which the addresses of private pictures are made: one for all processes of a server, made at the
//! first start and kept in the database. It never leaves the house.

use storage::{Db, settings};

use crate::error::{Error, Result};

/// # Errors
/// When the database refuses, or what it kept is no secret.
pub async fn of(db: &Db) -> Result<[u8; 32]> {
    let kept = settings::file_secret(&mut db.read().await?).await?;
    let text = match kept {
        Some(text) => text,
        None => {
            let mut tx = db.write().await?;
            let text = settings::keep_file_secret(&mut tx, &hex::encode(rand::random::<[u8; 32]>())).await?;
            tx.commit().await?;
            text
        }
    };
    let damaged = || Error::Internal("the secret behind the addresses of files is damaged".to_owned());
    hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(damaged)
}
