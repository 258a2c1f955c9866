//! Answers in ActivityPub's media type, and what is said when there is none.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::client::MediaType;
use crate::wire::context::{Context, Document};

/// Why there is no answer.
#[derive(Debug)]
pub enum Refusal {
    /// It does not exist, or must not be known to.
    NotFound,
    /// It existed.
    Gone,
    /// The database does not answer, or a bug.
    Failed(app::Error),
}

impl From<app::Error> for Refusal {
    fn from(e: app::Error) -> Self {
        match e {
            app::Error::NotFound => Self::NotFound,
            e => Self::Failed(e),
        }
    }
}

impl From<storage::Error> for Refusal {
    fn from(e: storage::Error) -> Self {
        app::Error::from(e).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "{\"error\":\"Not found\"}"),
            Self::Gone => (StatusCode::GONE, "{\"error\":\"Gone\"}"),
            Self::Failed(app::Error::Unavailable(error)) => {
                tracing::warn!(%error, "an answer to another server failed");
                (StatusCode::SERVICE_UNAVAILABLE, "{\"error\":\"Try again later\"}")
            }
            Self::Failed(error) => {
                tracing::error!(%error, "an answer to another server failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "{\"error\":\"Something went wrong\"}")
            }
        };
        (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
    }
}

pub type Answer = Result<Response, Refusal>;

/// How long others may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Three minutes; it is the same for everybody.
    Shared,
    /// Not at all: it depends on who asks.
    Never,
}

/// A document of ours.
pub fn document<T: Serialize>(status: StatusCode, context: Context, keep: Keep, inner: T) -> Answer {
    let body = Document::new(context, inner).to_bytes().map_err(app::Error::internal)?;
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/activity+json; charset=utf-8"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Signature"));
    let keep = match keep {
        Keep::Shared => HeaderValue::from_static("public, max-age=180"),
        Keep::Never => HeaderValue::from_static("private, no-store"),
    };
    headers.insert(header::CACHE_CONTROL, keep);
    Ok(response)
}

/// Does the caller want ActivityPub? A browser names HTML first and never a JSON type.
pub fn wants_activity(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| MediaType::parse(range.trim()))
        .any(|range| range.is_inbox_body())
}

/// Sends a browser to the page.
pub fn to_page(url: &str) -> Response {
    let mut response = Redirect::to(url).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}
