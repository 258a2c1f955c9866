//! `/api/v1/notifications*`: what a member is told about.

mod clear;
mod get;
mod list;
mod unread_count;

use axum::Router;
use axum::routing::{get, post};

use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/notifications", get(list::list))
        .route("/api/v1/notifications/clear", post(clear::clear))
        .route("/api/v1/notifications/unread_count", get(unread_count::unread_count))
        .route("/api/v1/notifications/dismiss", post(clear::dismiss_named))
        .route("/api/v1/notifications/{id}", get(get::get))
        .route("/api/v1/notifications/{id}/dismiss", post(clear::dismiss))
}
