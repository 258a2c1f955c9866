//! A database for one test, of either kind, gone when the test ends.

use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

/// Names the PostgreSQL server that tests may make databases on.
pub const POSTGRES: &str = "PORCHLIGHT_TEST_POSTGRES";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A fresh, empty database.
#[derive(Debug)]
pub struct Database {
    pub url: String,
    keep: Keep,
}

#[derive(Debug)]
enum Keep {
    #[expect(dead_code, reason = "held until the test ends")]
    Folder(TempDir),
    Postgres(String),
}

impl Database {
    /// # Panics
    /// When PostgreSQL is wanted and the environment does not name a server.
    pub async fn fresh(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}", folder.path().join("porchlight.db").display());
                Self { url, keep: Keep::Folder(folder) }
            }
            Engine::Postgres => {
                let name = format!("porchlight_{}", random_name());
                let mut admin = PgConnection::connect(&server()).await.expect("PostgreSQL answers");
                let make = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
                admin.execute(make).await.expect("a database can be made");
                let mut url = url::Url::parse(&server()).unwrap();
                url.set_path(&name);
                Self { url: url.to_string(), keep: Keep::Postgres(name) }
            }
        }
    }
}

fn server() -> String {
    std::env::var(POSTGRES).unwrap_or_else(|_| panic!("{POSTGRES} is not set: run the tests by `cargo xtask test`"))
}

fn random_name() -> String {
    let mut bytes = [0u8; 8];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

impl Drop for Database {
    fn drop(&mut self) {
        let Keep::Postgres(name) = &self.keep else { return };
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let server = server();
        // A runtime of its own: the test's may be ending.
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&server).await.ok()?;
                admin.execute(sqlx::AssertSqlSafe(drop)).await.ok()
            })
        });
        drop_quietly(ended.join());
    }
}

fn drop_quietly<T>(_: T) {}
