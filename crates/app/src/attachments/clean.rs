//! Files that nobody needs any more go: uploads that were never posted, and what deleted posts and accounts showed.

use std::time::Duration;

use domain::job::Job;
use media::StoreError;
use storage::attachments;

use crate::App;
use crate::error::{Error, Result};

/// An upload that no post showed is kept so long: she may still be writing.
const UNUSED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// What a deleted post showed is kept so long: she may be writing it anew.
const RELEASED_FOR: Duration = Duration::from_secs(60 * 60);
/// Removed at a time.
const BATCH: i64 = 500;

/// Forgets uploads that no post shows; their bytes go by a job.
///
/// # Errors
/// When the database refuses.
pub async fn clean(app: &App) -> Result<()> {
    let mut tx = app.db.write().await?;
    let now = app.now();
    let unused = attachments::unused(&mut tx, now.minus(UNUSED_FOR), now.minus(RELEASED_FOR), BATCH).await?;
    let mut keys = Vec::new();
    for attachment in unused {
        if attachments::remove_unused(&mut tx, attachment.account_id, attachment.id).await? {
            keys.extend([attachment.key, attachment.preview_key].into_iter().flatten());
        }
    }
    if !keys.is_empty() {
        tx.enqueue(Job::DeleteMedia { keys });
    }
    tx.commit().await?;
    Ok(())
}

/// Removes files from the media store. What is gone already is no error.
///
/// # Errors
/// [`Error::Unavailable`] when the store does not answer; then the job is tried again.
pub async fn delete_files(app: &App, keys: &[String]) -> Result<()> {
    for key in keys {
        match app.media.delete(key).await {
            Ok(()) | Err(StoreError::NotFound) => {}
            Err(e) => return Err(Error::Unavailable(e.to_string())),
        }
    }
    Ok(())
}
