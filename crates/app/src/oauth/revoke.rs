//! Ends tokens.

use domain::AccountId;
use domain::event::Event;
use storage::Tx;
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

/// Signs an account out of every app and browser, as part of a larger change: a new password, a closed account.
///
/// # Errors
/// When the database refuses.
pub async fn sign_out_everywhere(tx: &mut Tx, account: AccountId) -> Result<()> {
    for token in oauth::revoke_all_of(tx, account).await? {
        tx.emit(Event::TokenRevoked { token });
    }
    storage::sessions::remove_all_of(tx, account).await?;
    Ok(())
}
