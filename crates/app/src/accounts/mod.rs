//! What can be done with this community's own accounts.

pub mod create;

use domain::account::{Member, Role};

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

    /// She must have at least this role, and more than the one it is done to.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_above(self, role: Role, target: &Member) -> Result<()> {
        self.require(role)?;
        match self {
            Self::Member(m) if m.role <= target.role => {
                Err(Error::Forbidden("she has the same role as you, or a higher one"))
            }
            _ => Ok(()),
        }
    }
}
