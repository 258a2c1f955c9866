//! The node number of a process: part of every id it makes, so no two processes may hold the same one. And the right to
//! serve the embedded database, which one process has alone.
//!
//! On PostgreSQL by an advisory lock on a connection of its own, on SQLite by a lock on a file beside the
//! database. Both end with the process, however it ends.

use std::fs::File;
use std::path::{Path, PathBuf};

use domain::IdGenerator;
use sqlx::{PgConnection, PgPool};

use crate::db::Config;
use crate::error::{Error, Result};
use crate::{place, private};

/// Ours among advisory locks ("porc").
const LOCK_CLASS: i32 = 0x706F_7263;

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
        let Some(database) = config.url.strip_prefix("sqlite://") else { return Ok(Self { _hold: None }) };
        let place = in_its_folder(Path::new(database))?;
        let mut path = place.into_os_string();
        path.push("-serve");
        let path = PathBuf::from(path);
        let failed = |e: std::io::Error| Error::Unavailable(format!("{}: {e}", path.display()));
        let file = private::lock_file(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _hold: Some(file) }),
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::Unavailable(format!(
                "another server works on {database} already, and SQLite is for one; it holds {}",
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

/// Held for as long as the process lives.
#[derive(Debug)]
pub struct Node {
    pub number: u8,
    _hold: Hold,
}

#[derive(Debug)]
#[expect(dead_code, reason = "held for their locks, which end when they are dropped")]
enum Hold {
    File(File),
    /// Taken out of the pool, which could never be closed otherwise.
    Connection(PgConnection),
}

impl Node {
    pub(crate) async fn of_postgres(pool: &PgPool) -> Result<Self> {
        let mut conn = pool.acquire().await?;
        for number in 0..IdGenerator::NODES {
            let (got,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_lock($1, $2)")
                .bind(LOCK_CLASS)
                .bind(i32::from(number))
                .fetch_one(&mut *conn)
                .await?;
            if got {
                return Ok(Self { number, _hold: Hold::Connection(conn.detach()) });
            }
        }
        Err(too_many())
    }

    /// The numbers that living processes hold.
    pub(crate) async fn living(conn: &mut PgConnection) -> Result<Vec<i64>> {
        let rows: Vec<(i64,)> = sqlx::query_as(
            "SELECT CAST(objid AS bigint) FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND CAST(classid AS bigint) = $1 AND objsubid = 2
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .bind(i64::from(LOCK_CLASS))
        .fetch_all(conn)
        .await?;
        Ok(rows.into_iter().map(|(number,)| number).collect())
    }

    pub(crate) fn of_sqlite(database: &Path) -> Result<Self> {
        for number in 0..IdGenerator::NODES {
            let mut path = database.as_os_str().to_owned();
            path.push(format!("-node{number}"));
            let path = Path::new(&path);
            let file = private::lock_file(path).map_err(|e| Error::Unavailable(format!("{}: {e}", path.display())))?;
            match file.try_lock() {
                Ok(()) => return Ok(Self { number, _hold: Hold::File(file) }),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(e)) => return Err(Error::Unavailable(e.to_string())),
            }
        }
        Err(too_many())
    }
}

fn too_many() -> Error {
    Error::Unavailable(format!("{} processes already work on this database", IdGenerator::NODES))
}
