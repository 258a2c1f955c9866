//! The node number of a process: part of every id it makes, so no two processes may hold the same one. And the right to
//! serve the embedded database, which one process has alone.
//!
//! On PostgreSQL by an advisory lock on a connection of its own ([`Session`]), on SQLite by a lock on a file beside the
//! database. Both end with the process, however it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::IdGenerator;

use crate::db::Config;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::{place, private};

/// The right to serve a database. Held for as long as the server runs.
///
/// The embedded database has one server: live events and what is kept in memory would part between two. PostgreSQL has as
/// many as there are node numbers.
#[derive(Debug)]
pub struct Serving {
    _hold: Option<File>,
}

impl Serving {
    /// To be taken before anything of the database is touched. Commands beside a server never take it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when another process serves this file, or the lock cannot be had.
    pub fn begin(config: &Config) -> Result<Self> {
        let Some(database) = config.file() else { return Ok(Self { _hold: None }) };
        let place = in_its_folder(database)?;
        let mut path = place.into_os_string();
        path.push("-serve");
        let path = PathBuf::from(path);
        let failed = |e: std::io::Error| Error::Unavailable(format!("{}: {e}", path.display()));
        let file = private::lock_file(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _hold: Some(file) }),
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::Unavailable(format!(
                "another server works on {} already, and SQLite is for one; it holds {}",
                database.display(),
                path.display()
            ))),
            Err(std::fs::TryLockError::Error(e)) => Err(failed(e)),
        }
    }
}

/// Where the embedded database is, whatever it is called; its folder is made if it is missing.
///
/// # Errors
/// [`Error::Unavailable`] when that cannot be, or the file has two names.
pub(crate) fn in_its_folder(database: &Path) -> Result<PathBuf> {
    let failed = |e: std::io::Error| Error::Unavailable(format!("{}: {e}", database.display()));
    if let Some(folder) = database.parent().filter(|f| !f.as_os_str().is_empty()) {
        private::make_folder(folder).map_err(failed)?;
    }
    place::of(database).map_err(failed)
}

/// What holds the number of this process, for as long as it lives.
#[derive(Debug)]
pub(crate) enum Node {
    #[expect(dead_code, reason = "held for its lock, which ends when it is dropped")]
    File(File),
    Session(Arc<Session>),
}

impl Node {
    pub(crate) fn of_sqlite(database: &Path, ids: &IdGenerator) -> Result<Self> {
        for number in 0..IdGenerator::NODES {
            let mut path = database.as_os_str().to_owned();
            path.push(format!("-node{number}"));
            let path = Path::new(&path);
            let file = private::lock_file(path).map_err(|e| Error::Unavailable(format!("{}: {e}", path.display())))?;
            match file.try_lock() {
                Ok(()) => {
                    ids.set_node(number);
                    return Ok(Self::File(file));
                }
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(e)) => return Err(Error::Unavailable(e.to_string())),
            }
        }
        Err(too_many())
    }

    /// Since when the number is held, without a break: to be compared by [`Node::is_held_since`] once what began then
    /// is to become true.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it was lost and cannot be had again now.
    pub(crate) async fn held(&self) -> Result<u64> {
        match self {
            Self::File(_) => Ok(0),
            Self::Session(session) => session.held().await,
        }
    }

    /// How often the number was taken or lost.
    pub(crate) fn era(&self) -> u64 {
        match self {
            Self::File(_) => 0,
            Self::Session(session) => session.changes(),
        }
    }

    pub(crate) fn is_held_since(&self, then: u64) -> bool {
        match self {
            Self::File(_) => true,
            Self::Session(session) => session.is_held_since(then),
        }
    }
}

pub(crate) fn too_many() -> Error {
    Error::Unavailable(format!("{} processes already work on this database", IdGenerator::NODES))
}
