//! A new list.

use domain::AccountId;
use domain::list::{List, RepliesPolicy};

use super::{MAX_LISTS, checked_title};
use crate::App;
use crate::error::{Error, Result};

/// # Errors
/// [`Error::Invalid`] for a bad title or too many lists.
pub async fn create(
    app: &App,
    owner: AccountId,
    title: &str,
    replies_policy: RepliesPolicy,
    exclusive: bool,
) -> Result<List> {
    let title = checked_title(title)?;
    let mut tx = app.db.write().await?;
    if storage::lists::count(&mut tx, owner).await? >= MAX_LISTS {
        return Err(Error::invalid("base", format!("you already have {MAX_LISTS} lists")));
    }
    let list = List { id: tx.id(), account_id: owner, title, replies_policy, exclusive };
    storage::lists::insert(&mut tx, &list).await?;
    tx.commit().await?;
    Ok(list)
}
