//! The end of a list. Nobody on it is told, nobody is unfollowed.

use domain::{AccountId, ListId};

use crate::App;
use crate::error::Result;

/// # Errors
/// [`crate::Error::NotFound`] when she has no such list.
pub async fn delete(app: &App, owner: AccountId, id: ListId) -> Result<()> {
    let mut tx = app.db.write().await?;
    storage::lists::delete(&mut tx, owner, id).await?;
    tx.commit().await?;
    Ok(())
}
