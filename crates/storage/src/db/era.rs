//! Whether what this process wrote can have been lost since.
//!
//! What [`Db::write_repeatable`] commits on PostgreSQL is lost if PostgreSQL ends suddenly before it is on the disk.
//! The session that holds this process's node number ends then too, and a new era begins. A worker notes the era before
//! it does something, and settles it as done only in a transaction of the same era; else it is done once more.

use super::{Db, Tx};

/// A time in which nothing was lost. The embedded database has one, which lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Era(u64);

impl Db {
    /// The era that it is now.
    #[must_use]
    pub fn era(&self) -> Era {
        Era(self.inner.node.era())
    }
}

impl Tx {
    /// Is everything there that was committed since then? Where this transaction commits, it was.
    #[must_use]
    pub fn is_of(&self, era: Era) -> bool {
        self.held == era.0
    }
}
