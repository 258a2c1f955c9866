//! A member puts a post of hers at the top of her profile.

use domain::account::Account;
use domain::job::Job;
use domain::post::Post;
use domain::{PostId, Viewer, Visibility};
use storage::{Tx, interactions, posts};

use crate::App;
use crate::error::{Error, Result};

/// # Errors
/// [`Error::Invalid`] when it is not hers, a boost, private, or she has pinned as many as she may.
pub async fn pin(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let post = own(&mut tx, who, id).await?;
    if post.visibility == Visibility::Direct {
        return Err(Error::invalid("base", "Private posts can't be pinned"));
    }
    if interactions::pins(&mut tx, who.id).await? >= app.limits().pins {
        return Err(Error::invalid("base", "You have already pinned the maximum number of posts"));
    }
    if interactions::pin(&mut tx, who.id, id).await? {
        tx.enqueue(Job::DistributePin { account: who.id, post: id, pinned: true });
    }
    tx.commit().await?;
    Ok(())
}

/// # Errors
/// [`Error::Invalid`] when it is not hers.
pub async fn unpin(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    own(&mut tx, who, id).await?;
    if interactions::unpin(&mut tx, who.id, id).await? {
        tx.enqueue(Job::DistributePin { account: who.id, post: id, pinned: false });
    }
    tx.commit().await?;
    Ok(())
}

async fn own(tx: &mut Tx, who: &Account, id: PostId) -> Result<Post> {
    let post = posts::get(tx, Viewer::Account(who.id), id).await?;
    if post.account_id != who.id {
        return Err(Error::invalid("base", "Someone else's post cannot be pinned"));
    }
    if post.boost_of_id.is_some() {
        return Err(Error::invalid("base", "A boost cannot be pinned"));
    }
    Ok(post)
}
