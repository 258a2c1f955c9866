//! New words, or another focus, for a picture. Where a post shows it already, other servers learn of it only with
//! the post's next edit.

use domain::attachment::Focus;
use domain::event::Event;
use domain::{AccountId, AttachmentId};

use super::checked_description;
use crate::App;
use crate::error::{Error, Result};

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
    storage::attachments::describe(&mut tx, id, &description, focus.or(now.focus)).await?;
    if let Some(post) = now.post_id {
        tx.emit(Event::PostEdited { post });
    }
    tx.commit().await?;
    Ok(())
}
