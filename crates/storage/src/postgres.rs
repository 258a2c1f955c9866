//! PostgreSQL: connections, kept for whoever is next, and transactions on them.
//!
//! Whoever asks may stop waiting at any moment, in the middle of a statement: an app closes its connection, a deadline
//! passes. What was sent is done by the database all the same. So a connection says that an answer is still to come, or
//! that a transaction may be open, before it asks for one, and is there for the next only when neither is so: then it
//! costs no further question to the database. (A pool of `sqlx`'s asks after each use whether the connection still
//! lives, which is a third of what a small request costs.)

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::session::Session;

/// How long the database may take to end what nobody waits for any more. After that the connection is closed, which
/// ends it too.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what runs may go on when connections are closed: whoever closes them has waited before.
const ENOUGH: Duration = Duration::from_secs(2);
/// How long one waits for a connection.
const WAIT: Duration = Duration::from_secs(30);
/// After so long a connection is looked at before it is used again.
const IDLE: Duration = Duration::from_secs(1);
/// One that nobody used for so long is closed, and so is one that is so old: what a session remembers grows.
const UNUSED: Duration = Duration::from_secs(10 * 60);
const OLD: Duration = Duration::from_secs(60 * 60);

/// Planning takes longer than most of our statements run, and none of them is better planned for certain values; nor is
/// any long enough to be worth compiling. No statement runs for longer than half a minute, and none waits for a lock
/// for longer than a third of that. Notices tell nothing that we did not know.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET jit = off; SET statement_timeout = '30s';
    SET lock_timeout = '10s'; SET client_min_messages = error";

/// Connections of this process.
#[derive(Debug, Clone)]
pub(crate) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: PgConnectOptions,
    most: u32,
    /// How long a statement may take, where that is not what [`SETTINGS`] say.
    longest: Option<Duration>,
    places: Arc<Semaphore>,
    /// Those that nobody has; the last one that was used comes last.
    idle: Mutex<Vec<Kept>>,
    /// The sessions, by the database's number for them, of those that somebody has.
    used: Mutex<BTreeSet<i32>>,
    /// Looked at whenever a connection is made: what ended those before it may have ended this one too.
    session: OnceLock<Weak<Session>>,
}

#[derive(Debug)]
struct Kept {
    conn: PgConnection,
    session: i32,
    made: Instant,
    used: Instant,
}

impl Pool {
    pub(crate) fn new(options: PgConnectOptions, most: u32, longest: Option<Duration>) -> Self {
        Self(Arc::new(Shared {
            options,
            most,
            longest,
            places: Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(1))),
            idle: Mutex::default(),
            used: Mutex::default(),
            session: OnceLock::new(),
        }))
    }

    pub(crate) fn look_at(&self, session: &Arc<Session>) {
        // It is empty: nothing else sets it.
        let _ = self.0.session.set(Arc::downgrade(session));
    }

    async fn get(&self) -> Result<Held> {
        let closed = || Error::Unavailable("the database is closed".to_owned());
        let place = timeout(WAIT, Arc::clone(&self.0.places).acquire_owned())
            .await
            .map_err(|_| Error::Unavailable("no connection to the database was free in time".to_owned()))?
            .map_err(|_| closed())?;
        let kept = loop {
            let Some(mut kept) = self.0.idle().pop() else { break self.0.connect().await? };
            if kept.used.elapsed() < IDLE || matches!(timeout(PATIENCE, kept.conn.ping()).await, Ok(Ok(()))) {
                break kept;
            }
        };
        self.0.used().insert(kept.session);
        Ok(Held { pool: Arc::clone(&self.0), kept: Some(kept), place: Some(place), open: false, waits: false })
    }

    /// Waits for what runs, then ends it, and closes every connection.
    pub(crate) async fn close(&self) {
        let most = self.0.most;
        if timeout(ENOUGH, self.0.places.acquire_many(most)).await.is_err() {
            self.0.cancel().await;
            let _ = timeout(PATIENCE, self.0.places.acquire_many(most)).await;
        }
        self.0.places.close();
        let idle = std::mem::take(&mut *self.0.idle());
        for kept in idle {
            let _ = timeout(PATIENCE, kept.conn.close()).await;
        }
    }
}

impl Shared {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn used(&self) -> std::sync::MutexGuard<'_, BTreeSet<i32>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Kept> {
        if let Some(session) = self.session.get().and_then(Weak::upgrade) {
            session.look().await;
        }
        let connect = async {
            let mut conn = self.options.connect().await?;
            conn.execute(SETTINGS).await?;
            if let Some(longest) = self.longest {
                let longest = format!("{} ms", longest.as_millis());
                sqlx::query("SELECT set_config('statement_timeout', $1, FALSE)")
                    .bind(longest)
                    .execute(&mut conn)
                    .await?;
            }
            let (session,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()").fetch_one(&mut conn).await?;
            Ok::<_, sqlx::Error>((conn, session))
        };
        let silent = || Error::Unavailable("the database does not answer".to_owned());
        let (conn, session) = timeout(WAIT, connect).await.map_err(|_| silent())??;
        let now = Instant::now();
        Ok(Kept { conn, session, made: now, used: now })
    }

    /// For the next who asks, unless it is old; and closes what nobody needs.
    fn keep(&self, mut kept: Kept) {
        let now = Instant::now();
        kept.used = now;
        let mut idle = self.idle();
        if now - kept.made < OLD && !self.places.is_closed() {
            idle.push(kept);
        }
        if idle.first().is_some_and(|first| now - first.used > UNUSED) {
            idle.remove(0);
        }
    }

    /// Ends the statements that run: the process stops.
    async fn cancel(&self) {
        let sessions: Vec<i32> = self.used().iter().copied().collect();
        tracing::warn!(
            statements = sessions.len(),
            "the database is still busy with what it was asked: it is told to stop"
        );
        let cancel = async {
            let mut conn = self.options.connect().await?;
            sqlx::query("SELECT pg_cancel_backend(pid) FROM unnest($1) AS pid")
                .bind(sessions)
                .execute(&mut conn)
                .await?;
            conn.close().await
        };
        if let Ok(Err(error)) = timeout(PATIENCE, cancel).await {
            tracing::warn!(%error, "it could not be told");
        }
    }
}

/// A connection, held by one who asks.
#[derive(Debug)]
pub(crate) struct Held {
    pool: Arc<Shared>,
    /// `None` once it is given back.
    kept: Option<Kept>,
    place: Option<OwnedSemaphorePermit>,
    /// A transaction is open on it, or may be.
    open: bool,
    /// An answer is still to come on it, or may be.
    waits: bool,
}

/// What becomes of a transaction when the database's machine stops in the moment after it was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// It is there: the database has it on its disk before it says so.
    Surely,
    /// It may be lost, and that is no harm: it is done once more, which changes nothing
    /// ([`crate::Db::write_repeatable`]).
    Probably,
}

impl Held {
    /// Without a transaction: each statement is one of its own.
    pub(crate) async fn plain(pool: &Pool) -> Result<Self> {
        pool.get().await
    }

    /// With a transaction begun on it. Dropped without [`Held::commit`], nothing of it happened.
    pub(crate) async fn write(pool: &Pool, lasts: Lasts) -> Result<Self> {
        let mut held = pool.get().await?;
        held.open = true;
        let begin = match lasts {
            Lasts::Surely => "BEGIN",
            Lasts::Probably => "BEGIN; SET LOCAL synchronous_commit = off",
        };
        held.conn()?.execute(begin).await?;
        held.answered();
        Ok(held)
    }

    /// To ask the database something; then [`Held::answered`].
    pub(crate) fn conn(&mut self) -> Result<&mut PgConnection> {
        self.waits = true;
        let given_back = || Error::Unavailable("the connection was given back".to_owned());
        self.kept.as_mut().map(|kept| &mut kept.conn).ok_or_else(given_back)
    }

    /// All has come that was asked for.
    pub(crate) fn answered(&mut self) {
        self.waits = false;
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.open {
            self.conn()?.execute("COMMIT").await?;
            (self.open, self.waits) = (false, false);
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut kept) = self.kept.take() else { return };
        let pool = Arc::clone(&self.pool);
        if !self.open && !self.waits {
            pool.used().remove(&kept.session);
            pool.keep(kept);
            return;
        }
        let (open, place) = (self.open, self.place.take());
        let Ok(runtime) = Handle::try_current() else {
            pool.used().remove(&kept.session);
            return;
        };
        runtime.spawn(async move {
            // Whatever is under way on it ends first.
            let end =
                async { if open { kept.conn.execute("ROLLBACK").await.map(drop) } else { kept.conn.ping().await } };
            let ended = timeout(PATIENCE, end).await;
            pool.used().remove(&kept.session);
            match ended {
                Ok(Ok(())) => pool.keep(kept),
                // The connection ends with what was on it.
                Ok(Err(error)) => tracing::debug!(%error, "a connection is closed"),
                Err(_) => tracing::warn!("what nobody waits for does not end: its connection is closed"),
            }
            drop(place);
        });
    }
}
