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

/// By a post that the member may see or not.
///
/// # Errors
/// [`crate::Error::NotFound`] when the discussion is not muted, and the member may not see the post.
pub async fn unmute(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let post = posts::unchecked(&mut tx, id).await?;
    if !interactions::unmute_thread(&mut tx, who.id, post.thread_id).await? {
        posts::get(&mut tx, Viewer::Account(who.id), id).await?;
        return Ok(());
    }
    tx.commit().await?;
    Ok(())
}
