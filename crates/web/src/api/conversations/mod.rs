//! `/api/v1/conversations*`: private discussions.

mod delete;
mod list;
mod read;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/conversations", get(list::list))
        .route("/api/v1/conversations/{id}", delete(delete::delete))
        .route("/api/v1/conversations/{id}/read", post(read::read))
}
