//! Who is on a list. Only whom she follows: a list shows nothing that she could not see.

use domain::{AccountId, ListId};

use crate::App;
use crate::error::{Error, Result};

/// # Errors
/// [`Error::NotFound`] when she has no such list, or does not follow one of the accounts.
pub async fn add(app: &App, owner: AccountId, id: ListId, accounts: &[AccountId]) -> Result<()> {
    let mut tx = app.db.write().await?;
    storage::lists::get(&mut tx, owner, id).await?;
    if storage::lists::followed_among(&mut tx, owner, accounts).await?.len() != accounts.len() {
        return Err(Error::NotFound);
    }
    storage::lists::add(&mut tx, id, accounts).await?;
    tx.commit().await?;
    Ok(())
}

/// # Errors
/// [`Error::NotFound`] when she has no such list.
pub async fn remove(app: &App, owner: AccountId, id: ListId, accounts: &[AccountId]) -> Result<()> {
    let mut tx = app.db.write().await?;
    storage::lists::get(&mut tx, owner, id).await?;
    storage::lists::remove(&mut tx, id, accounts).await?;
    tx.commit().await?;
    Ok(())
}
