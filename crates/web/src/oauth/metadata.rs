//! `GET /.well-known/oauth-authorization-server` (RFC 8414): what there is and where.
//!
//! There is none while the public address is not https: an issuer has to be (RFC 8414, section 2), and apps that read
//! the document refuse to sign in by addresses that are not, where they would do so without the document.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::scope::Scopes;
use http::header;
use serde_json::json;

use crate::api::error::{Error, Result};
use crate::state::Web;

/// What makers of apps read: the API is Mastodon's.
const DOCUMENTATION: &str = "https://docs.joinmastodon.org/";

pub async fn metadata(State(web): State<Web>) -> Result<Response> {
    let urls = &web.app.urls;
    if !urls.is_https() {
        return Err(Error::NotFound);
    }
    let body = json!({
        "issuer": urls.path("/"),
        "service_documentation": DOCUMENTATION,
        "authorization_endpoint": urls.path("/oauth/authorize"),
        "token_endpoint": urls.path("/oauth/token"),
        "app_registration_endpoint": urls.path("/api/v1/apps"),
        "revocation_endpoint": urls.path("/oauth/revoke"),
        "userinfo_endpoint": urls.path("/oauth/userinfo"),
        "scopes_supported": Scopes::all(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "password"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    });
    Ok(([(header::CACHE_CONTROL, "public, max-age=3600")], Json(body)).into_response())
}
