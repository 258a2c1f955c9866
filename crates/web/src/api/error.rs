//! Every failure of the client API, in Mastodon's shape: `{"error": …}` and the status an app expects.
//!
//! The one place where [`app::Error`] becomes an answer of the API. What went wrong inside is logged, never shown.

use std::borrow::Cow;
use std::fmt;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// Seconds after which what cannot be answered now may be asked for again.
const SOON: u64 = 5;

/// Mastodon's words for a post that mentions somebody who is not among `allowed_mentions`.
pub const UNEXPECTED: &str = "Post would be sent to unexpected accounts";

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug)]
pub enum Error {
    /// 401: no token, or one that is unknown, expired or revoked.
    Unauthorized,
    /// 422: the token stands for an app; this needs a person.
    NeedsPerson,
    /// 403: the person cannot use her account now (waits for approval, disabled).
    AccountInactive(&'static str),
    /// 403: the token was not granted this.
    OutsideScope,
    /// 403, with the reason.
    Forbidden(Cow<'static, str>),
    /// 404. Also for what exists but may not be seen.
    NotFound,
    /// 400: cannot be parsed.
    BadRequest(String),
    /// 408: the request did not come whole in time.
    TooSlow,
    /// 413.
    TooLarge,
    /// 415.
    UnsupportedMedia,
    /// 422, with what is wrong.
    Invalid(String),
    /// 422 about named fields, as the sign-up form of an app shows them.
    Fields { field: &'static str, code: &'static str, why: String },
    /// 409.
    Conflict(Cow<'static, str>),
    /// 429: try again after so many seconds.
    Limited { retry_after: u64 },
    /// 503: the database, or another server that is needed, does not answer now.
    Unavailable,
    /// 500: logged when it was made.
    Internal,
}

impl Error {
    /// Logs what nobody foresaw and hides it from the caller.
    pub fn internal(what: impl fmt::Display) -> Self {
        tracing::error!(error = %what, "client API request failed");
        Self::Internal
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::AccountInactive(_) | Self::OutsideScope | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NeedsPerson | Self::Invalid(_) | Self::Fields { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized => f.write_str("The access token is invalid"),
            Self::NeedsPerson => f.write_str("This method requires an authenticated user"),
            Self::AccountInactive(why) => f.write_str(why),
            Self::OutsideScope => f.write_str("This action is outside the authorized scopes"),
            Self::Forbidden(why) if why.is_empty() => f.write_str("This action is not allowed"),
            Self::Forbidden(why) | Self::Conflict(why) => f.write_str(why),
            Self::NotFound => f.write_str("Record not found"),
            Self::BadRequest(why) => f.write_str(why),
            Self::TooSlow => f.write_str("The request did not come in time"),
            Self::TooLarge => f.write_str("The request is too large"),
            Self::UnsupportedMedia => f.write_str("This media type is not supported"),
            Self::Invalid(why) => write!(f, "Validation failed: {why}"),
            Self::Fields { field, why, .. } => write!(f, "Validation failed: {field} {why}"),
            Self::Limited { .. } => f.write_str("Too many requests"),
            Self::Unavailable => {
                f.write_str("This server is busy or a server it needs does not answer. Try again soon.")
            }
            Self::Internal => f.write_str("Something went wrong on our side"),
        }
    }
}

impl From<app::Error> for Error {
    fn from(e: app::Error) -> Self {
        match e {
            app::Error::NotFound => Self::NotFound,
            app::Error::Forbidden(why) => Self::Forbidden(why.into()),
            // "base" is Mastodon's name for "the whole of it".
            app::Error::Invalid { field: "base", why } => Self::Invalid(why),
            app::Error::Invalid { field, why } => Self::Invalid(format!("{field} {why}")),
            app::Error::UnexpectedMentions(_) => Self::Invalid(UNEXPECTED.to_owned()),
            app::Error::Conflict(why) => Self::Conflict(why.into()),
            app::Error::Limited { until: _ } => Self::Limited { retry_after: 60 },
            app::Error::Unavailable(why) => {
                tracing::warn!(%why, "client API request cannot be answered now");
                Self::Unavailable
            }
            app::Error::Internal(why) => Self::internal(why),
        }
    }
}

impl From<storage::Error> for Error {
    fn from(e: storage::Error) -> Self {
        app::Error::from(e).into()
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<std::collections::BTreeMap<&'a str, [Detail<'a>; 1]>>,
}

#[derive(Serialize)]
struct Detail<'a> {
    error: &'a str,
    description: &'a str,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let details = match &self {
            Self::Fields { field, code, why } => {
                Some([(*field, [Detail { error: code, description: why }])].into_iter().collect())
            }
            _ => None,
        };
        let body = ErrorBody { error: self.to_string(), details };
        let mut response = (self.status(), Json(body)).into_response();
        match self {
            Self::Unauthorized => {
                let challenge = HeaderValue::from_static(r#"Bearer realm="Porchlight", error="invalid_token""#);
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            Self::OutsideScope => {
                let challenge = HeaderValue::from_static(r#"Bearer realm="Porchlight", error="insufficient_scope""#);
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            Self::Limited { retry_after } => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after));
            }
            Self::Unavailable => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(SOON));
            }
            _ => {}
        }
        response
    }
}

/// Refusals that no handler wrote (a path that is no UTF-8, another method, a body that is too large) in the shape of
/// all others.
pub async fn in_shape(response: Response) -> Response {
    let status = response.status();
    if status.as_u16() < 400 || is_json(&response) {
        return response;
    }
    let error = match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Error::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::UnsupportedMedia,
        status if status.is_server_error() => Error::Internal,
        _ => Error::BadRequest("The request cannot be read".to_owned()),
    };
    error.into_response()
}

/// Does it say that it is JSON?
#[must_use]
pub fn is_json(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// What answers where no endpoint is: in JSON, as an app expects it.
pub async fn not_found() -> Error {
    Error::NotFound
}
