//! A follow request is accepted, by a member or by a remote account.

use domain::AccountId;
use domain::account::Account;
use domain::job::Job;
use domain::notification::NotificationKind;
use storage::follows::{self, Follow};
use storage::{Tx, accounts, notifications};

use super::establish;
use crate::App;
use crate::error::{Error, Result};

/// A member lets somebody follow her.
///
/// # Errors
/// [`Error::NotFound`] when nobody asked.
pub async fn accept(app: &App, me: &Account, follower: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let Some(request) = follows::find_request(&mut tx, follower, me.id).await? else { return Err(Error::NotFound) };
    let follower = accounts::get(&mut tx, follower).await?;
    write(&mut tx, &request, follower.is_local()).await?;
    notifications::retract(&mut tx, me.id, follower.id, NotificationKind::FollowRequest, None).await?;
    if !follower.is_local() {
        tx.enqueue(Job::DistributeAccept { account: me.id, follower: follower.id, uri: request.uri });
    }
    tx.commit().await?;
    Ok(())
}

/// A remote account accepted: found by the `Follow`'s id, or by who asked. `false` when nobody asked.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, target: &Account, uri: Option<&str>, follower: Option<AccountId>) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let mut request = match uri {
        Some(uri) => follows::request_by_uri(&mut tx, uri).await?,
        None => None,
    };
    if let (None, Some(follower)) = (&request, follower) {
        request = follows::find_request(&mut tx, follower, target.id).await?;
    }
    let Some(request) = request.filter(|r| r.target_id == target.id) else { return Ok(false) };
    // Whoever follows somebody elsewhere, as far as we are told, is a member.
    write(&mut tx, &request, true).await?;
    tx.commit().await?;
    Ok(true)
}

async fn write(tx: &mut Tx, request: &Follow, by_member: bool) -> Result<()> {
    follows::remove_request(tx, request.account_id, request.target_id).await?;
    establish(tx, request, by_member).await
}
