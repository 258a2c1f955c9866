//! How a request for a document ends badly, for machines.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};

use crate::wire::note::Tombstone;
use crate::wire::{Context, Document};

/// What is answered instead of a document.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("not found")]
    NotFound,
    /// It was deleted: 410, with a tombstone where it had an id of its own.
    #[error("gone")]
    Gone(Option<String>),
    #[error("{0}")]
    Invalid(&'static str),
    #[error("this community is not connected with yours")]
    Suspended,
    #[error(transparent)]
    App(#[from] app::Error),
}

impl From<storage::Error> for Refused {
    fn from(e: storage::Error) -> Self {
        match e {
            storage::Error::NotFound => Self::NotFound,
            e => Self::App(e.into()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotFound | Self::App(app::Error::NotFound) => StatusCode::NOT_FOUND,
            Self::Gone(id) => {
                let tombstone = id.clone().map(|id| Document::new(Context::Plain, Tombstone::new(id)).to_bytes());
                return match tombstone {
                    Some(Ok(bytes)) => {
                        (StatusCode::GONE, [(CONTENT_TYPE, super::ACTIVITY_JSON)], bytes).into_response()
                    }
                    _ => said(StatusCode::GONE, "gone"),
                };
            }
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Suspended => StatusCode::FORBIDDEN,
            Self::App(app::Error::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::App(e) => {
                tracing::error!(error = %e, "a document could not be made");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        let text = match &self {
            Self::App(app::Error::NotFound) => "not found".to_owned(),
            Self::App(_) => "something went wrong".to_owned(),
            e => e.to_string(),
        };
        said(status, &text)
    }
}

fn said(status: StatusCode, why: &str) -> Response {
    (status, axum::Json(serde_json::json!({"error": why}))).into_response()
}

/// Refusals that no handler wrote (a path that is no UTF-8, a query that does not parse, another method) in the format of
/// all others.
pub(super) async fn in_json(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if status.as_u16() < 400 || kind.contains("json") {
        return response;
    }
    let why = status.canonical_reason().unwrap_or("refused").to_lowercase();
    let (mut parts, _) = response.into_parts();
    let (dressed, body) = said(status, &why).into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(dressed.headers);
    Response::from_parts(parts, body)
}
