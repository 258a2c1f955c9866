//! Those who run the community let somebody in who asked, or turn her away.

use domain::AccountId;
use domain::account::{Role, Standing};
use domain::event::Event;
use storage::members;

use super::By;
use crate::App;
use crate::error::{Error, Result};

/// Lets her in. Nothing happens when she is in already.
///
/// # Errors
/// [`Error::Forbidden`] for all but moderators; [`Error::NotFound`] when she is no member.
pub async fn approve(app: &App, by: By<'_>, id: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    members::lock_owners(&mut tx).await?;
    by.require(&mut tx, Role::Moderator).await?;
    members::approve(&mut tx, id).await?;
    tx.emit(Event::AccountChanged { account: id });
    tx.commit().await?;
    Ok(())
}

/// Turns her away: what she sent is forgotten, and her name may be asked for again.
///
/// # Errors
/// [`Error::Forbidden`] for all but moderators; [`Error::Conflict`] when she was let in already;
/// [`Error::NotFound`] when she is no member.
pub async fn reject(app: &App, by: By<'_>, id: AccountId) -> Result<()> {
    let mut tx = app.db.write().await?;
    members::lock_owners(&mut tx).await?;
    by.require(&mut tx, Role::Moderator).await?;
    if members::locked(&mut tx, id).await?.standing() != Standing::Waiting {
        return Err(Error::Conflict("she was let in already"));
    }
    match members::erase(&mut tx, id).await {
        Ok(()) => {
            tx.emit(Event::AccountChanged { account: id });
            tx.commit().await?;
            Ok(())
        }
        // Somebody followed or mentioned her meanwhile: then the row stays, as a tombstone.
        Err(storage::Error::Conflict(_)) => {
            drop(tx);
            super::delete::who_waits(app, by, id).await
        }
        Err(e) => Err(e.into()),
    }
}
