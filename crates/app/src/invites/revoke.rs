//! Takes an invite link back. Whoever joined by it stays.

use domain::account::Role;
use storage::invites;

use crate::App;
use crate::accounts::By;
use crate::error::{Error, Result};

/// # Errors
/// [`Error::Forbidden`] for all but moderators; [`Error::NotFound`] when no link has this code; [`Error::Conflict`]
/// when it was taken back before.
pub async fn revoke(app: &App, by: By<'_>, code: &str) -> Result<()> {
    let mut tx = app.db.write().await?;
    by.require(&mut tx, Role::Moderator).await?;
    let invite = invites::by_code(&mut tx, code).await?.ok_or(Error::NotFound)?;
    if !invites::revoke(&mut tx, invite.id).await? {
        return Err(Error::Conflict("this invite was taken back before"));
    }
    tx.commit().await?;
    Ok(())
}
