//! One account wants nothing more to do with another: everything between the two ends.

use domain::AccountId;
use domain::account::Account;
use domain::job::Job;
use storage::withdrawn::{withdraw, withdraw_from_former_reader};
use storage::{Tx, accounts, follows, homes, notifications, peers};

use super::{changed, dissolve, tell_unfollow, within_reach};
use crate::error::{Error, Result};
use crate::{App, secrets};

/// A member blocks an account.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account; [`Error::Forbidden`] when it is herself.
pub async fn block(app: &App, me: &Account, target: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let target = within_reach(&mut tx, me.id, target).await?;
    if target.id == me.id {
        return Err(Error::Forbidden("You can't block yourself"));
    }
    let uri = app.urls.activity(&me.username, "blocks", secrets::address_key());
    if follows::insert_block(&mut tx, me.id, target.id, &uri).await? {
        end(&mut tx, me.id, &target, uri).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What is between the two ends, and the other's server is told.
async fn end(tx: &mut Tx, me: AccountId, target: &Account, uri: String) -> Result<()> {
    let ended = sever(tx, me, target.id).await?;
    if target.is_local() {
        return Ok(());
    }
    // Servers that ignore Block still understand that the follows ended.
    if let Some(uri) = ended.mine {
        tell_unfollow(tx, me, target.id, uri).await?;
    }
    if let Some(uri) = ended.theirs {
        tx.enqueue(Job::DistributeReject { account: me, follower: target.id, uri });
    }
    tx.enqueue(Job::DistributeBlock { account: me, target: target.id, uri });
    Ok(())
}

/// Members' blocks became those of a successor, who was known by another name before: what is between it and them ends.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn end_with_successor(tx: &mut Tx, successor: &Account) -> Result<()> {
    for (member, uri) in peers::blocked_but_related(tx, successor.id).await? {
        end(tx, member, successor, uri).await?;
    }
    Ok(())
}

/// A member ends a block of an account that is shown or not. Nothing happens when there is none.
///
/// # Errors
/// [`Error::NotFound`] when there is no block, and no such account to be seen.
pub async fn unblock(app: &App, me: &Account, target: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let target = accounts::even_hidden(&mut tx, target).await?;
    let Some(uri) = follows::remove_block(&mut tx, me.id, target.id).await? else {
        accounts::get(&mut tx, target.id).await?;
        return Ok(());
    };
    changed(&mut tx, me.id, target.id);
    if !target.is_local() && !withdraw(&mut tx, &uri).await?.was_never_sent() {
        tx.enqueue(Job::DistributeUnblock { account: me.id, target: target.id, uri });
    }
    tx.commit().await?;
    Ok(())
}

/// A remote account blocks a member.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, blocker: &Account, target: &Account, uri: &str) -> Result<()> {
    let mut tx = app.db.write_repeatable().await?;
    follows::insert_block(&mut tx, blocker.id, target.id, uri).await?;
    sever(&mut tx, blocker.id, target.id).await?;
    tx.commit().await?;
    Ok(())
}

/// A remote account ends its block. `false` when there was none.
///
/// # Errors
/// When the database refuses.
pub async fn receive_undo(app: &App, blocker: &Account, target: &Account) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let ended = follows::remove_block(&mut tx, blocker.id, target.id).await?.is_some();
    changed(&mut tx, blocker.id, target.id);
    tx.commit().await?;
    Ok(ended)
}

/// The `Follow` ids of what ended between the two.
struct Ended {
    mine: Option<String>,
    theirs: Option<String>,
}

async fn sever(tx: &mut Tx, me: AccountId, other: AccountId) -> Result<Ended> {
    let asked = follows::find_request(tx, me, other).await?;
    let was_asked = follows::find_request(tx, other, me).await?;
    follows::remove_request(tx, me, other).await?;
    follows::remove_request(tx, other, me).await?;
    let mine = dissolve(tx, me, other).await?.or(asked).map(|f| f.uri);
    let theirs = dissolve(tx, other, me).await?.or(was_asked).map(|f| f.uri);
    notifications::remove_from(tx, me, other).await?;
    homes::remove_author(tx, me, other).await?;
    homes::remove_author(tx, other, me).await?;
    // Also where nobody followed: posts that address the other.
    withdraw_from_former_reader(tx, me, other).await?;
    withdraw_from_former_reader(tx, other, me).await?;
    changed(tx, me, other);
    Ok(Ended { mine, theirs })
}
