//! A member leaves for good. The name and the ids are never given out again.
//!
//! At once: nothing of her is shown, she is signed out, her address is forgotten. Afterwards, by jobs: other servers
//! are told, and what she left is removed ([`super::purge`]).

use domain::AccountId;
use domain::account::{Account, ProfileImage, Role, Standing};
use domain::event::Event;
use domain::job::Job;
use storage::withdrawn::withdraw_account;
use storage::{Tx, accounts, inbox_items, invites, member_addresses, members};

use super::{By, not_the_last_owner, sign_out_everywhere, unchanged};
use crate::App;
use crate::error::{Error, Result};

/// Deletes a member's account. She may do it herself (whoever offers it asks for her password first).
///
/// # Errors
/// [`Error::Forbidden`] for others but admins, and for the only owner; [`Error::NotFound`] when it is no member;
/// [`Error::Conflict`] when the password or the standing of the member who asked changed since.
pub async fn delete(app: &App, by: By<'_>, id: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    let member = not_the_last_owner(&mut tx, id).await?;
    match by {
        By::Member(m) if m.account_id == id => unchanged(&mut tx, m.credentials()).await.map(drop)?,
        by => by.require_above(&mut tx, Role::Admin, &member).await?,
    }
    bury_member(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes somebody who was never let in, if that is still so.
pub(super) async fn who_waits(app: &App, by: By<'_>, id: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    members::lock_owners(&mut tx).await?;
    by.require(&mut tx, Role::Moderator).await?;
    if members::locked(&mut tx, id).await?.standing() != Standing::Waiting {
        return Err(Error::Conflict("she was let in already"));
    }
    bury_member(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

async fn bury_member(tx: &mut Tx, id: AccountId) -> Result<()> {
    let account = accounts::even_hidden(tx, id).await?;
    sign_out_everywhere(tx, id).await?;
    invites::revoke_all(tx, id).await?;
    member_addresses::forget(tx, id).await?;
    members::forget(tx, id).await?;
    tx.enqueue(Job::DistributeAccountDelete { account: id });
    bury(tx, &account).await?;
    // After the tombstone was made: what is being queued now waits for its row, and finds it.
    withdraw_account(tx, id).await?;
    Ok(())
}

/// Makes a tombstone of an account, ours or another server's, and has what it left removed. `false` when it was gone
/// already.
pub(crate) async fn bury(tx: &mut Tx, account: &Account) -> Result<bool> {
    let now = tx.now();
    let keys: Vec<String> =
        [&account.avatar, &account.header].into_iter().flatten().flat_map(ProfileImage::keys).collect();
    if !accounts::bury(tx, account.id, now).await? {
        return Ok(false);
    }
    if !keys.is_empty() {
        tx.enqueue(Job::DeleteMedia { keys });
    }
    if !account.is_local() {
        inbox_items::withdraw_actor(tx, account.id).await?;
    }
    tx.enqueue(Job::PurgeAccount { account: account.id });
    tx.emit(Event::AccountChanged { account: account.id });
    Ok(true)
}
