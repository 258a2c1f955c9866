//! Ends tokens.

use domain::event::Event;
use storage::oauth::{self, Client};

use crate::error::Result;
use crate::{App, secrets};

/// Ends the token if it is this client's. An unknown one is no error (RFC 7009, section 2.2).
///
/// # Errors
/// When the database refuses.
pub async fn revoke(app: &App, client: &Client, token: &str) -> Result<()> {
    let mut tx = app.db.write().await?;
    if let Some(token) = oauth::revoke(&mut tx, &secrets::digest(token), client.id).await? {
        tx.emit(Event::TokenRevoked { token });
    }
    tx.commit().await?;
    Ok(())
}
