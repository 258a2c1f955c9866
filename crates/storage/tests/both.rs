//! A fresh, empty database for every test: SQLite in a temporary folder, or PostgreSQL in a database of its own that
//! is dropped afterwards, however the test ends.
//!
//! On PostgreSQL the tables are made once per set of migrations, in a template that every test's database is copied
//! from. The template stays with the server (tests are many processes); `cargo xtask test` throws away both.

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use domain::{Clock, Timestamp};
use sqlx::{Connection, PgConnection};
use storage::{Config, Db};
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Names the environment variable with the address of a PostgreSQL server where databases may be made.
const SERVER: &str = "PORCHLIGHT_TEST_POSTGRES";

/// What a test works with. The clock moves only when told to.
#[derive(Debug, Clone)]
pub struct Fresh {
    pub db: Db,
    pub clock: Clock,
    pub config: Config,
}

impl Fresh {
    /// Another process on the same database, as far as the database can tell.
    pub async fn another(&self) -> Db {
        Db::connect(&self.config, self.clock.clone()).await.unwrap()
    }

    /// Runs statements on the database as they are: a migration once more, or what no function does.
    pub async fn run(&self, sqlite: &'static str, postgres: &'static str) {
        let url = &self.config.url;
        if url.starts_with("sqlite:") {
            let mut conn = sqlx::SqliteConnection::connect(url).await.unwrap();
            sqlx::raw_sql(sqlite).execute(&mut conn).await.unwrap();
        } else {
            let mut conn = sqlx::PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(postgres).execute(&mut conn).await.unwrap();
        }
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

/// Runs a test on a fresh database.
pub async fn on<F>(engine: Engine, test: impl FnOnce(Fresh) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let clock = Clock::manual(Timestamp(1_795_000_000_000));
    let place = Place::make(engine).await;
    let config = Config { url: place.url(), max_connections: 8 };
    let db = Db::connect(&config, clock.clone()).await.unwrap();
    let outcome = tokio::spawn(test(Fresh { db: db.clone(), clock, config })).await;
    db.close().await;
    place.remove().await;
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed.into_panic());
    }
}

/// Two tests of one body, on SQLite and on PostgreSQL: `both!(async fn name(fresh) { … });`
#[macro_export]
macro_rules! both {
    ($($(#[$about:meta])* async fn $name:ident($fresh:ident) $body:block)*) => {$(
        $(#[$about])*
        mod $name {
            use super::*;

            async fn body($fresh: $crate::both::Fresh) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::both::on($crate::both::Engine::Sqlite, body).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::both::on($crate::both::Engine::Postgres, body).await;
            }
        }
    )*};
}

/// Where a test's database is.
#[derive(Debug)]
pub enum Place {
    Sqlite(TempDir),
    Postgres { server: String, name: String },
}

impl Place {
    pub async fn make(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite(tempfile::tempdir().unwrap()),
            Engine::Postgres => {
                let server = std::env::var(SERVER).unwrap_or_else(|_| {
                    panic!("{SERVER} names no PostgreSQL server: run `cargo xtask test`, which starts one")
                });
                let template = template(&server).await;
                let name = format!("porchlight_test_{}_{:08x}", std::process::id(), rand());
                let mut admin = connect(&server, None).await;
                execute(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
                admin.close().await.unwrap();
                Self::Postgres { server, name }
            }
        }
    }

    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("test.db").display()),
            Self::Postgres { server, name } => in_database(server, name),
        }
    }

    pub async fn remove(self) {
        match self {
            Self::Sqlite(folder) => folder.close().unwrap(),
            Self::Postgres { server, name } => {
                let mut admin = connect(&server, None).await;
                execute(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                admin.close().await.unwrap();
            }
        }
    }
}

/// The name of a database with all tables, made by whoever comes first.
async fn template(server: &str) -> String {
    let mut hasher = DefaultHasher::new();
    for migration in sqlx::migrate!("../../migrations/postgres").iter() {
        migration.checksum.hash(&mut hasher);
    }
    let name = format!("porchlight_template_{:016x}", hasher.finish());
    let mut admin = connect(server, None).await;
    execute(&mut admin, "SELECT pg_advisory_lock(7106)".to_owned()).await;
    let exists: Option<(i32,)> = sqlx::query_as("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_optional(&mut admin)
        .await
        .unwrap();
    if exists.is_none() {
        // Under another name until it is whole: a run that is killed half way leaves nothing that is taken for it.
        let draft = format!("porchlight_draft_{}_{:08x}", std::process::id(), rand());
        execute(&mut admin, format!("CREATE DATABASE {draft}")).await;
        let mut inside = connect(server, Some(&draft)).await;
        sqlx::migrate!("../../migrations/postgres").run(&mut inside).await.unwrap();
        inside.close().await.unwrap();
        execute(&mut admin, format!("ALTER DATABASE {draft} RENAME TO {name}")).await;
    }
    // Closing the connection lets go of the lock.
    admin.close().await.unwrap();
    name
}

fn in_database(server: &str, name: &str) -> String {
    let (address, query) = server.split_once('?').map_or((server, None), |(a, q)| (a, Some(q)));
    let after_scheme = address.find("://").map_or(0, |at| at + 3);
    let end = address[after_scheme..].find('/').map_or(address.len(), |at| after_scheme + at);
    let query = query.map(|q| format!("?{q}")).unwrap_or_default();
    format!("{}/{name}{query}", &address[..end])
}

async fn connect(server: &str, name: Option<&str>) -> PgConnection {
    let url = name.map_or_else(|| server.to_owned(), |name| in_database(server, name));
    PgConnection::connect(&url).await.unwrap_or_else(|e| panic!("{SERVER} = {server}: {e}"))
}

async fn execute(conn: &mut PgConnection, statement: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(conn).await.unwrap();
}

/// Differs between tests of one process and between processes.
fn rand() -> u32 {
    use std::hash::BuildHasher as _;
    let random = std::collections::hash_map::RandomState::new().hash_one(std::thread::current().id());
    u32::try_from(random & 0xFFFF_FFFF).unwrap_or_default()
}
