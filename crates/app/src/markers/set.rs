//! Moves her markers, all at once.

use domain::AccountId;
use storage::markers::{Marker, Timeline};

use crate::App;
use crate::error::Result;

/// Gives back the markers that were moved, in the order they came.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn set(app: &App, account: AccountId, marks: &[(Timeline, i64)]) -> Result<Vec<(Timeline, Marker)>> {
    let mut tx = app.db.write().await?;
    let mut moved = Vec::with_capacity(marks.len());
    for (timeline, last_read_id) in marks {
        moved.push((*timeline, storage::markers::set(&mut tx, account, *timeline, *last_read_id).await?));
    }
    tx.commit().await?;
    Ok(moved)
}
