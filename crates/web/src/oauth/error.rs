//! Refusals in the shape of RFC 6749, section 5.2.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::limits::TooOften;

#[derive(Debug)]
pub enum OAuthError {
    InvalidRequest(String),
    InvalidClient,
    InvalidGrant(String),
    InvalidScope,
    UnsupportedGrantType,
    TooOften(TooOften),
    Unavailable,
    Internal,
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: String,
}

impl OAuthError {
    fn parts(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::InvalidRequest(why) => (StatusCode::BAD_REQUEST, "invalid_request", why.clone()),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "Client authentication failed: the client is unknown, or its secret is missing or wrong.".to_owned(),
            ),
            Self::InvalidGrant(why) => (StatusCode::BAD_REQUEST, "invalid_grant", why.clone()),
            Self::InvalidScope => (
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                "The requested scope is unknown, malformed, or more than the app or the member may have.".to_owned(),
            ),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "The authorization grant type is not supported by the authorization server.".to_owned(),
            ),
            Self::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, "slow_down", "Too many requests".to_owned()),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "Try again soon.".to_owned())
            }
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "Something went wrong on our side.".to_owned())
            }
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (status, error, error_description) = self.parts();
        let mut response = (status, Json(Body { error, error_description })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Self::InvalidClient = self {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="Porchlight""#));
        }
        if let Self::TooOften(TooOften(wait)) = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

/// Refusals that no handler wrote, such as that of another method, in the shape of all others.
pub async fn in_shape(response: Response) -> Response {
    let status = response.status();
    if !status.is_client_error() || crate::api::error::is_json(&response) {
        return response;
    }
    let why = status.canonical_reason().unwrap_or("The request cannot be read");
    let mut shaped = OAuthError::InvalidRequest(why.to_owned()).into_response();
    *shaped.status_mut() = status;
    shaped
}

impl From<app::Error> for OAuthError {
    fn from(e: app::Error) -> Self {
        match e {
            app::Error::Unavailable(why) => {
                tracing::warn!(%why, "cannot answer an app now");
                Self::Unavailable
            }
            app::Error::Conflict(why) => Self::InvalidGrant(format!("Not any more: {why}.")),
            app::Error::Invalid { field: "scope", .. } => Self::InvalidScope,
            app::Error::Invalid { field: "code", why } => Self::InvalidGrant(format!("The authorization code {why}.")),
            app::Error::Invalid { field, why } => Self::InvalidRequest(format!("{field} {why}")),
            e => {
                tracing::error!(error = %e, "answering an app failed");
                Self::Internal
            }
        }
    }
}

impl From<storage::Error> for OAuthError {
    fn from(e: storage::Error) -> Self {
        app::Error::from(e).into()
    }
}

impl From<TooOften> for OAuthError {
    fn from(e: TooOften) -> Self {
        Self::TooOften(e)
    }
}
