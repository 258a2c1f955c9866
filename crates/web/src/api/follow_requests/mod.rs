//! `/api/v1/follow_requests*`: who asked to follow her, and her answer.

mod answer;
mod list;

use axum::Router;
use axum::routing::{get, post};

use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/follow_requests", get(list::list))
        .route("/api/v1/follow_requests/{id}/authorize", post(answer::authorize))
        .route("/api/v1/follow_requests/{id}/reject", post(answer::reject))
}
