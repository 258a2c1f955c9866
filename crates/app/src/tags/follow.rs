//! Public posts with a tag come to her home timeline while she follows it.

use domain::AccountId;
use storage::tags::Tag;

use crate::App;
use crate::error::{Error, Result};

/// Follows the tag; makes it known here if nobody used it yet. `name` is normalised.
///
/// # Errors
/// As [`Error`] says.
pub async fn follow(app: &App, account: AccountId, name: &str) -> Result<Tag> {
    let mut tx = app.db.write().await?;
    let id = storage::posts::tag(&mut tx, name, None).await?;
    storage::tags::follow(&mut tx, account, id).await?;
    let tag = storage::tags::by_name(&mut tx, name).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    Ok(tag)
}

/// `None` for a tag that nobody ever used: nobody follows that.
///
/// # Errors
/// As [`Error`] says.
pub async fn unfollow(app: &App, account: AccountId, name: &str) -> Result<Option<Tag>> {
    let mut tx = app.db.write().await?;
    let Some(tag) = storage::tags::by_name(&mut tx, name).await? else { return Ok(None) };
    storage::tags::unfollow(&mut tx, account, tag.id).await?;
    tx.commit().await?;
    Ok(Some(tag))
}
