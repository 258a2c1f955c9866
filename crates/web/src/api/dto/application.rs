//! `Application` and `CredentialApplication`.

use domain::scope::Scopes;
use domain::{AppId, Timestamp};
use serde::Serialize;

use super::value::Id;

#[derive(Debug, Serialize)]
pub struct Application<'a> {
    pub id: Id,
    pub name: &'a str,
    pub website: Option<&'a str>,
    pub scopes: Vec<&'a str>,
    pub redirect_uris: Vec<&'a str>,
    /// One per line; what apps older than `redirect_uris` read.
    pub redirect_uri: String,
    /// The server's key for push messages; empty where it sends none.
    pub vapid_key: &'a str,
}

impl<'a> Application<'a> {
    pub fn new(
        id: AppId,
        name: &'a str,
        website: Option<&'a str>,
        scopes: impl Iterator<Item = &'a str>,
        redirect_uris: impl Iterator<Item = &'a str>,
    ) -> Self {
        let redirect_uris: Vec<&str> = redirect_uris.collect();
        Self {
            id: Id::of(id),
            name,
            website,
            scopes: scopes.collect(),
            redirect_uri: redirect_uris.join("\n"),
            redirect_uris,
            vapid_key: "",
        }
    }
}

/// With what the app signs in by; shown once.
#[derive(Debug, Serialize)]
pub struct CredentialApplication<'a> {
    #[serde(flatten)]
    pub application: Application<'a>,
    pub client_id: &'a str,
    pub client_secret: &'a str,
    /// 0 = never.
    pub client_secret_expires_at: i64,
}

/// An access token.
#[derive(Debug, Serialize)]
pub struct Token<'a> {
    access_token: &'a str,
    token_type: &'static str,
    scope: String,
    /// Seconds since 1970.
    created_at: i64,
}

impl<'a> Token<'a> {
    #[must_use]
    pub fn new(secret: &'a str, scopes: &Scopes, created_at: Timestamp) -> Self {
        Self { access_token: secret, token_type: "Bearer", scope: scopes.to_string(), created_at: created_at.seconds() }
    }
}
