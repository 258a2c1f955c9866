//! A list's title and what it shows.

use domain::list::{List, RepliesPolicy};
use domain::{AccountId, ListId};

use super::checked_title;
use crate::App;
use crate::error::Result;

/// What is not given stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub title: Option<String>,
    pub replies_policy: Option<RepliesPolicy>,
    pub exclusive: Option<bool>,
}

/// # Errors
/// [`crate::Error::NotFound`] when she has no such list, [`crate::Error::Invalid`] for a bad title.
pub async fn change(app: &App, owner: AccountId, id: ListId, change: Change) -> Result<List> {
    let mut tx = app.db.write().await?;
    let mut list = storage::lists::get(&mut tx, owner, id).await?;
    if let Some(title) = &change.title {
        list.title = checked_title(title)?;
    }
    list.replies_policy = change.replies_policy.unwrap_or(list.replies_policy);
    list.exclusive = change.exclusive.unwrap_or(list.exclusive);
    storage::lists::update(&mut tx, &list).await?;
    tx.commit().await?;
    Ok(list)
}
