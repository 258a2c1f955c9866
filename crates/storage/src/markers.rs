//! How far a member has read, so that all her apps agree.

use domain::{AccountId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// Which timeline a marker is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeline {
    Home,
    Notifications,
}

impl Timeline {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Notifications => "notifications",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    pub last_read_id: i64,
    /// Grows with every change.
    pub version: i64,
    pub updated_at: Timestamp,
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn get(conn: &mut Conn, account: AccountId, timeline: Timeline) -> Result<Option<Marker>> {
    let row = sql!("SELECT last_read_id, version, updated_at FROM markers WHERE account_id = $1 AND timeline = $2")
        .bind(account)
        .bind(timeline.as_str())
        .maybe::<(i64, i64, i64)>(conn)
        .await?;
    Ok(row.map(|(last_read_id, version, at)| Marker { last_read_id, version, updated_at: Timestamp(at) }))
}

/// Moves a marker. Two apps that move it at once both count.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn set(tx: &mut Tx, account: AccountId, timeline: Timeline, last_read_id: i64) -> Result<Marker> {
    let now = tx.now();
    let (version,) = sql!(
        "INSERT INTO markers (account_id, timeline, last_read_id, version, updated_at) VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (account_id, timeline) DO UPDATE SET last_read_id = excluded.last_read_id,
            version = markers.version + 1, updated_at = excluded.updated_at
         RETURNING version"
    )
    .bind(account)
    .bind(timeline.as_str())
    .bind(last_read_id)
    .bind(now)
    .one::<(i64,)>(tx)
    .await?;
    Ok(Marker { last_read_id, version, updated_at: now })
}
