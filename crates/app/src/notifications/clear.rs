//! She has seen it: one notification, or all of them.

use domain::{AccountId, NotificationId};

use crate::App;
use crate::error::{Error, Result};

/// # Errors
/// As [`Error`] says.
pub async fn clear(app: &App, me: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    storage::notifications::clear(&mut tx, me).await?;
    tx.commit().await?;
    Ok(())
}

/// # Errors
/// [`Error::NotFound`] when it is not hers.
pub async fn dismiss(app: &App, me: AccountId, id: NotificationId) -> Result<()> {
    let mut tx = app.db.write().await?;
    if !storage::notifications::dismiss(&mut tx, me, id).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await?;
    Ok(())
}
