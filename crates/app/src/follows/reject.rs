//! A follow request is refused, or a follow that was accepted is ended by the one who is followed.

use domain::AccountId;
use domain::account::Account;
use domain::job::Job;
use domain::notification::NotificationKind;
use storage::{Tx, accounts, follows, notifications};

use super::{changed, dissolve};
use crate::App;
use crate::error::{Error, Result};

/// A member refuses a request.
///
/// # Errors
/// [`Error::NotFound`] when nobody asked.
pub async fn reject(app: &App, me: &Account, follower: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let Some(request) = follows::find_request(&mut tx, follower, me.id).await? else { return Err(Error::NotFound) };
    end(&mut tx, me, follower, request.uri).await?;
    tx.commit().await?;
    Ok(())
}

/// A member takes a follower away, who is shown or not. Nothing happens when there is none.
///
/// # Errors
/// [`Error::NotFound`] when there is nobody to take away, and no such account to be seen.
pub async fn remove_follower(app: &App, me: &Account, follower: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let Some(follow) = follows::find(&mut tx, follower, me.id).await? else {
        accounts::get(&mut tx, follower).await?;
        return Ok(());
    };
    end(&mut tx, me, follower, follow.uri).await?;
    tx.commit().await?;
    Ok(())
}

/// A remote account refused, or took us out of its followers. `false` when there was nothing to end.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, target: &Account, uri: Option<&str>, follower: Option<AccountId>) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let mut who = follower;
    if let Some(uri) = uri {
        let found = match follows::request_by_uri(&mut tx, uri).await? {
            None => follows::by_uri(&mut tx, uri).await?,
            found => found,
        };
        who = found.filter(|f| f.target_id == target.id).map(|f| f.account_id).or(who);
    }
    let Some(follower) = who else { return Ok(false) };
    let asked = follows::remove_request(&mut tx, follower, target.id).await?;
    let followed = dissolve(&mut tx, follower, target.id).await?.is_some();
    changed(&mut tx, follower, target.id);
    tx.commit().await?;
    Ok(asked || followed)
}

pub(super) async fn end(tx: &mut Tx, me: &Account, follower: AccountId, uri: String) -> Result<()> {
    follows::remove_request(tx, follower, me.id).await?;
    dissolve(tx, follower, me.id).await?;
    notifications::retract(tx, me.id, follower, NotificationKind::FollowRequest, None).await?;
    changed(tx, me.id, follower);
    if !accounts::even_hidden(tx, follower).await?.is_local() {
        tx.enqueue(Job::DistributeReject { account: me.id, follower, uri });
    }
    Ok(())
}
