//! What scripts of other origins may read (CORS). They sign in by token, never by cookie: without credentials an answer
//! is the same as for anybody who asks.

use axum::response::Response;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, LINK};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

/// How long a browser may keep the answer to its preflight; browsers cut it to what they allow.
const KEEP: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// The client API and OAuth. Whichever headers are asked for are named: `*` would not cover `Authorization`.
pub(crate) fn api() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            LINK,
            HeaderName::from_static("x-ratelimit-limit"),
            HeaderName::from_static("x-ratelimit-remaining"),
            HeaderName::from_static("x-ratelimit-reset"),
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(KEEP)
}

/// Documents that anybody may read: those of ActivityPub and discovery, and files of pages.
pub fn documents() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET])
        .allow_headers(AllowHeaders::mirror_request())
        .max_age(KEEP)
}

/// Where a page for people and a document for programs have one address: pages hold what is shown to their reader
/// alone, and a browser may keep a copy, so they are not read from elsewhere.
pub(crate) async fn unless_page(mut response: Response) -> Response {
    let page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !page {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}
