//! What can be done with accounts: becoming a member, being let in, changing one's profile, leaving.

pub mod approve;
pub mod change_password;
pub mod change_role;
pub mod create;
pub mod delete;
pub mod disable;
pub mod familiar;
pub mod log_in;
pub mod note;
pub mod profile;
pub mod purge;
pub mod set_up;
pub mod sign_up;

use domain::AccountId;
use domain::account::{Credentials, Member, Role};
use storage::{Tx, members};

use crate::error::{Error, Result};

/// Who asks for something that only those who run the community may do.
///
/// A member's rights are read again in the transaction of the change: whoever lost them since does nothing any more.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Whoever has the machine: the command line.
    Operator,
    Member(&'a Member),
}

impl By<'_> {
    /// The member must have at least this role now, and keeps it until the transaction ends.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn require(self, tx: &mut Tx, role: Role) -> Result<()> {
        self.role(tx, role).await.map(drop)
    }

    /// The member must have at least this role, and a higher one than the member it is done to. Owners may do it to
    /// owners. Whoever changes members by what another one may do has called [`members::lock_owners`] before: two who
    /// do it to each other at once take turns.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn require_above(self, tx: &mut Tx, role: Role, target: &Member) -> Result<()> {
        match self.role(tx, role).await? {
            Some(mine) if mine <= target.role && mine != Role::Owner => {
                Err(Error::Forbidden("she has the same role as you, or a higher one"))
            }
            _ => Ok(()),
        }
    }

    /// The member's role now, at least `least`; `None` for whoever has the machine.
    async fn role(self, tx: &mut Tx, least: Role) -> Result<Option<Role>> {
        let Self::Member(member) = self else { return Ok(None) };
        match members::locked(tx, member.account_id).await {
            Ok(now) if now.is_active() && now.role >= least => Ok(Some(now.role)),
            Ok(_) | Err(storage::Error::NotFound) => {
                Err(Error::Forbidden("only those who run the community may do this"))
            }
            Err(e) => Err(e.into()),
        }
    }
}

/// What came too late: the password was changed meanwhile, or what the member may do.
pub const CHANGED_MEANWHILE: Error =
    Error::Conflict("the password or the account was changed meanwhile: sign in again");

/// The member whom a session, a code or a token is made for, if nothing changed since that was judged; it stays so until
/// the transaction ends.
///
/// # Errors
/// [`CHANGED_MEANWHILE`].
pub(crate) async fn unchanged(tx: &mut Tx, judged: Credentials) -> Result<Member> {
    members::unchanged(tx, judged).await?.ok_or(CHANGED_MEANWHILE)
}

/// A member, and that the community has another owner if she is one: without an owner nobody could run it.
/// Whoever decides the same at the same time waits until this transaction ends.
async fn not_the_last_owner(tx: &mut Tx, id: AccountId) -> Result<Member> {
    members::lock_owners(tx).await?;
    let member = members::locked(tx, id).await?;
    if member.role == Role::Owner && member.disabled_at.is_none() && members::owners(tx).await? < 2 {
        return Err(Error::Forbidden("she is the only owner: make somebody else an owner first"));
    }
    Ok(member)
}

/// Signs her out of every browser and every application; open streams end after commit.
async fn sign_out_everywhere(tx: &mut Tx, id: AccountId) -> Result<()> {
    storage::sessions::remove_all_of(tx, id).await?;
    for token in storage::oauth::revoke_all_of(tx, id).await? {
        tx.emit(domain::event::Event::TokenRevoked { token });
    }
    Ok(())
}
