//! Connections: `Db::read()` for looking, `Db::write()` for changing, and the transaction that is the only
//! way to enqueue work or to tell listeners.

pub mod era;

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::event::Event;
use domain::job::Job;
use domain::{Clock, Host, IdGenerator, JobId, Timestamp};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};

use crate::error::{Error, Result};
use crate::hub::{Hub, Queue};
use crate::kept::Kept;
use crate::long::{self, Long};
use crate::node::{Node, in_its_folder};
use crate::postgres::{Held, Lasts, Pool};
use crate::private;
use crate::session::{self, Session};
use crate::sqlite::{Reading, Sqlite, Writing};
use crate::teller::{self, Teller, ends_rights};
use crate::{counts, host_names, hosts, jobs};

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Config {
    /// `sqlite:///absolute/path`, `sqlite://relative/path` or `postgres://…`.
    pub url: String,
    /// Connections to PostgreSQL, per process.
    pub max_connections: u32,
}

impl Config {
    /// The embedded database's file; `None` where it is PostgreSQL.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.url.strip_prefix("sqlite://").map(Path::new)
    }
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pools: Pools,
    hub: Hub,
    ids: Arc<IdGenerator>,
    clock: Clock,
    /// What the clock showed when it was last looked at, in milliseconds: it may step back.
    seen: AtomicI64,
    node: Node,
    /// Tells other processes, where there may be any.
    teller: Option<Teller>,
    /// The numbers that were held when leases of the dead were last ended.
    living: Mutex<Vec<i64>>,
    kept: Arc<Kept>,
}

#[derive(Debug)]
enum Pools {
    Sqlite(Sqlite),
    /// And those of which each statement may take a while.
    Postgres {
        pool: Pool,
        long: Pool,
    },
}

impl Db {
    /// Opens the database, brings its tables up to date and takes a node number.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be reached, [`Error::Internal`] when a migration fails or the
    /// address is none of the two kinds.
    pub async fn connect(config: &Config, clock: Clock) -> Result<Self> {
        let db = if config.url.starts_with("postgres:") || config.url.starts_with("postgresql:") {
            Self::connect_postgres(config, clock).await?
        } else if let Some(path) = config.file() {
            Self::connect_sqlite(path, clock).await?
        } else {
            return Err(Error::Internal("the database address must start with sqlite:// or postgres://".to_owned()));
        };
        db.begin_after_the_past().await?;
        host_names::migrate(&db).await?;
        Ok(db)
    }

    async fn connect_postgres(config: &Config, clock: Clock) -> Result<Self> {
        let options: PgConnectOptions = config.url.parse()?;
        let options = options.application_name("porchlight").statement_cache_capacity(512).disable_statement_logging();
        reach(&options).await?;
        // On a connection whose statements may take their time.
        let one = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        sqlx::migrate!("../../migrations/postgres").run(&one).await?;
        one.close().await;
        let pool = Pool::new(options.clone(), config.max_connections.max(2), None);
        let long = Pool::new(options.clone(), long::READERS, Some(long::LONGEST));
        let hub = Hub::default();
        hub.listen(&options).await?;
        let ids = Arc::new(IdGenerator::new(clock.clone(), 0));
        let session = Session::begin(&options, ids.clone()).await?;
        pool.look_at(&session);
        long.look_at(&session);
        let teller = Teller::begin(&options);
        Ok(Self::assemble(Pools::Postgres { pool, long }, hub, Node::Session(session), ids, clock, Some(teller)))
    }

    async fn connect_sqlite(path: &Path, clock: Clock) -> Result<Self> {
        let file = in_its_folder(path)?;
        let ids = Arc::new(IdGenerator::new(clock.clone(), 0));
        let node = Node::of_sqlite(&file, &ids)?;
        migrate_sqlite(&file).await?;
        Ok(Self::assemble(Pools::Sqlite(Sqlite::open(&file)?), Hub::default(), node, ids, clock, None))
    }

    fn assemble(
        pools: Pools,
        hub: Hub,
        node: Node,
        ids: Arc<IdGenerator>,
        clock: Clock,
        teller: Option<Teller>,
    ) -> Self {
        let seen = AtomicI64::new(clock.now().0);
        let living = Mutex::default();
        Self { inner: Arc::new(Inner { pools, hub, ids, clock, seen, node, teller, living, kept: Arc::default() }) }
    }

    /// What the clock showed when it was looked at last.
    pub(crate) fn last_seen(&self) -> Timestamp {
        Timestamp(self.inner.seen.load(Ordering::Relaxed))
    }

    pub(crate) fn has_seen(&self, now: Timestamp) {
        self.inner.seen.store(now.0, Ordering::Relaxed);
    }

    /// A connection for reading. Hold one per request, not one per query.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none is free within 30 s.
    pub async fn read(&self) -> Result<Conn> {
        let kind = match &self.inner.pools {
            Pools::Sqlite(sqlite) => Kind::Sqlite(sqlite.read().await?),
            Pools::Postgres { pool, .. } => Kind::Postgres(Held::plain(pool).await?),
        };
        Ok(Conn { kind, kept: self.inner.kept.clone() })
    }

    /// As [`Db::read`], for what may take long: what it is asked is answered apart from everything else, for two who
    /// ask at a time, and given up after two seconds each.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is nobody's turn within 10 s (30 s on PostgreSQL). Whatever is asked fails with
    /// [`Error::TooLong`] when its time is over.
    pub async fn read_long(&self) -> Result<Conn> {
        let kind = match &self.inner.pools {
            Pools::Sqlite(sqlite) => Kind::SqliteLong(sqlite.read_long().await?),
            Pools::Postgres { long, .. } => Kind::Postgres(Held::plain(long).await?),
        };
        Ok(Conn { kind, kept: self.inner.kept.clone() })
    }

    /// As [`Db::read`], for a few rows around a change: what was just written, or what is about to be. It may be the
    /// one connection that writes, so it is dropped before anything else is waited for: [`Db::write`], the network.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn glance(&self) -> Result<Conn> {
        let kind = match &self.inner.pools {
            Pools::Sqlite(sqlite) => Kind::Sqlite(sqlite.glance().await?),
            Pools::Postgres { pool, .. } => Kind::Postgres(Held::plain(pool).await?),
        };
        Ok(Conn { kind, kept: self.inner.kept.clone() })
    }

    /// A transaction for writing. On SQLite there is one at a time: keep it short, never use the network in it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none can be begun within 30 s.
    pub async fn write(&self) -> Result<Tx> {
        self.begin(Lasts::Surely).await
    }

    /// As [`Db::write`], for what is done once more if it is lost: what a worker takes from a queue or says of what is
    /// done, and what another server said, which waits in its queue until a later transaction settles it. PostgreSQL
    /// need not have it on its disk before it goes on.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_repeatable(&self) -> Result<Tx> {
        self.begin(Lasts::Probably).await
    }

    /// As [`Db::write`], for a change that is a single statement on PostgreSQL, and happens when that is run: it says
    /// no more than listeners are to be told, and asks for no work.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_once(&self) -> Result<Tx> {
        let Pools::Postgres { pool, .. } = &self.inner.pools else { return self.write().await };
        let held = self.inner.node.held().await?;
        let conn = Conn { kind: Kind::PostgresTx(Held::plain(pool).await?), kept: self.inner.kept.clone() };
        Ok(Tx::new(conn, self.clone(), held))
    }

    async fn begin(&self, lasts: Lasts) -> Result<Tx> {
        let held = self.inner.node.held().await?;
        let kind = match &self.inner.pools {
            Pools::Sqlite(sqlite) => Kind::SqliteTx(sqlite.write().await?),
            Pools::Postgres { pool, .. } => Kind::PostgresTx(Held::write(pool, lasts).await?),
        };
        let conn = Conn { kind, kept: self.inner.kept.clone() };
        Ok(Tx::new(conn, self.clone(), held))
    }

    /// The number that this process holds alone.
    #[must_use]
    pub fn node(&self) -> u8 {
        self.inner.ids.node()
    }

    /// Wakes workers, and tells listeners in all processes what was committed.
    async fn tell(&self, wakes: &[Queue], rights: &[Event], rest: &[Event]) -> Result<()> {
        wakes.iter().for_each(|queue| self.hub().wake(*queue));
        // Here nothing may be believed any more that ended. Hearing of it twice does no harm.
        rights.iter().cloned().for_each(|event| self.hub().deliver(event));
        match &self.inner.teller {
            Some(teller) if !rest.is_empty() => teller.tell(rest).await,
            _ => Ok(()),
        }
    }

    /// The numbers that were held when this was asked last; `now` are those that are.
    pub(crate) fn held_before(&self, now: Vec<i64>) -> Vec<i64> {
        std::mem::replace(&mut *self.inner.living.lock().unwrap_or_else(PoisonError::into_inner), now)
    }

    /// Live events and wake-up calls.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    /// Makes ids that no other process on this database makes.
    #[must_use]
    pub fn ids(&self) -> &IdGenerator {
        &self.inner.ids
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Is this the embedded database?
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self.inner.pools, Pools::Sqlite(_))
    }

    /// The embedded database's file; `None` where it is PostgreSQL.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.inner.pools {
            Pools::Sqlite(sqlite) => Some(sqlite.file()),
            Pools::Postgres { .. } => None,
        }
    }

    /// So that nothing which was deleted stays in a file of the embedded database: empties its log. (The file itself is
    /// cleaned when something is deleted.) On PostgreSQL, and while somebody reads without a pause, nothing happens.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn forget_deleted(&self) -> Result<()> {
        let Pools::Sqlite(sqlite) = &self.inner.pools else { return Ok(()) };
        for _ in 0..20 {
            if sqlite.empty_log().await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        tracing::warn!(
            "the database's log could not be emptied: somebody reads all the time; it is tried again in an hour"
        );
        Ok(())
    }

    /// Closes every connection, after what is running has ended.
    pub async fn close(&self) {
        match &self.inner.pools {
            Pools::Sqlite(sqlite) => sqlite.close().await,
            Pools::Postgres { pool, long } => {
                self.hub().stop();
                tokio::join!(pool.close(), long.close());
            }
        }
    }
}

/// Why PostgreSQL cannot be reached, at once and in its own words: a pool tries for as long as it may and then says
/// only that time is over.
async fn reach(options: &PgConnectOptions) -> Result<()> {
    let first = tokio::time::timeout(Duration::from_secs(10), PgConnection::connect_with(options));
    let silent = || Error::Unavailable("no answer within 10 s".to_owned());
    first.await.map_err(|_| silent())??.close().await?;
    Ok(())
}

/// sqlx takes no lock of its own on SQLite; two processes starting at once would both migrate.
async fn migrate_sqlite(file: &Path) -> Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push("-migrate");
    let lock = tokio::task::spawn_blocking(move || {
        let lock = private::lock_file(Path::new(&name))?;
        lock.lock()?;
        Ok::<_, std::io::Error>(lock)
    })
    .await
    .map_err(|e| Error::Internal(e.to_string()))?
    .map_err(|e| Error::Unavailable(e.to_string()))?;
    // What SQLite puts beside the file takes over its mode.
    private::make_file(file).map_err(|e| Error::Unavailable(format!("{}: {e}", file.display())))?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(30))
        .pragma("secure_delete", "ON")
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let (tables,): (i64,) = sqlx::query_as("SELECT count(*) FROM sqlite_master").fetch_one(&pool).await?;
    sqlx::migrate!("../../migrations/sqlite").run(&pool).await?;
    clean_once(&pool, tables == 0).await?;
    pool.close().await;
    drop(lock);
    Ok(())
}

/// What earlier versions deleted may still lie in free parts of the file: it is written anew, once.
async fn clean_once(pool: &SqlitePool, fresh: bool) -> Result<()> {
    // Kept in the file for its application; 0 in files of earlier versions.
    let (cleaned,): (i64,) = sqlx::query_as("PRAGMA user_version").fetch_one(pool).await?;
    if cleaned > 0 {
        return Ok(());
    }
    if !fresh {
        tracing::info!("the database is written anew once, so that nothing which was deleted stays in its file");
        if let Err(error) = pool.execute("VACUUM").await {
            tracing::warn!(%error, "the database could not be written anew; it is tried again at the next start");
            return Ok(());
        }
    }
    pool.execute("PRAGMA user_version = 1").await?;
    Ok(())
}

/// A connection, in a transaction or not.
#[derive(Debug)]
pub struct Conn {
    kind: Kind,
    /// What was read before, by version.
    pub(crate) kept: Arc<Kept>,
}

#[derive(Debug)]
enum Kind {
    Sqlite(Reading),
    SqliteLong(Long),
    SqliteTx(Writing),
    Postgres(Held),
    PostgresTx(Held),
}

/// The database's own connection, for `sql` alone.
pub(crate) enum Raw<'c> {
    /// And whether it is in a transaction that may write.
    Sqlite(&'c mut rusqlite::Connection, bool),
    Postgres(&'c mut PgConnection),
}

impl Conn {
    /// What is read here was committed: a transaction reads its own changes too, which may never come to be.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.kind, Kind::Sqlite(_) | Kind::SqliteLong(_) | Kind::Postgres(_))
    }

    /// Is this the embedded database?
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.kind, Kind::Sqlite(_) | Kind::SqliteLong(_) | Kind::SqliteTx(_))
    }

    /// Where rows are read on another thread.
    pub(crate) fn long(&mut self) -> Option<&mut Long> {
        match &mut self.kind {
            Kind::SqliteLong(long) => Some(long),
            _ => None,
        }
    }

    /// All has come that was asked for by [`Conn::raw`].
    pub(crate) fn answered(&mut self) {
        if let Kind::Postgres(c) | Kind::PostgresTx(c) = &mut self.kind {
            c.answered();
        }
    }

    pub(crate) fn raw(&mut self) -> Result<Raw<'_>> {
        Ok(match &mut self.kind {
            Kind::Sqlite(c) => Raw::Sqlite(c.conn()?, false),
            Kind::SqliteLong(c) => Raw::Sqlite(c.conn()?, false),
            Kind::SqliteTx(c) => Raw::Sqlite(c.conn(), true),
            Kind::Postgres(c) | Kind::PostgresTx(c) => Raw::Postgres(c.conn()?),
        })
    }
}

/// A transaction, and the only outbox: jobs are stored with the change that asks for them, listeners hear of
/// it only after it was committed. Dropped without [`Tx::commit`], nothing of it happened.
#[derive(Debug)]
pub struct Tx {
    conn: Conn,
    db: Db,
    /// Since when this process holds its number: see [`Node::held`].
    held: u64,
    jobs: Vec<Job>,
    moves: counts::Moves,
    hosts: BTreeSet<Host>,
    wakes: Vec<Queue>,
    events: Vec<Event>,
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

impl Tx {
    fn new(conn: Conn, db: Db, held: u64) -> Self {
        let (jobs, moves, hosts, wakes, events) = Default::default();
        Self { conn, db, held, jobs, moves, hosts, wakes, events }
    }

    /// A new id.
    #[must_use]
    pub fn id<I: From<i64>>(&self) -> I {
        self.db.ids().next()
    }

    #[must_use]
    pub fn now(&self) -> domain::Timestamp {
        self.db.clock().now()
    }

    pub(crate) fn node(&self) -> i64 {
        i64::from(self.db.node())
    }

    /// The numbers that are held by processes now. (The embedded database has one server process: this one. A command
    /// beside it claims nothing.)
    pub(crate) async fn living(&mut self) -> Result<Vec<i64>> {
        match &mut self.conn.kind {
            Kind::PostgresTx(pg) => session::living(pg.conn()?).await,
            _ => Ok(vec![self.node()]),
        }
    }

    /// Asks for work to be done after commit.
    pub fn enqueue(&mut self, job: Job) {
        self.jobs.push(job);
    }

    /// Tells listeners, after commit.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Wakes this process's workers of a queue, after commit. Those of others look each second.
    pub fn wake(&mut self, queue: Queue) {
        if !self.wakes.contains(&queue) {
            self.wakes.push(queue);
        }
    }

    /// Counters that move at the end.
    pub(crate) fn moves(&mut self) -> &mut counts::Moves {
        &mut self.moves
    }

    /// Something waits for this host: it has a turn after commit.
    pub(crate) fn call_host(&mut self, host: &Host) {
        if !self.hosts.contains(host) {
            self.hosts.insert(host.clone());
        }
    }

    /// Calls them now: nothing else is locked after that.
    pub(crate) async fn call_hosts(&mut self) -> Result<()> {
        if self.hosts.is_empty() {
            return Ok(());
        }
        let hosts: Vec<Host> = std::mem::take(&mut self.hosts).into_iter().collect();
        let now = self.now();
        hosts::call(&mut self.conn, &hosts, now).await
    }

    /// What follows may take longer than anybody waits: a change of all there is, once.
    pub(crate) async fn take_time(&mut self) -> Result<()> {
        if let Kind::PostgresTx(tx) = &mut self.conn.kind {
            tx.conn()?.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
        }
        Ok(())
    }

    /// Until this transaction ends, no other process does this. The embedded database has one writer anyway.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn alone(&mut self, at: &'static str) -> Result<()> {
        if let Kind::PostgresTx(tx) = &mut self.conn.kind {
            sqlx::query("SELECT pg_advisory_xact_lock(hashtext($1))").bind(at).execute(tx.conn()?).await?;
        }
        Ok(())
    }

    /// Makes it so.
    ///
    /// # Errors
    /// When the database refuses; then nothing of the transaction happened.
    pub async fn commit(mut self) -> Result<()> {
        let now = self.now();
        for job in std::mem::take(&mut self.jobs) {
            let id: JobId = self.id();
            jobs::insert(&mut self.conn, id, &job, now).await?;
            self.wake(Queue::Jobs);
        }
        // Rows that others wait for come last.
        counts::settle(&mut self).await?;
        self.call_hosts().await?;
        if !self.db.inner.node.is_held_since(self.held) {
            return Err(Error::Unavailable("this process lost its node number before it was done".to_owned()));
        }
        match self.conn.kind {
            Kind::SqliteTx(tx) => {
                tx.commit()?;
                self.wakes.into_iter().for_each(|queue| self.db.hub().wake(queue));
                self.events.into_iter().for_each(|event| self.db.hub().deliver(event));
            }
            Kind::PostgresTx(mut tx) => {
                let (rights, rest): (Vec<Event>, Vec<Event>) = self.events.into_iter().partition(ends_rights);
                if !rights.is_empty() {
                    teller::notify(tx.conn()?, &teller::written(&rights)?).await?;
                }
                let (db, wakes) = (self.db, self.wakes);
                // To its end, whether or not anybody still waits for it.
                let end = tokio::spawn(async move {
                    let committed = tx.commit().await;
                    // Where no answer came it may have come to be: hearing of what did not happen does no harm.
                    db.tell(&wakes, &rights, &rest).await?;
                    committed
                });
                end.await.map_err(|e| Error::Internal(e.to_string()))??;
            }
            Kind::Sqlite(_) | Kind::SqliteLong(_) | Kind::Postgres(_) => {}
        }
        Ok(())
    }
}
