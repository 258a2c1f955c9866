//! New words, or another focus, for a picture. Where a post shows it already, that is an edit of the post.

use domain::attachment::{Focus, Shown};
use domain::{AccountId, AttachmentId};

use super::checked_description;
use crate::App;
use crate::error::{Error, Result};
use crate::posts::edit::redescribe;

/// What is `None` stays as it is.
///
/// # Errors
/// [`Error::NotFound`] when it is not hers, [`Error::Invalid`] when the description is too long.
pub async fn describe(
    app: &App,
    owner: AccountId,
    id: AttachmentId,
    description: Option<&str>,
    focus: Option<Focus>,
) -> Result<()> {
    let mut tx = app.db.write().await?;
    let now = storage::attachments::unchecked(&mut tx, id).await?;
    if now.account_id != owner {
        return Err(Error::NotFound);
    }
    let description = match description {
        Some(text) => checked_description(app, text)?,
        None => now.description,
    };
    let new = Shown { id, description, focus: focus.or(now.focus) };
    match now.post_id {
        Some(post) => redescribe(&mut tx, post, &new).await?,
        None => storage::attachments::describe(&mut tx, id, &new.description, new.focus).await?,
    }
    tx.commit().await?;
    Ok(())
}
