//! `/api/v1/statuses*`.

mod context;
mod create;
mod delete;
mod edit;
mod get;
mod history;
mod mark;
mod reblog;
mod who;

use axum::Router;
use axum::routing::{get, post};

use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/statuses", get(get::many).post(create::create))
        .route("/api/v1/statuses/{id}", get(get::one).put(edit::edit).delete(delete::delete))
        .route("/api/v1/statuses/{id}/context", get(context::context))
        .route("/api/v1/statuses/{id}/history", get(history::history))
        .route("/api/v1/statuses/{id}/source", get(history::source))
        .route("/api/v1/statuses/{id}/favourited_by", get(who::favourited_by))
        .route("/api/v1/statuses/{id}/reblogged_by", get(who::reblogged_by))
        .route("/api/v1/statuses/{id}/reblog", post(reblog::reblog))
        .route("/api/v1/statuses/{id}/unreblog", post(reblog::unreblog))
        .route("/api/v1/statuses/{id}/favourite", post(mark::favourite))
        .route("/api/v1/statuses/{id}/unfavourite", post(mark::unfavourite))
        .route("/api/v1/statuses/{id}/bookmark", post(mark::bookmark))
        .route("/api/v1/statuses/{id}/unbookmark", post(mark::unbookmark))
        .route("/api/v1/statuses/{id}/pin", post(mark::pin))
        .route("/api/v1/statuses/{id}/unpin", post(mark::unpin))
        .route("/api/v1/statuses/{id}/mute", post(mark::mute))
        .route("/api/v1/statuses/{id}/unmute", post(mark::unmute))
}
