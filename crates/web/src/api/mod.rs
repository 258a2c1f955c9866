//! The Mastodon client API. One resource a folder, one verb a file; shapes of JSON only in `dto`.
//!
//! A handler reads its parameters, checks the scope, asks a verb of `app` or reads `storage` with a viewer, and
//! answers with a shape. What this server does not do has no route: it answers 404, never an empty list.

mod accounts;
mod blocks;
pub mod caller;
mod conversations;
mod custom_emojis;
mod domain_blocks;
pub mod dto;
pub mod error;
mod follow_requests;
mod instance;
pub mod limits;
mod lists;
mod markers;
mod media;
mod notifications;
mod page;
pub mod pagination;
pub mod params;
mod preferences;
mod quotes;
pub mod render;
mod reports;
mod saved;
pub mod search;
mod statuses;
pub mod streaming;
mod tags;
mod timelines;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use tower::ServiceExt as _;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::cross_origin;
use crate::state::Web;

/// Every address below `/api`. What it answers is for who asked: nothing between her and us keeps it.
pub fn routes(web: &Web) -> Router<Web> {
    let known = Router::new()
        .merge(accounts::routes())
        .merge(blocks::routes())
        .merge(conversations::routes())
        .merge(custom_emojis::routes())
        .merge(domain_blocks::routes())
        .merge(follow_requests::routes())
        .merge(instance::routes())
        .merge(lists::routes())
        .merge(markers::routes())
        .merge(media::routes())
        .merge(notifications::routes())
        .merge(preferences::routes())
        .merge(reports::routes())
        .merge(saved::routes())
        .merge(search::routes())
        .merge(statuses::routes())
        .merge(tags::routes())
        .merge(timelines::routes())
        .method_not_allowed_fallback(error::not_found);
    let without_slash = known.clone().fallback(error::not_found).with_state(web.clone());
    known
        .route("/api/{*rest}", any(move |request| again(without_slash, request)))
        .layer(from_fn_with_state(web.clone(), limits::middleware))
        .merge(streaming::routes())
        .layer(map_response(error::in_shape))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("private, no-store")))
        .layer(cross_origin::api())
}

/// Some clients end every address with a slash (Mastodon.py, for one); Mastodon does not mind.
async fn again(known: Router, mut request: Request) -> Response {
    let uri = request.uri();
    let Some(path) = uri.path().strip_suffix('/') else { return error::Error::NotFound.into_response() };
    let text = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    match text.parse() {
        Ok(uri) => {
            *request.uri_mut() = uri;
            known.oneshot(request).await.unwrap_or_else(|never| match never {})
        }
        Err(_) => error::Error::NotFound.into_response(),
    }
}
