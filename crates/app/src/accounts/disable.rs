//! Those who run the community close somebody's account for now, and open it again.
//!
//! What the member wrote stays, but while the account is closed nobody sees that, or the member, who is signed out
//! everywhere and cannot sign in. What waits to be sent to other servers (posts, profile, likes, follows) is dropped.
//! When it is opened again, posts and likes are not sent; other servers are told of the profile and of open requests.

use domain::AccountId;
use domain::account::Role;
use domain::event::Event;
use domain::job::Job;
use storage::withdrawn::withdraw_words_of;
use storage::{follows, members};

use super::{By, not_the_last_owner, sign_out_everywhere};
use crate::App;
use crate::error::Result;

/// # Errors
/// [`crate::Error::Forbidden`] for all but moderators, towards somebody of the same role, and for the only owner;
/// [`crate::Error::NotFound`] when she is no member.
pub async fn disable(app: &App, by: By<'_>, id: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let member = not_the_last_owner(&mut tx, id).await?;
    by.require_above(&mut tx, Role::Moderator, &member).await?;
    let now = tx.now();
    members::set_disabled(&mut tx, id, Some(member.disabled_at.unwrap_or(now))).await?;
    sign_out_everywhere(&mut tx, id).await?;
    withdraw_words_of(&mut tx, id).await?;
    tx.emit(Event::AccountChanged { account: id });
    tx.commit().await?;
    Ok(())
}

/// # Errors
/// As [`disable`].
pub async fn enable(app: &App, by: By<'_>, id: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    members::lock_owners(&mut tx).await?;
    let member = members::locked(&mut tx, id).await?;
    by.require_above(&mut tx, Role::Moderator, &member).await?;
    storage::accounts::even_hidden(&mut tx, id).await?;
    members::set_disabled(&mut tx, id, None).await?;
    tx.enqueue(Job::DistributeAccount { account: id });
    for (target, uri) in follows::requests_elsewhere(&mut tx, id).await? {
        tx.enqueue(Job::DistributeFollow { account: id, target, uri, again: true });
    }
    tx.emit(Event::AccountChanged { account: id });
    tx.commit().await?;
    Ok(())
}
