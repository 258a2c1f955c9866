//! `/api/v1/timelines/*`.

mod home;
mod list;
mod public;
mod tag;

use axum::Router;
use axum::routing::get;

use crate::state::Web;

/// Posts of a page, unless the request says otherwise.
const DEFAULT: i64 = 20;
const CAP: i64 = 40;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/timelines/home", get(home::home))
        .route("/api/v1/timelines/public", get(public::public))
        .route("/api/v1/timelines/tag/{name}", get(tag::tag))
        .route("/api/v1/timelines/list/{id}", get(list::list))
}
