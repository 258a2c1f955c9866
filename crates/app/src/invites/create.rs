//! Makes an invite link.

use std::time::Duration;

use domain::account::Role;
use storage::invites::{self, Invite};

use crate::accounts::By;
use crate::error::{Error, Result};
use crate::{App, secrets};

/// How often the link may be used at most, where a number is given.
pub const MAX_USES: i64 = 1_000;
/// How long it may be valid at most, where a time is given.
pub const MAX_VALID: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What the link may do. Without a number or a time it goes on until it is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewInvite {
    pub uses: Option<i64>,
    pub valid: Option<Duration>,
}

/// # Errors
/// [`Error::Forbidden`] for all but moderators; [`Error::Invalid`] on `uses` or `expires` beyond [`MAX_USES`] and
/// [`MAX_VALID`].
pub async fn create(app: &App, by: By<'_>, new: NewInvite) -> Result<Invite> {
    if new.uses.is_some_and(|uses| !(1..=MAX_USES).contains(&uses)) {
        return Err(Error::invalid("uses", format!("must be from 1 to {MAX_USES}")));
    }
    if new.valid.is_some_and(|valid| valid.is_zero() || valid > MAX_VALID) {
        return Err(Error::invalid("expires", "must be at most a year from now"));
    }
    let created_by = match by {
        By::Operator => None,
        By::Member(member) => Some(member.account_id),
    };
    let mut tx = app.db.write().await?;
    by.require(&mut tx, Role::Moderator).await?;
    let now = tx.now();
    let invite = Invite {
        id: tx.id(),
        code: secrets::generate_short(),
        created_by,
        max_uses: new.uses,
        uses: 0,
        expires_at: new.valid.map(|valid| now.plus(valid)),
        revoked_at: None,
        created_at: now,
    };
    invites::insert(&mut tx, &invite).await?;
    tx.commit().await?;
    Ok(invite)
}
