//! A remote account is read for the first time, or anew, or has ended.

use domain::account::{Account, AccountKey, ProfileImage};
use domain::event::Event;
use domain::instance::DomainSeverity;
use domain::job::Job;
use storage::{account_keys, accounts, domains, peers};

use crate::App;
use crate::accounts::delete;
use crate::error::{Error, Result};
use crate::follows::block;

/// The keys that an actor shows beside its first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FurtherKeys {
    pub shown: Vec<AccountKey>,
    /// The ids of all that it calls its own, shown or kept in documents of their own: others are forgotten.
    pub named: Vec<String>,
}

/// Writes what its server says of an account; gives it as it stands in the database. Its id, counters and standing
/// here (`suspended_at`, `silenced_at`) are kept where it is known already.
///
/// Its handle was checked: an account that had it before, under another ActivityPub id, is gone. What was decided about
/// that one holds for whoever has the name now: how it stands in the community, and members' blocks, mutes and notes.
///
/// # Errors
/// [`Error::Forbidden`] when it was deleted before, is one of ours, or its community is blocked; otherwise when the
/// database refuses.
pub async fn receive(app: &App, account: &Account, keys: &FurtherKeys) -> Result<Account> {
    let theirs = account.domain.as_ref().filter(|domain| *domain != app.urls.own_host());
    let Some(domain) = theirs.filter(|_| !app.urls.is_ours(&account.uri)) else {
        return Err(Error::Forbidden("Another server can't describe our accounts"));
    };
    // No queue asks for it once more, and files may go by it.
    let mut tx = app.db.write().await?;
    let new = accounts::is_unheard_of(&mut tx, account).await?;
    if !new && accounts::is_deleted(&mut tx, &account.uri).await? {
        return Err(Error::Forbidden("This account was deleted"));
    }
    let mut account = account.clone();
    let former = match new {
        true => None,
        false => accounts::by_handle(&mut tx, &account.username, account.domain.as_ref()).await?,
    };
    let former = former.filter(|other| other.uri != account.uri);
    if let Some(other) = &former {
        account.suspended_at = account.suspended_at.or(other.suspended_at);
        account.silenced_at = account.silenced_at.or(other.silenced_at);
        delete::bury(&mut tx, other).await?;
        peers::release_handle(&mut tx, other.id).await?;
    }
    let known = match new {
        true => None,
        false => accounts::by_uri(&mut tx, &account.uri).await?,
    };
    if known.is_none() {
        // What was decided about its community holds for whoever of it comes later.
        match domains::policy_for(&mut tx, domain).await? {
            Some(policy) if policy.severity == DomainSeverity::Suspend => {
                return Err(Error::Forbidden("Its community is not connected with this one"));
            }
            Some(policy) => account.silenced_at = account.silenced_at.or(Some(policy.created_at)),
            None => {}
        }
    }
    if let Some(known) = &known {
        let mut gone = carry_over(&mut account.avatar, known.avatar.as_ref());
        gone.extend(carry_over(&mut account.header, known.header.as_ref()));
        if !gone.is_empty() {
            tx.enqueue(Job::DeleteMedia { keys: gone });
        }
    }
    let id = accounts::upsert(&mut tx, &account).await?;
    if known.is_some() {
        account_keys::forget_others(&mut tx, id, &keys.named).await?;
    }
    for key in &keys.shown {
        account_keys::keep(&mut tx, id, key).await?;
    }
    if let Some(former) = &former {
        for member in peers::succeed(&mut tx, former.id, id).await? {
            tx.emit(Event::RelationsChanged { account: member });
        }
        if known.is_some() {
            // (A new row was written so.)
            peers::stand_as(&mut tx, id, &account).await?;
            let successor = accounts::get(&mut tx, id).await?;
            block::end_with_successor(&mut tx, &successor).await?;
        }
    }
    if known.is_some() {
        tx.emit(Event::AccountChanged { account: id });
    }
    let stored = accounts::get(&mut tx, id).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Keeps a key that stands in a document of its own. `federation` has checked that account and key name each other.
///
/// # Errors
/// When the database refuses.
pub async fn keep_key(app: &App, account: &Account, key: &AccountKey) -> Result<()> {
    let mut tx = app.db.write().await?;
    account_keys::keep(&mut tx, account.id, key).await?;
    tx.commit().await?;
    Ok(())
}

/// A picture that is the same as before is not fetched again. What is kept of one that is shown no more: nobody else
/// points at it.
fn carry_over(now: &mut Option<ProfileImage>, before: Option<&ProfileImage>) -> Vec<String> {
    let Some(before) = before else { return Vec::new() };
    match now {
        Some(image) if image.remote_url == before.remote_url => {
            image.key.clone_from(&before.key);
            image.still_key.clone_from(&before.still_key);
            Vec::new()
        }
        _ => before.keys().collect(),
    }
}

/// A remote account ended: its server said so. What it left is removed by a job. `false` when it was gone already.
///
/// # Errors
/// [`Error::Forbidden`] when it is one of ours; otherwise when the database refuses.
pub async fn gone(app: &App, account: &Account) -> Result<bool> {
    if account.is_local() {
        return Err(Error::Forbidden("Another server can't end our accounts"));
    }
    let mut tx = app.db.write().await?;
    let ended = delete::bury(&mut tx, account).await?;
    tx.commit().await?;
    Ok(ended)
}

/// The account could not be read again: it is left as it is for a while.
///
/// # Errors
/// When the database refuses.
pub async fn unreachable(app: &App, account: &Account) -> Result<()> {
    let mut tx = app.db.write().await?;
    let now = tx.now();
    peers::touch_account(&mut tx, account.id, now).await?;
    tx.commit().await?;
    Ok(())
}
