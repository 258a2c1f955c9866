//! What can be done with accounts: becoming a member, being let in, changing one's profile, leaving.

pub mod approve;
pub mod change_password;
pub mod change_role;
pub mod create;
pub mod delete;
pub mod disable;
pub mod log_in;
pub mod note;
pub mod profile;
pub mod purge;
pub mod set_up;
pub mod sign_up;

use domain::AccountId;
use domain::account::{Member, Role};
use storage::{Tx, members};

use crate::error::{Error, Result};

/// Who asks for something that only those who run the community may do.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Whoever has the machine: the command line.
    Operator,
    Member(&'a Member),
}

impl By<'_> {
    /// She must have at least this role.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require(self, role: Role) -> Result<()> {
        match self {
            Self::Operator => Ok(()),
            Self::Member(m) if m.is_active() && m.role >= role => Ok(()),
            Self::Member(_) => Err(Error::Forbidden("only those who run the community may do this")),
        }
    }

    /// She must have at least this role, and a higher one than the member it is done to. Owners may do it to owners.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_above(self, role: Role, target: &Member) -> Result<()> {
        self.require(role)?;
        match self {
            Self::Member(m) if m.role <= target.role && m.role != Role::Owner => {
                Err(Error::Forbidden("she has the same role as you, or a higher one"))
            }
            _ => Ok(()),
        }
    }
}

/// A member, and that the community has another owner if she is one: without an owner nobody could run it.
/// Whoever decides the same at the same time waits until this transaction ends.
async fn not_the_last_owner(tx: &mut Tx, id: AccountId) -> Result<Member> {
    members::lock_owners(tx).await?;
    let member = members::get(tx, id).await?;
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
