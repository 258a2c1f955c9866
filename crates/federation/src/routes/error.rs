//! How a request for a document ends badly, for machines.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

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
                    _ => StatusCode::GONE.into_response(),
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
        (status, axum::Json(serde_json::json!({"error": text}))).into_response()
    }
}
