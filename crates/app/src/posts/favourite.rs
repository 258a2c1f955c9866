//! A post is favourited, and that is taken back.

use domain::account::Account;
use domain::job::Job;
use domain::notification::NotificationKind;
use domain::post::Post;
use domain::{PostId, Viewer};
use storage::withdrawn::withdraw;
use storage::{Tx, counts, follows, interactions, notifications, posts};

use crate::error::{Error, Result};
use crate::{App, fanout, secrets};

/// A member favourites a post. Twice is once.
///
/// # Errors
/// [`Error::NotFound`] when she may not see it; [`Error::Forbidden`] when one of the two blocks the other.
pub async fn favourite(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let post = original(&mut tx, who, id).await?;
    if follows::is_blocked_either_way(&mut tx, who.id, post.account_id).await? {
        return Err(Error::Forbidden("You can't do this with this post"));
    }
    let like: i64 = app.ids().next();
    let uri = app.urls.activity(&who.username, "likes", secrets::address_key());
    if write(&mut tx, who, &post, like, &uri).await? {
        if !post.local {
            tx.enqueue(Job::DistributeFavourite { account: who.id, post: post.id, uri });
        }
        tx.commit().await?;
    }
    Ok(())
}

/// A remote account liked a local post. `false` when that is known already, or it may not.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, who: &Account, post: &str, uri: &str) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    // What it does not see, or whose author blocks it, it cannot have liked.
    let Some(post) = posts::get_by_uri(&mut tx, Viewer::Account(who.id), post).await? else { return Ok(false) };
    let like: i64 = app.ids().next();
    let new = write(&mut tx, who, &post, like, uri).await?;
    if new {
        tx.commit().await?;
    }
    Ok(new)
}

/// A member takes their favourite back, of a post that they may see or not.
///
/// # Errors
/// [`Error::NotFound`] when there is none, and the member may not see the post.
pub async fn unfavourite(app: &App, who: &Account, id: PostId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let mut post = posts::unchecked(&mut tx, id).await?;
    if let Some(inner) = post.boost_of_id {
        post = posts::unchecked(&mut tx, inner).await?;
    }
    let Some(uri) = erase(&mut tx, who, &post).await? else {
        original(&mut tx, who, id).await?;
        return Ok(());
    };
    if !post.local && !withdraw(&mut tx, &uri).await?.was_never_sent() {
        tx.enqueue(Job::DistributeUnfavourite { account: who.id, post: post.id, uri });
    }
    tx.commit().await?;
    Ok(())
}

/// A remote account took its like back: by the post, or by the `Like`'s id. `false` when there was none.
///
/// # Errors
/// When the database refuses.
pub async fn receive_undo(app: &App, who: &Account, post: Option<PostId>, uri: Option<&str>) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let found = match (post, uri) {
        (Some(post), _) => Some(post),
        (None, Some(uri)) => interactions::favourite_by_uri(&mut tx, who.id, uri).await?,
        (None, None) => None,
    };
    let Some(post) = found else { return Ok(false) };
    let post = posts::unchecked(&mut tx, post).await?;
    let erased = erase(&mut tx, who, &post).await?.is_some();
    if erased {
        tx.commit().await?;
    }
    Ok(erased)
}

/// The post itself, where a boost of it was named.
async fn original(tx: &mut Tx, who: &Account, id: PostId) -> Result<Post> {
    let post = posts::get(tx, Viewer::Account(who.id), id).await?;
    match post.boost_of_id {
        Some(inner) => Ok(posts::get(tx, Viewer::Account(who.id), inner).await?),
        None => Ok(post),
    }
}

async fn write(tx: &mut Tx, who: &Account, post: &Post, like: i64, uri: &str) -> Result<bool> {
    if !interactions::favourite(tx, like, who.id, who.is_local(), post.id, uri).await? {
        return Ok(false);
    }
    counts::favourites(tx, post.id, 1, who.id);
    fanout::notify(tx, post.account_id, who.id, NotificationKind::Favourite, Some(post.id), Some(post.thread_id))
        .await?;
    Ok(true)
}

async fn erase(tx: &mut Tx, who: &Account, post: &Post) -> Result<Option<String>> {
    let Some(uri) = interactions::unfavourite(tx, who.id, post.id).await? else { return Ok(None) };
    counts::favourites(tx, post.id, -1, who.id);
    notifications::retract(tx, post.account_id, who.id, NotificationKind::Favourite, Some(post.id)).await?;
    Ok(Some(uri))
}
