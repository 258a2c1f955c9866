//! Keeps a browser that is used signed in.

use storage::sessions;

use super::start::LIFETIME;
use crate::error::Result;
use crate::{App, secrets};

/// Counts the session's life from now on.
///
/// # Errors
/// When the database refuses.
pub async fn keep(app: &App, token: &str) -> Result<()> {
    let mut tx = app.db.write().await?;
    let until = tx.now().plus(LIFETIME);
    sessions::touch(&mut tx, &secrets::digest(token), until).await?;
    tx.commit().await?;
    Ok(())
}
