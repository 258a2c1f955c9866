//! A member wants to see nothing of an account for a while, or for good. The other never learns of it.

use std::time::Duration;

use domain::AccountId;
use domain::account::Account;
use domain::event::Event;
use storage::{accounts, follows, homes};

use super::within_reach;
use crate::App;
use crate::error::{Error, Result};

/// Mutes an account; `duration` `None` = for good.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account; [`Error::Forbidden`] when it is herself.
pub async fn mute(
    app: &App,
    me: &Account,
    target: AccountId,
    hide_notifications: bool,
    duration: Option<Duration>,
) -> Result<()> {
    let mut tx = app.db.write().await?;
    let target = within_reach(&mut tx, me.id, target).await?;
    if target.id == me.id {
        return Err(Error::Forbidden("You can't mute yourself"));
    }
    let ends = duration.map(|d| app.now().plus(d));
    follows::upsert_mute(&mut tx, me.id, target.id, hide_notifications, ends).await?;
    homes::remove_author(&mut tx, me.id, target.id).await?;
    tx.emit(Event::RelationsChanged { account: me.id });
    tx.commit().await?;
    Ok(())
}

/// Of an account that is shown or not.
///
/// # Errors
/// [`Error::NotFound`] when there is no mute, and no such account to be seen.
pub async fn unmute(app: &App, me: &Account, target: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    if !follows::remove_mute(&mut tx, me.id, target).await? {
        accounts::get(&mut tx, target).await?;
        return Ok(());
    }
    tx.emit(Event::RelationsChanged { account: me.id });
    tx.commit().await?;
    Ok(())
}
