//! A person lets an application in: it gets a code.

use std::time::Duration;

use domain::AccountId;
use domain::scope::Scopes;
use storage::oauth::{self, Client, Code};

use crate::error::Result;
use crate::{App, secrets};

/// A code is worth nothing after this (RFC 6749, section 4.1.2, recommends at most ten minutes).
pub const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// What she agreed to. Checked against the client by whoever asked her.
#[derive(Debug, Clone)]
pub struct Consent {
    pub account: AccountId,
    pub redirect_uri: String,
    pub scopes: Scopes,
    /// PKCE's S256 challenge (RFC 7636).
    pub challenge: Option<String>,
}

/// # Errors
/// When the database refuses. Gives the code.
pub async fn allow(app: &App, client: &Client, consent: Consent) -> Result<String> {
    let code = secrets::generate();
    let mut tx = app.db.write().await?;
    oauth::purge_codes(&mut tx).await?;
    let stored = Code {
        client: client.id,
        account: consent.account,
        redirect_uri: consent.redirect_uri,
        scopes: consent.scopes,
        challenge: consent.challenge,
        expires_at: tx.now().plus(CODE_LIFETIME),
    };
    oauth::insert_code(&mut tx, &secrets::digest(&code), &stored).await?;
    tx.commit().await?;
    Ok(code)
}
