//! A person lets an application in: it gets a code.

use std::time::Duration;

use domain::account::Credentials;
use domain::scope::Scopes;
use storage::oauth::{self, Client, Code};

use super::grants::granted;
use crate::accounts::unchanged;
use crate::error::Result;
use crate::{App, secrets};

/// A code is worth nothing after this (RFC 6749, section 4.1.2, recommends at most ten minutes).
pub const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// What the member agreed to. The address was compared with the client's by whoever asked.
#[derive(Debug, Clone)]
pub struct Consent {
    pub by: Credentials,
    pub redirect_uri: String,
    pub scopes: Scopes,
    /// PKCE's S256 challenge (RFC 7636).
    pub challenge: Option<String>,
}

/// Gives the code.
///
/// # Errors
/// [`crate::Error::Conflict`] when the member's credentials changed since the question; [`crate::Error::Invalid`] on
/// `scope` when nothing is left of it that the member may grant to this app.
pub async fn allow(app: &App, client: &Client, consent: Consent) -> Result<String> {
    let code = secrets::generate();
    let mut tx = app.db.write().await?;
    let member = unchanged(&mut tx, consent.by).await?;
    oauth::purge_codes(&mut tx).await?;
    let stored = Code {
        client: client.id,
        account: member.account_id,
        redirect_uri: consent.redirect_uri,
        scopes: granted(&consent.scopes, Some(&client.scopes), Some(member.role))?,
        challenge: consent.challenge,
        credentials_version: member.credentials_version,
        expires_at: tx.now().plus(CODE_LIFETIME),
    };
    oauth::insert_code(&mut tx, &secrets::digest(&code), &stored).await?;
    tx.commit().await?;
    Ok(code)
}
