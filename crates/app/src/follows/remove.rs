//! A follow is ended, or a request withdrawn, by the one who follows.

use domain::AccountId;
use domain::account::Account;
use domain::notification::NotificationKind;
use storage::follows::Follow;
use storage::{Tx, accounts, follows, notifications};

use super::{changed, dissolve, tell_unfollow};
use crate::App;
use crate::error::Result;

/// A member unfollows an account that is shown or not, or takes back the request. Nothing happens when there is neither.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is nothing to take back, and no such account to be seen.
pub async fn remove(app: &App, me: &Account, target: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let target = accounts::even_hidden(&mut tx, target).await?;
    let Some(follow) = write(&mut tx, me.id, target.id).await? else {
        accounts::get(&mut tx, target.id).await?;
        return Ok(());
    };
    if !target.is_local() {
        tell_unfollow(&mut tx, me.id, target.id, follow.uri).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// A remote account unfollows a member. `false` when it did not follow.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, follower: &Account, target: &Account) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let ended = write(&mut tx, follower.id, target.id).await?.is_some();
    tx.commit().await?;
    Ok(ended)
}

pub(super) async fn write(tx: &mut Tx, follower: AccountId, target: AccountId) -> Result<Option<Follow>> {
    let request = follows::find_request(tx, follower, target).await?;
    if request.is_some() {
        follows::remove_request(tx, follower, target).await?;
        notifications::retract(tx, target, follower, NotificationKind::FollowRequest, None).await?;
        changed(tx, follower, target);
    }
    let follow = dissolve(tx, follower, target).await?;
    if follow.is_some() {
        notifications::retract(tx, target, follower, NotificationKind::Follow, None).await?;
    }
    Ok(follow.or(request))
}
