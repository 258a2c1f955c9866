//! Whole servers for tests: each with a database of its own (either kind), real sockets, a name under `.localhost`,
//! and people who use it through the client API. Never part of the program.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a step that fails here is a test that fails"
)]

pub mod database;
pub mod instance;
pub mod listener;
pub mod person;
pub mod process;
pub mod remote;

pub use database::{Database, Engine};
pub use instance::Instance;
pub use person::{Answer, Person};
pub use remote::Remote;

use std::time::Duration;

/// Asks again and again until `check` gives something, for at most 20 seconds; `what` is said when it never does.
///
/// # Panics
/// When the time is over.
pub async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        if let Some(found) = check().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("never happened: {what}");
}

/// One story, told on SQLite and on PostgreSQL.
#[macro_export]
macro_rules! on_both {
    ($(#[$doc:meta])* async fn $name:ident($engine:ident) $body:block) => {
        $(#[$doc])*
        mod $name {
            #[expect(unused_imports, reason = "not every story needs everything")]
            use super::*;

            async fn story($engine: $crate::Engine) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                story($crate::Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                story($crate::Engine::Postgres).await;
            }
        }
    };
}
