//! Public posts with a tag come to her home timeline while she follows it.

use domain::AccountId;
use storage::tags::Tag;

use crate::App;
use crate::error::{Error, Result};

/// Follows the tag; makes it known here if nobody used it yet. `name` is normalised, `display` as she wrote it.
///
/// # Errors
/// As [`Error`] says.
pub async fn follow(app: &App, account: AccountId, name: &str, display: &str) -> Result<Tag> {
    let mut tx = app.db.write().await?;
    let id = storage::posts::tag(&mut tx, name, display).await?;
    storage::tags::follow(&mut tx, account, id).await?;
    let tag = storage::tags::by_name(&mut tx, name).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    Ok(tag)
}

/// # Errors
/// [`Error::NotFound`] for a tag nobody ever used.
pub async fn unfollow(app: &App, account: AccountId, name: &str) -> Result<Tag> {
    let mut tx = app.db.write().await?;
    let tag = storage::tags::by_name(&mut tx, name).await?.ok_or(Error::NotFound)?;
    storage::tags::unfollow(&mut tx, account, tag.id).await?;
    tx.commit().await?;
    Ok(tag)
}
