//! A picture that no post shows is thrown away.

use domain::job::Job;
use domain::{AccountId, AttachmentId};

use crate::App;
use crate::error::{Error, Result};

/// # Errors
/// [`Error::NotFound`] when it is not hers; [`Error::Invalid`] while a post shows it.
pub async fn remove(app: &App, owner: AccountId, id: AttachmentId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let found = storage::attachments::unchecked(&mut tx, id).await?;
    if found.account_id != owner {
        return Err(Error::NotFound);
    }
    if !storage::attachments::remove_unused(&mut tx, owner, id).await? {
        return Err(Error::invalid("base", "Media attachment is currently used by a status"));
    }
    let keys: Vec<String> = [found.key, found.preview_key].into_iter().flatten().collect();
    tx.enqueue(Job::DeleteMedia { keys });
    tx.commit().await?;
    Ok(())
}
