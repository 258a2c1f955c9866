//! A new password: set by those who run the community when she lost hers, or by herself.
//!
//! Either way everything that was signed in by the old one is signed out.

use domain::AccountId;
use domain::account::Role;
use storage::members;

use super::{By, sign_out_everywhere, unchanged};
use crate::error::{Error, Result};
use crate::{App, passwords};

/// Sets a password without asking for the old one.
///
/// # Errors
/// [`Error::Forbidden`] for all but admins, and towards somebody of the same role; [`Error::Invalid`] on
/// `password`; [`Error::NotFound`] when she is no member.
pub async fn reset_password(app: &App, by: By<'_>, id: AccountId, password: &str) -> Result<()> {
    let hash = passwords::hash(password).await?;
    let mut tx = app.db.write().await?;
    members::lock_owners(&mut tx).await?;
    storage::accounts::even_hidden(&mut tx, id).await?;
    let member = members::locked(&mut tx, id).await?;
    by.require_above(&mut tx, Role::Admin, &member).await?;
    members::set_password(&mut tx, id, &hash).await?;
    sign_out_everywhere(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

/// She sets a new one herself.
///
/// # Errors
/// [`Error::Invalid`] on `current_password` when it is not the old one, on `password` when the new one is too short;
/// [`Error::Conflict`] when the old one was changed, or the account closed, while it was looked at.
pub async fn change_password(app: &App, id: AccountId, current: &str, new: &str) -> Result<()> {
    passwords::check(new)?;
    let member = members::get(&mut app.db.read().await?, id).await?;
    if !passwords::verify(current, member.password_hash.as_deref()).await? {
        return Err(Error::invalid("current_password", "is wrong"));
    }
    let hash = passwords::hash(new).await?;
    let mut tx = app.db.write().await?;
    unchanged(&mut tx, member.credentials()).await?;
    members::set_password(&mut tx, id, &hash).await?;
    sign_out_everywhere(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}
