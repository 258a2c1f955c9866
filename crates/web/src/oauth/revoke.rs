//! `POST /oauth/revoke` (RFC 7009).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::client::authenticate;
use super::error::OAuthError;
use crate::api::params::Body;
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Revocation {
    client_id: Option<String>,
    client_secret: Option<String>,
    token: Option<String>,
}

/// Whether the token was known is not told; another app's stays.
pub async fn revoke(
    State(web): State<Web>,
    headers: HeaderMap,
    Body(form): Body<Revocation>,
) -> Result<Response, OAuthError> {
    let client = authenticate(&web, &headers, form.client_id.as_deref(), form.client_secret.as_deref()).await?;
    let Some(token) = form.token else {
        return Err(OAuthError::InvalidRequest("Missing required parameter: token.".to_owned()));
    };
    app::oauth::revoke::revoke(&web.app, &client, &token).await?;
    Ok(Json(json!({})).into_response())
}
