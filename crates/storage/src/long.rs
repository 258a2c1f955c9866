//! Reading what may take long from the embedded database: on threads of its own, few at a time, and not for ever.
//!
//! Everything else reads in place (docs/adr/0005), so whoever reads for long would hold up all others.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::record::Record;
use crate::sql::Value;
use crate::sqlite;

/// How many read at a time, per process, on either database.
pub(crate) const READERS: u32 = 2;
/// How long one statement may take, on either database.
pub(crate) const LONGEST: Duration = Duration::from_secs(2);
/// How long to wait for a turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// Steps of SQLite's machine, some tens of microseconds, after which it is seen whether time is over.
const STEPS: i32 = 5_000;

/// Connections for this.
#[derive(Debug)]
pub(crate) struct LongReaders {
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Default for LongReaders {
    fn default() -> Self {
        let readers = usize::try_from(READERS).unwrap_or(1);
        Self { free: Arc::new(Semaphore::new(readers)), idle: Mutex::default() }
    }
}

impl LongReaders {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn read(self: &Arc<Self>, file: &Path) -> Result<Long> {
        let busy = || Error::Unavailable("others are searching".to_owned());
        let closed = || Error::Unavailable("the database is closed".to_owned());
        let turn = timeout(PATIENCE, Arc::clone(&self.free).acquire_owned());
        let turn = Arc::new(turn.await.map_err(|_| busy())?.map_err(|_| closed())?);
        let idle = self.idle().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => sqlite::reader(file)?,
        };
        Ok(Long { conn: Some(conn), readers: Arc::clone(self), turn })
    }

    /// Waits until nobody reads, then closes every connection.
    pub(crate) async fn close(&self) {
        drop(self.free.acquire_many(READERS).await);
        self.free.close();
        self.idle().clear();
    }
}

/// A connection to read with for long; it goes back when this is dropped.
#[derive(Debug)]
pub(crate) struct Long {
    /// `None` after somebody stopped waiting in the middle of a statement, which goes on to its end.
    conn: Option<Connection>,
    readers: Arc<LongReaders>,
    turn: Arc<OwnedSemaphorePermit>,
}

impl Long {
    pub(crate) fn conn(&mut self) -> Result<&mut Connection> {
        self.conn.as_mut().ok_or_else(lost)
    }

    /// The rows of a statement, at most `limit`.
    ///
    /// # Errors
    /// [`Error::TooLong`] after [`LONGEST`].
    pub(crate) async fn rows<T: Record>(
        &mut self,
        text: &'static str,
        values: Vec<Value>,
        limit: usize,
    ) -> Result<Vec<T>> {
        let (give, take) = tokio::sync::oneshot::channel();
        self.apart(Box::new(move |conn| drop(give.send(sqlite::rows(conn, text, &values, false, limit))))).await?;
        take.await.map_err(|e| Error::Internal(e.to_string()))?
    }

    async fn apart(&mut self, ask: Box<dyn FnOnce(&mut Connection) + Send>) -> Result<()> {
        let mut conn = self.conn.take().ok_or_else(lost)?;
        let turn = Arc::clone(&self.turn);
        let read = spawn_blocking(move || {
            let end = Instant::now() + LONGEST;
            conn.progress_handler(STEPS, Some(move || Instant::now() >= end))?;
            ask(&mut conn);
            conn.progress_handler(0, None::<fn() -> bool>)?;
            drop(turn);
            Ok::<_, Error>(conn)
        });
        self.conn = Some(read.await.map_err(|e| Error::Internal(e.to_string()))??);
        Ok(())
    }
}

impl Drop for Long {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take()
            && !self.readers.free.is_closed()
        {
            self.readers.idle().push(conn);
        }
    }
}

fn lost() -> Error {
    Error::Unavailable("the connection was given up".to_owned())
}
