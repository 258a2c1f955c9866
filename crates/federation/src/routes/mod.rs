//! What other servers ask for: discovery, actors, collections, posts; and the inboxes they post to.
//!
//! Answers are for machines; people who come by with a browser are sent to the page. Nothing is shown that the
//! asker may not see, and what she may not see looks like what does not exist.

mod actors;
mod collections;
mod discovery;
mod error;
mod fetcher;
mod posts;

use axum::Router;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use crate::wire::{Context, Document};
use crate::{Federation, inbox};

pub use error::Refused;

const ACTIVITY_JSON: HeaderValue = HeaderValue::from_static("application/activity+json; charset=utf-8");

/// Every route of federation. The pages at `/@name` are not among them.
pub fn router(federation: Federation) -> Router {
    Router::new()
        .route("/.well-known/webfinger", get(discovery::webfinger))
        .route("/.well-known/host-meta", get(discovery::host_meta))
        .route("/.well-known/nodeinfo", get(discovery::nodeinfo_links))
        .route("/nodeinfo/{version}", get(discovery::nodeinfo))
        .route("/inbox", post(inbox::shared))
        .route("/actor", get(actors::instance))
        .route("/actor/inbox", post(inbox::shared))
        .route("/actor/outbox", get(collections::instance_outbox))
        .route("/users/{name}", get(actors::account))
        .route("/users/{name}/inbox", post(inbox::personal))
        .route("/users/{name}/outbox", get(collections::outbox))
        .route("/users/{name}/followers", get(collections::followers))
        .route("/users/{name}/following", get(collections::following))
        .route("/users/{name}/collections/featured", get(collections::featured))
        .route("/users/{name}/statuses/{id}", get(posts::note))
        .route("/users/{name}/statuses/{id}/activity", get(posts::activity))
        .route("/users/{name}/statuses/{id}/replies", get(posts::replies))
        .layer(map_response(error::in_json))
        .with_state(federation)
}

/// Is this an address where only servers ask?
#[must_use]
pub fn is_for_servers(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(first, "users" | "actor" | "inbox" | ".well-known" | "nodeinfo")
}

/// Does the asker want ActivityPub rather than a page? Browsers ask for HTML; whoever says nothing gets JSON.
#[must_use]
pub fn wants_activity(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect::<Vec<_>>().join(",");
    let accept = accept.to_ascii_lowercase();
    let activity = accept.contains("application/activity+json") || accept.contains("application/ld+json");
    activity || !accept.contains("text/html")
}

/// HTTP/2 puts the host into the address; signatures cover it as a header.
pub(crate) fn request_host(parts: &Parts, headers: &mut HeaderMap) {
    if !headers.contains_key(HOST)
        && let Some(host) = parts.uri.authority().and_then(|a| HeaderValue::from_str(a.as_str()).ok())
    {
        headers.insert(HOST, host);
    }
}

/// A document as an answer.
fn document<T: Serialize>(context: Context, inner: T) -> Result<Response, Refused> {
    let bytes = Document::new(context, inner).to_bytes().map_err(app::Error::internal)?;
    Ok(bytes_of(bytes.into()))
}

/// What is shown may depend on who signed, and ends when it is taken back: nothing between the asker and us keeps it.
fn bytes_of(bytes: Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, ACTIVITY_JSON),
        (VARY, HeaderValue::from_static("accept, signature")),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    (headers, bytes).into_response()
}
