//! Who runs the community changes. There is always at least one owner.

use domain::AccountId;
use domain::account::Role;
use domain::event::Event;
use domain::notification::NotificationKind;
use storage::{members, notifications};

use super::{By, not_the_last_owner};
use crate::App;
use crate::error::{Error, Result};

/// # Errors
/// [`Error::Forbidden`] for all but admins, towards somebody of the same role, beyond one's own role, and for the
/// only owner; [`Error::NotFound`] when she is no member.
pub async fn change_role(app: &App, by: By<'_>, id: AccountId, role: Role) -> Result<()> {
    let mut tx = app.db.write().await?;
    members::lock_owners(&mut tx).await?;
    let member = members::locked(&mut tx, id).await?;
    by.require_above(&mut tx, Role::Admin, &member).await?;
    if by.role(&mut tx, Role::Admin).await?.is_some_and(|mine| mine != Role::Owner && mine <= role) {
        return Err(Error::Forbidden("you can only give roles below your own"));
    }
    if role != Role::Owner {
        not_the_last_owner(&mut tx, id).await?;
    }
    storage::accounts::even_hidden(&mut tx, id).await?;
    members::set_role(&mut tx, id, role).await?;
    if role < Role::Moderator {
        // Who asks to join and who is reported is shown to nobody else.
        for kind in NotificationKind::FOR_STAFF {
            notifications::remove_kind(&mut tx, id, kind).await?;
        }
    }
    tx.emit(Event::AccountChanged { account: id });
    tx.commit().await?;
    Ok(())
}
