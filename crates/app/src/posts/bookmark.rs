//! A member keeps a post for later. Nobody else learns of it.

use domain::account::Account;
use domain::{PostId, Viewer};
use storage::{interactions, posts};

use crate::App;
use crate::error::Result;

/// # Errors
/// [`crate::Error::NotFound`] when she may not see the post.
pub async fn bookmark(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let post = posts::get(&mut tx, Viewer::Account(who.id), id).await?;
    interactions::bookmark(&mut tx, who.id, post.boost_of_id.unwrap_or(post.id)).await?;
    tx.commit().await?;
    Ok(())
}

/// # Errors
/// [`crate::Error::NotFound`] when she may not see the post.
pub async fn unbookmark(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let post = posts::get(&mut tx, Viewer::Account(who.id), id).await?;
    interactions::unbookmark(&mut tx, who.id, post.boost_of_id.unwrap_or(post.id)).await?;
    tx.commit().await?;
    Ok(())
}
