//! PostgreSQL: connections out of a pool, and transactions on them.
//!
//! Whoever asks may stop waiting at any moment, in the middle of a statement: an app closes its connection, a deadline
//! passes. What was sent is done by the database all the same. So a connection says that a transaction may be open
//! before it asks for one, and goes back to the pool only when the database has said that none is.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Executor as _, PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::error::{Error, Result};

/// How long the database may take to end what nobody waits for any more. After that the connection is closed, which
/// ends it too.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection, held by one who asks.
#[derive(Debug)]
pub(crate) struct Held {
    /// `None` once it is given back.
    conn: Option<PoolConnection<Postgres>>,
    /// A transaction is open on it, or may be.
    open: bool,
}

impl Held {
    pub(crate) async fn read(pool: &PgPool) -> Result<Self> {
        Ok(Self { conn: Some(pool.acquire().await?), open: false })
    }

    /// With a transaction begun on it. Dropped without [`Held::commit`], nothing of it happened.
    pub(crate) async fn write(pool: &PgPool) -> Result<Self> {
        let mut held = Self { conn: Some(pool.acquire().await?), open: true };
        held.conn()?.execute("BEGIN").await?;
        Ok(held)
    }

    pub(crate) fn conn(&mut self) -> Result<&mut PgConnection> {
        self.conn.as_deref_mut().ok_or_else(|| Error::Unavailable("the connection was given back".to_owned()))
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        self.conn()?.execute("COMMIT").await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let Some(mut conn) = self.conn.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            conn.close_on_drop();
            return;
        };
        runtime.spawn(async move {
            // Whatever is under way on it ends first.
            if !matches!(timeout(PATIENCE, conn.execute("ROLLBACK")).await, Ok(Ok(_))) {
                tracing::warn!("a transaction could not be taken back: its connection is closed");
                conn.close_on_drop();
            }
        });
    }
}
