//! OAuth 2 (RFC 6749) as Mastodon's apps know it: apps register themselves, people let them in, codes become tokens.
//!
//! Authorization code with PKCE (S256), client credentials, and the password grant that command-line clients of
//! Mastodon still use. Never sends anybody to an address that the app did not register.

mod apps;
mod authorize;
mod client;
mod error;
mod grants;
mod metadata;
mod pages;
mod revoke;
mod token;
mod userinfo;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::{get, post};

use crate::cross_origin;
use crate::state::Web;

/// What apps ask, in JSON. Web apps may ask from their own address: nothing here looks at cookies.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/apps", post(apps::register))
        .route("/api/v1/apps/verify_credentials", get(apps::verify_credentials))
        .route("/oauth/token", post(token::token))
        .route("/oauth/revoke", post(revoke::revoke))
        .route("/oauth/userinfo", get(userinfo::userinfo).post(userinfo::userinfo))
        .route("/.well-known/oauth-authorization-server", get(metadata::metadata))
        .layer(map_response(error::in_shape))
        .layer(cross_origin::api())
}

/// What people see in between.
pub fn page_routes() -> Router<Web> {
    Router::new().route("/oauth/authorize", get(authorize::ask).post(authorize::answer))
}
