//! A member wants to hear no more of a discussion.

use domain::account::Account;
use domain::{PostId, Viewer};
use storage::{interactions, posts};

use crate::App;
use crate::error::Result;

/// # Errors
/// [`crate::Error::NotFound`] when she may not see the post.
pub async fn mute(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let post = posts::get(&mut tx, Viewer::Account(who.id), id).await?;
    interactions::mute_thread(&mut tx, who.id, post.thread_id).await?;
    tx.commit().await?;
    Ok(())
}

/// # Errors
/// [`crate::Error::NotFound`] when she may not see the post.
pub async fn unmute(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let post = posts::get(&mut tx, Viewer::Account(who.id), id).await?;
    interactions::unmute_thread(&mut tx, who.id, post.thread_id).await?;
    tx.commit().await?;
    Ok(())
}
