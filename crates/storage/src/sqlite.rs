//! The embedded database: a few connections that read, and one that writes.
//!
//! Statements run in place, on the thread that asks: a look into the database costs a few microseconds, and handing it
//! to another thread costs many times that (docs/adr/0005). So nothing here waits for anything but the disk, and what
//! takes the disk long, copying the log back into the file, is done on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::error::{Error, Result};
use crate::long::{Long, LongReaders};
use crate::record::{Record, Row};
use crate::sql::Value;

/// Connections that read.
const READERS: usize = 4;
/// How long to wait for a connection, or for another process to finish writing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long after a commit the log is copied back into the file: reading is fast while the log is short.
const CHECKPOINT_AFTER: Duration = Duration::from_secs(1);
/// Pages of a log that is long, 16 MB: every page that is read is looked for in it.
const LONG_LOG: i64 = 4_000;

/// The embedded database, opened.
#[derive(Debug)]
pub(crate) struct Sqlite {
    readers: Arc<Readers>,
    long: Arc<LongReaders>,
    writer: Arc<tokio::sync::Mutex<Connection>>,
    /// Told of every commit.
    written: Arc<Notify>,
    checkpoints: AbortHandle,
}

#[derive(Debug)]
pub(crate) struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    free: Arc<Semaphore>,
}

impl Sqlite {
    /// Opens a file whose tables are up to date. Within a tokio runtime.
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let writer = open(file)?;
        writer.pragma_update(None, "wal_autocheckpoint", 0)?;
        writer.pragma_update(None, "cache_size", -8_000)?;
        // Another process may be writing: waited for in `write`, without holding up a thread.
        writer.busy_timeout(Duration::ZERO)?;
        let free = Arc::new(Semaphore::new(READERS));
        let written = Arc::new(Notify::new());
        let writer = Arc::new(tokio::sync::Mutex::new(writer));
        let checkpoints = tokio::spawn(checkpoint(open(file)?, written.clone(), writer.clone())).abort_handle();
        Ok(Self {
            readers: Arc::new(Readers { file: file.into(), idle: Mutex::default(), free }),
            long: Arc::default(),
            writer,
            written,
            checkpoints,
        })
    }

    pub(crate) fn file(&self) -> &Path {
        &self.readers.file
    }

    pub(crate) async fn read(&self) -> Result<Reading> {
        let wait = self.readers.free.clone().acquire_owned();
        let permit = timeout(PATIENCE, wait).await.map_err(|_| busy())?.map_err(|_| closed())?;
        let conn = match self.readers.idle().pop() {
            Some(conn) => conn,
            None => reader(&self.readers.file)?,
        };
        Ok(Reading::Reader { conn: Some(Box::new(conn)), readers: self.readers.clone(), _permit: permit })
    }

    /// To read what may take long.
    pub(crate) async fn read_long(&self) -> Result<Long> {
        self.long.read(&self.readers.file).await
    }

    /// The connection that writes, to read with, if nobody has it now: the pages of what was just written are in its
    /// memory, while every reader forgets all of its pages at a commit.
    pub(crate) async fn glance(&self) -> Result<Reading> {
        match self.writer.clone().try_lock_owned() {
            Ok(writer) if !self.readers.free.is_closed() => Ok(Reading::Writer(writer)),
            _ => self.read().await,
        }
    }

    /// Begins the one transaction that may write now.
    pub(crate) async fn write(&self) -> Result<Writing> {
        let begun = async {
            let conn = self.writer.clone().lock_owned().await;
            let mut pause = Duration::from_millis(1);
            loop {
                if self.readers.free.is_closed() {
                    return Err(closed());
                }
                match conn.execute_batch("BEGIN IMMEDIATE") {
                    Ok(()) => return Ok(Writing { conn, open: true, written: self.written.clone() }),
                    Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => sleep(pause).await,
                    Err(e) => return Err(e.into()),
                }
                pause = (pause * 2).min(Duration::from_millis(50));
            }
        };
        timeout(PATIENCE, begun).await.map_err(|_| busy())?
    }

    /// Empties the log: its old pages still hold what was deleted since they were written. `false` when somebody reads
    /// from it: then it is to be tried again. Nobody writes meanwhile, for a tenth of a second at most and the time it
    /// takes to copy what the last second wrote.
    pub(crate) async fn empty_log(&self) -> Result<bool> {
        let conn = open(&self.readers.file)?;
        conn.busy_timeout(Duration::from_millis(100))?;
        let conn = spawn_blocking(move || {
            copy_back(&conn);
            conn
        });
        let conn = conn.await.map_err(|e| Error::Internal(e.to_string()))?;
        let nobody_writes = self.writer.clone().lock_owned().await;
        let emptied = spawn_blocking(move || {
            let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            drop(nobody_writes);
            Ok::<_, rusqlite::Error>(busy == 0)
        });
        Ok(emptied.await.map_err(|e| Error::Internal(e.to_string()))??)
    }

    /// Waits until nobody reads or writes, then closes every connection.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(READERS).unwrap_or(u32::MAX);
        // It was closed before if nothing can be had.
        drop(self.readers.free.acquire_many(all).await);
        self.readers.free.close();
        self.long.close().await;
        self.checkpoints.abort();
        self.readers.idle().clear();
        let writer = self.writer.lock().await;
        if let Err(error) = writer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::debug!(%error, "the log stays beside the database");
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.checkpoints.abort();
    }
}

impl Readers {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    // The file is not mapped into memory: whoever reads after somebody wrote would unmap and map all of it.
    conn.execute_batch(
        "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -2000;",
    )?;
    // What is deleted is overwritten, in pages that stay and in pages that become free: no text of it stays in the
    // file.
    conn.execute_batch("PRAGMA secure_delete = ON")?;
    // Else a statement is planned anew whenever its values change.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(512);
    Ok(conn)
}

/// A connection to read with.
pub(crate) fn reader(file: &Path) -> Result<Connection> {
    let conn = open(file)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    Ok(conn)
}

fn busy() -> Error {
    Error::Unavailable("the database is busy".to_owned())
}

fn closed() -> Error {
    Error::Unavailable("the database is closed".to_owned())
}

/// A connection to read with; it goes back when this is dropped.
#[derive(Debug)]
pub(crate) enum Reading {
    Reader { conn: Option<Box<Connection>>, readers: Arc<Readers>, _permit: OwnedSemaphorePermit },
    Writer(OwnedMutexGuard<Connection>),
}

impl Reading {
    pub(crate) fn conn(&mut self) -> Result<&mut Connection> {
        match self {
            Self::Reader { conn, .. } => conn.as_deref_mut().ok_or_else(closed),
            Self::Writer(conn) => Ok(conn),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Self::Reader { conn, readers, .. } = self
            && let Some(conn) = conn.take()
        {
            readers.idle().push(*conn);
        }
    }
}

/// The one transaction that writes. Dropped without [`Writing::commit`], nothing of it happened.
#[derive(Debug)]
pub(crate) struct Writing {
    conn: OwnedMutexGuard<Connection>,
    open: bool,
    written: Arc<Notify>,
}

impl Writing {
    pub(crate) fn conn(&mut self) -> &mut Connection {
        &mut self.conn
    }

    pub(crate) fn commit(mut self) -> Result<()> {
        self.conn.execute_batch("COMMIT")?;
        self.open = false;
        self.written.notify_one();
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.open
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "a transaction could not be taken back");
        }
    }
}

/// Copies the log back into the file after it grew, on a thread that may wait for the disk, until it is aborted.
///
/// The log begins anew only if all of it was copied back before somebody writes again. While they write without a
/// pause that never happens: when it has become long, they wait for the rest of it to be copied.
async fn checkpoint(conn: Connection, written: Arc<Notify>, writer: Arc<tokio::sync::Mutex<Connection>>) {
    let mut conn = Some(conn);
    while let Some(with) = conn.take() {
        written.notified().await;
        sleep(CHECKPOINT_AFTER).await;
        let Ok((pages, with)) = spawn_blocking(move || (copy_back(&with), with)).await else { return };
        conn = if pages > LONG_LOG {
            let nobody_writes = writer.clone().lock_owned().await;
            let rest = spawn_blocking(move || {
                copy_back(&with);
                drop(nobody_writes);
                with
            });
            rest.await.ok()
        } else {
            Some(with)
        };
    }
}

/// Copies as much of the log back as can be; how many pages it has.
fn copy_back(conn: &Connection) -> i64 {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1)).unwrap_or_else(|error| {
        tracing::warn!(%error, "the log could not be copied back into the database");
        0
    })
}

/// Runs a statement to its end; how many rows it changed.
pub(crate) fn run(conn: &mut Connection, text: &str, values: &[Value], writes: bool) -> Result<u64> {
    let mut statement = prepare(conn, text, writes)?;
    bind(&mut statement, values)?;
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    drop(rows);
    Ok(if statement.readonly() { 0 } else { conn.changes() })
}

/// The rows of a statement, at most `limit`.
pub(crate) fn rows<T: Record>(
    conn: &mut Connection,
    text: &str,
    values: &[Value],
    writes: bool,
    limit: usize,
) -> Result<Vec<T>> {
    let mut statement = prepare(conn, text, writes)?;
    bind(&mut statement, values)?;
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        found.push(T::from_row(&mut Row::sqlite(row))?);
    }
    Ok(found)
}

/// Makes a statement ready. Only a transaction changes anything, so without one (`writes`) it must not want to.
fn prepare<'c>(conn: &'c Connection, text: &str, writes: bool) -> Result<rusqlite::CachedStatement<'c>> {
    #[cfg(debug_assertions)]
    crate::plans::check(conn, text)?;
    let statement = conn.prepare_cached(text)?;
    if writes || statement.readonly() {
        Ok(statement)
    } else {
        Err(Error::Internal(format!("it was only to be read, by: {text}")))
    }
}

/// Binds every value. SQLite takes what is missing for NULL, so the number is compared.
fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value]) -> Result<()> {
    if statement.parameter_count() != values.len() {
        let (wanted, given) = (statement.parameter_count(), values.len());
        return Err(Error::Internal(format!("a statement has {wanted} placeholders and got {given} values")));
    }
    for (n, value) in values.iter().enumerate() {
        let n = n + 1;
        match value {
            Value::Int(v) => statement.raw_bind_parameter(n, v),
            Value::Bool(v) => statement.raw_bind_parameter(n, v),
            Value::Real(v) => statement.raw_bind_parameter(n, v),
            Value::Text(v) => statement.raw_bind_parameter(n, v),
            Value::Bytes(v) => statement.raw_bind_parameter(n, v),
            Value::Ints(v) => statement.raw_bind_parameter(n, serde_json::to_string(v)?),
            Value::Texts(v) => statement.raw_bind_parameter(n, serde_json::to_string(v)?),
        }?;
    }
    Ok(())
}
