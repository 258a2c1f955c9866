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

/// Of a post that the member may see or not.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is no bookmark, and the member may not see the post.
pub async fn unbookmark(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let post = posts::unchecked(&mut tx, id).await?;
    if !interactions::unbookmark(&mut tx, who.id, post.boost_of_id.unwrap_or(post.id)).await? {
        posts::get(&mut tx, Viewer::Account(who.id), id).await?;
        return Ok(());
    }
    tx.commit().await?;
    Ok(())
}
