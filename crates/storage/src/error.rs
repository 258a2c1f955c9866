//! What can go wrong with a database, as far as callers need to tell it apart.

use sqlx::migrate::MigrateError;

/// A failed read or write.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The row that was asked for does not exist (or the viewer may not see it).
    #[error("not found")]
    NotFound,
    /// A unique value exists already, or a row it points at does not.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The database cannot answer now; trying again later may help.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// What was asked for took longer than such a question may: [`crate::Db::read_long`].
    #[error("it took too long")]
    TooLong,
    /// A bug, or a damaged database.
    #[error("database error: {0}")]
    Internal(String),
}

pub type Result<T> = std::result::Result<T, Error>;

impl From<sqlx::Error> for Error {
    fn from(e: sqlx::Error) -> Self {
        match &e {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(db) => {
                if db.is_unique_violation() || db.is_foreign_key_violation() {
                    return Self::Conflict(db.message().to_owned());
                }
                match db.code().as_deref() {
                    // PostgreSQL: a statement's time is over, or it was told to stop
                    Some("57014") => Self::TooLong,
                    // PostgreSQL: serialisation, deadlock, shutdown, out of resources, not promoted; a lock that was
                    // waited for too long
                    Some(code)
                        if code.starts_with("40")
                            || code.starts_with("53")
                            || code.starts_with("57")
                            || code.starts_with("08")
                            || matches!(code, "55P03" | "25006") =>
                    {
                        Self::Unavailable(db.message().to_owned())
                    }
                    _ => Self::Internal(e.to_string()),
                }
            }
            // A proxy in front of PostgreSQL hangs up, or answers itself, while there is nothing behind it.
            sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => Self::Unavailable(e.to_string()),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
                Self::Unavailable(e.to_string())
            }
            _ => Self::Internal(e.to_string()),
        }
    }
}

impl From<MigrateError> for Error {
    fn from(e: MigrateError) -> Self {
        Self::Internal(match e {
            MigrateError::VersionMissing(unknown) => format!(
                "a newer version of Porchlight has used this database (it has migration {unknown}, which this version \
                 does not know): start the newer version, or restore a backup from before"
            ),
            e => format!("migration: {e}"),
        })
    }
}

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        use rusqlite::ffi::{
            SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID,
            SQLITE_CONSTRAINT_UNIQUE,
        };
        let rusqlite::Error::SqliteFailure(failure, _) = &e else { return Self::Internal(e.to_string()) };
        match (failure.code, failure.extended_code) {
            (
                _,
                SQLITE_CONSTRAINT_FOREIGNKEY
                | SQLITE_CONSTRAINT_PRIMARYKEY
                | SQLITE_CONSTRAINT_ROWID
                | SQLITE_CONSTRAINT_UNIQUE,
            ) => Self::Conflict(e.to_string()),
            (Code::DatabaseBusy | Code::DatabaseLocked | Code::DiskFull | Code::SystemIoFailure, _) => {
                Self::Unavailable(e.to_string())
            }
            (Code::OperationInterrupted, _) => Self::TooLong,
            _ => Self::Internal(e.to_string()),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(e: serde_json::Error) -> Self {
        Self::Internal(format!("stored JSON: {e}"))
    }
}
