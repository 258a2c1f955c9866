//! A post or boost is taken back. What stays is a tombstone: its id is never used again, and asking for it is
//! answered with 410.

use domain::account::Account;
use domain::job::{Job, subject_of_post};
use domain::post::Post;
use domain::{PostId, Viewer};
use storage::withdrawn::{Withdrawn, withdraw};
use storage::{Tx, attachments, posts};

use crate::error::{Error, Result};
use crate::{App, fanout};

/// What becomes of the pictures of a deleted post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// They wait for an hour, so that she can write the post anew with them.
    Keep,
    /// They go at once.
    Remove,
}

/// A member deletes her own post.
///
/// # Errors
/// [`Error::NotFound`] when it is not hers.
pub async fn delete(app: &App, author: &Account, id: PostId, media: Media) -> Result<()> {
    let mut tx = app.db.write().await?;
    let post = posts::get(&mut tx, Viewer::Account(author.id), id).await?;
    if post.account_id != author.id {
        return Err(Error::NotFound);
    }
    let withdrawn = bury(&mut tx, &post, media).await?;
    tell(&mut tx, id, withdrawn);
    tx.commit().await?;
    Ok(())
}

/// Has those servers told of a deletion that may have what is deleted.
pub(super) fn tell(tx: &mut Tx, post: PostId, withdrawn: Withdrawn) {
    let from_nobody = withdrawn.from_everybody;
    tx.enqueue(Job::DistributeDelete { post, unsent: withdrawn.unsent, from_nobody });
}

/// Its author's server said it is gone. `false` when we do not have it, or it is another's.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, author: &Account, uri: &str) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let Some(post) = posts::unchecked_by_uri(&mut tx, uri).await? else { return Ok(false) };
    if post.account_id != author.id {
        return Ok(false);
    }
    bury(&mut tx, &post, Media::Remove).await?;
    tx.commit().await?;
    Ok(true)
}

/// Takes a post out of every list, with every boost of it, and leaves a tombstone. What waits to be sent of it is
/// dropped: gives to whom it was never sent, unless they may have fetched it. Media that are not kept are removed by a
/// job.
///
/// A member's boost is taken back where it went: the author's server, elsewhere, may not know of those who follow the
/// member. Whoever is told that a member's post is gone drops its boosts without being told.
///
/// # Errors
/// When the database refuses.
pub async fn bury(tx: &mut Tx, post: &Post, media: Media) -> Result<Withdrawn> {
    for boost in posts::boosts_of(tx, post.id).await? {
        let boost = posts::unchecked(tx, boost).await?;
        let withdrawn = bury_one(tx, &boost, Media::Remove).await?;
        if boost.local && !post.local {
            tell(tx, boost.id, withdrawn);
        }
    }
    let withdrawn = bury_one(tx, post, media).await?;
    // Asked now: nobody can do anything with it any more.
    if withdrawn != Withdrawn::default() && posts::may_be_elsewhere(tx, post.id).await? {
        return Ok(Withdrawn::default());
    }
    Ok(withdrawn)
}

async fn bury_one(tx: &mut Tx, post: &Post, media: Media) -> Result<Withdrawn> {
    let now = tx.now();
    // The author's account before what waits to be sent: who closes it takes them in this order.
    posts::hold(tx, post.account_id, false, None).await?;
    posts::lock(tx, post.id).await?;
    if posts::deleted_at(tx, post.id).await?.is_some() {
        // Somebody else did it, and has moved the counters.
        return Ok(Withdrawn::default());
    }
    fanout::post_removed(tx, post).await?;
    if media == Media::Keep {
        attachments::release(tx, post.id).await?;
    }
    posts::bury(tx, post.id, now).await?;
    let media = attachments::remove_of_post(tx, post.id).await?;
    let keys: Vec<String> = media.into_iter().flat_map(|a| [a.key, a.preview_key]).flatten().collect();
    if !keys.is_empty() {
        tx.enqueue(Job::DeleteMedia { keys });
    }
    // After the tombstone was made: what is being queued now waits for its row, and finds it.
    Ok(withdraw(tx, &subject_of_post(post.id)).await?)
}
