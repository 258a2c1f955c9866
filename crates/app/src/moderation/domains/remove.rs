//! What was decided about another community is taken back: it is as any other again. Follows that ended stay ended.

use domain::account::Role;
use domain::event::Event;
use storage::domains;

use crate::App;
use crate::accounts::By;
use crate::error::{Error, Result};

/// # Errors
/// [`Error::Forbidden`] for all but admins; [`Error::Invalid`] on `domain`; [`Error::NotFound`] when nothing was decided
/// about this very domain.
pub async fn remove(app: &App, by: By<'_>, domain: &str) -> Result<()> {
    let domain = super::other(app, domain)?;
    let mut tx = app.db.write().await?;
    by.require(&mut tx, Role::Admin).await?;
    if !domains::remove(&mut tx, &domain).await? {
        return Err(Error::NotFound);
    }
    tx.emit(Event::SettingsChanged);
    tx.commit().await?;
    Ok(())
}
