//! Somebody wants to join, in the way the owner allows: at once, by asking, by an invite link, or not at all.

use domain::account::{Account, Role};
use domain::instance::SignUp;
use domain::notification::NotificationKind;
use storage::{invites, members};

use super::create::{Entry, NewMember, insert, prepare};
use super::set_up;
use crate::error::{Error, Result};
use crate::{App, fanout};

/// A new member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    pub account: Account,
    /// She may sign in now; otherwise those who run the community decide.
    pub approved: bool,
}

/// Makes an account for her. An invite lets her in at once, except where joining is closed altogether; its use is
/// counted in the same transaction, so that a link for one never lets in two. Nobody joins before the first member was
/// made: a stranger who was quicker would close the set-up page.
///
/// # Errors
/// [`Error::Forbidden`] where she may not join this way, or not yet; [`Error::Invalid`] on `username`, `email`, `password`,
/// `reason`, or on `invite` when the link is unknown, used up, expired or revoked.
pub async fn sign_up(app: &App, new: &NewMember, invite: Option<&str>) -> Result<Joined> {
    let approved = match (app.config.sign_up, invite) {
        (SignUp::Closed, _) => return Err(Error::Forbidden("this community takes no new members")),
        (SignUp::Invite, None) => return Err(Error::Forbidden("joining needs an invitation")),
        (SignUp::Approval, None) => false,
        (SignUp::Open, None) | (_, Some(_)) => true,
    };
    if set_up::is_open(app).await? {
        return Err(Error::Forbidden("this community is not set up yet: come back in a little while"));
    }
    if let Some(code) = invite {
        // Before the work of hashing; counted for good below.
        let found = invites::by_code(&mut app.db.read().await?, code).await?;
        if !found.is_some_and(|i| i.is_usable(app.now())) {
            return Err(spent());
        }
    }
    let prepared = prepare(app, new).await?;
    let mut tx = app.db.write().await?;
    let invite = match invite {
        Some(code) => Some(invites::take(&mut tx, code).await?.ok_or_else(spent)?.id),
        None => None,
    };
    let entry = Entry { role: Role::Member, approved, confirmed: false, invite };
    let account = insert(app, &mut tx, prepared, entry).await?;
    for staff in members::staff(&mut tx).await? {
        fanout::notify(&mut tx, staff, account.id, NotificationKind::AdminSignUp, None, None).await?;
    }
    tx.commit().await?;
    Ok(Joined { account, approved })
}

fn spent() -> Error {
    Error::invalid("invite", "is no longer valid: ask for a new one")
}
