//! The session on PostgreSQL that holds this process's node number, and what happens when it ends.
//!
//! It ends when PostgreSQL restarts, when another machine takes over for it, or when the network fails; the lock ends
//! with it, and whoever comes may have the number. So it is looked at every few seconds, and whenever another
//! connection is made, since what ends one ends all. Once it is lost nothing is written until a number is held again,
//! and what was begun before it was lost is not committed: no two processes give out the same id.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::IdGenerator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::clock;
use crate::error::{Error, Result};
use crate::node::too_many;

/// Ours among advisory locks ("porc").
const LOCK_CLASS: i32 = 0x706F_7263;
/// How often the session is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// One that does not answer for so long is given up, and so is an attempt to have another.
const PATIENCE: Duration = Duration::from_secs(10);
/// After an attempt that failed nobody tries again for so long.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Session {
    options: PgConnectOptions,
    ids: Arc<IdGenerator>,
    place: Mutex<Place>,
    /// How often a number was taken or lost: odd while one is held.
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct Place {
    conn: Option<PgConnection>,
    /// When it was last tried in vain to have a number.
    tried: Option<Instant>,
}

impl Session {
    /// Takes a number, and keeps it for as long as this is held.
    ///
    /// # Errors
    /// When PostgreSQL cannot be reached, or every number is taken.
    pub(crate) async fn begin(options: &PgConnectOptions, ids: Arc<IdGenerator>) -> Result<Arc<Self>> {
        let (conn, number) = take(options, ids.node()).await?;
        ids.set_node(number);
        let place = Mutex::new(Place { conn: Some(conn), tried: None });
        let session = Arc::new(Self { options: options.clone(), ids, place, changes: AtomicU64::new(1) });
        tokio::spawn(keep(Arc::downgrade(&session)));
        Ok(session)
    }

    /// Since when a number is held. Where it was lost, another is taken, or the same.
    pub(crate) async fn held(&self) -> Result<u64> {
        if let Some(since) = self.since() {
            return Ok(since);
        }
        self.look().await;
        self.since().ok_or_else(|| Error::Unavailable("this process holds no node number at the moment".to_owned()))
    }

    pub(crate) fn is_held_since(&self, then: u64) -> bool {
        self.since() == Some(then)
    }

    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn since(&self) -> Option<u64> {
        Some(self.changes()).filter(|changes| changes % 2 == 1)
    }

    /// Is the session still there? If not, a number is taken anew.
    pub(crate) async fn look(&self) {
        let mut place = self.place.lock().await;
        if let Some(conn) = &mut place.conn {
            if matches!(timeout(PATIENCE, conn.ping()).await, Ok(Ok(()))) {
                return;
            }
            place.conn = None;
            self.changes.fetch_add(1, Ordering::AcqRel);
            tracing::warn!("the connection to the database that holds this process's number is lost: it is taken anew");
        }
        if place.tried.is_some_and(|tried| tried.elapsed() < PAUSE) {
            return;
        }
        let before = self.ids.node();
        let again = timeout(PATIENCE, self.take_again(before)).await;
        match again.unwrap_or_else(|_| Err(Error::Unavailable("no answer".to_owned()))) {
            Ok((conn, number, highest)) => {
                self.ids.set_node(number);
                self.ids.continue_after(highest);
                *place = Place { conn: Some(conn), tried: None };
                self.changes.fetch_add(1, Ordering::AcqRel);
                tracing::info!(before, now = number, "a number is held again");
            }
            Err(error) => {
                place.tried = Some(Instant::now());
                tracing::warn!(%error, "no number can be had: nothing is written until there is one");
            }
        }
    }

    /// With the highest id there is: whoever had the number meanwhile may have had a clock that was ahead.
    async fn take_again(&self, before: u8) -> Result<(PgConnection, u8, i64)> {
        let (mut conn, number) = take(&self.options, before).await?;
        let (highest,): (Option<i64>,) = sqlx::query_as(clock::HIGHEST).fetch_one(&mut conn).await?;
        Ok((conn, number, highest.unwrap_or_default()))
    }
}

/// Looks at the session for as long as somebody has it.
async fn keep(session: Weak<Session>) {
    loop {
        sleep(EVERY).await;
        let Some(session) = session.upgrade() else { return };
        session.look().await;
    }
}

/// Opens a session and takes the first number that is free: `wanted`, if it is.
async fn take(options: &PgConnectOptions, wanted: u8) -> Result<(PgConnection, u8)> {
    let mut conn = options.connect().await?;
    for number in std::iter::once(wanted).chain(0..IdGenerator::NODES) {
        let (got,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_lock($1, $2)")
            .bind(LOCK_CLASS)
            .bind(i32::from(number))
            .fetch_one(&mut conn)
            .await?;
        if got {
            return Ok((conn, number));
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
