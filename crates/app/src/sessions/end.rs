//! Signs a browser out.

use storage::sessions;

use crate::error::Result;
use crate::{App, secrets};

/// # Errors
/// When the database refuses. A session that has ended already is no error.
pub async fn end(app: &App, token: &str) -> Result<()> {
    let mut tx = app.db.write().await?;
    sessions::remove(&mut tx, &secrets::digest(token)).await?;
    tx.commit().await?;
    Ok(())
}
