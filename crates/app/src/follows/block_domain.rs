//! A member wants to see nothing of a whole community, or does again. What was between her and its people ends.

use domain::Host;
use domain::account::Account;
use domain::event::Event;
use storage::withdrawn::withdraw_from_domain;
use storage::{domain_blocks, homes};

use super::{reject, remove, tell_unfollow};
use crate::App;
use crate::error::{Error, Result};

/// Blocks a domain: follows both ways end, and are told to have ended; its posts and what she was told of its people
/// go. Nothing happens when it is blocked already.
///
/// # Errors
/// [`Error::Invalid`] on `domain` when it is none, or this community's own.
pub async fn block_domain(app: &App, me: &Account, domain: &str) -> Result<()> {
    let domain = &name(app, domain)?;
    let mut tx = app.db.write().await?;
    if !domain_blocks::insert(&mut tx, me.id, domain).await? {
        return Ok(());
    }
    for (follower, uri) in domain_blocks::followers_at(&mut tx, me.id, domain).await? {
        reject::end(&mut tx, me, follower, uri).await?;
    }
    for target in domain_blocks::followed_at(&mut tx, me.id, domain).await? {
        if let Some(follow) = remove::write(&mut tx, me.id, target).await? {
            tell_unfollow(&mut tx, me.id, target, follow.uri).await?;
        }
    }
    // Posts that address them without a follow.
    withdraw_from_domain(&mut tx, me.id, domain).await?;
    domain_blocks::clear_notifications(&mut tx, me.id, domain).await?;
    homes::remove_domains(&mut tx, me.id, std::slice::from_ref(domain)).await?;
    tx.emit(Event::RelationsChanged { account: me.id });
    tx.commit().await?;
    Ok(())
}

/// Follows that ended stay ended. Nothing happens when it is not blocked.
///
/// # Errors
/// [`Error::Invalid`] on `domain` when it is none.
pub async fn unblock_domain(app: &App, me: &Account, domain: &str) -> Result<()> {
    let domain = name(app, domain)?;
    let mut tx = app.db.write().await?;
    if domain_blocks::remove(&mut tx, me.id, &domain).await? {
        tx.emit(Event::RelationsChanged { account: me.id });
        tx.commit().await?;
    }
    Ok(())
}

fn name(app: &App, text: &str) -> Result<Host> {
    let name = Host::typed(text).map_err(|why| Error::invalid("domain", why))?;
    if name == *app.urls.own_host() {
        return Err(Error::invalid("domain", "is this community's own"));
    }
    Ok(name)
}
