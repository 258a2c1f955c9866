//! `/api/v1/accounts*`.

mod block;
mod create;
mod follow;
mod follows;
mod get;
mod lists;
mod note;
pub mod relationships;
mod search;
mod statuses;
mod update_credentials;
mod verify_credentials;

use axum::Router;
use axum::routing::{get, patch, post};

use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/accounts", get(get::many).post(create::create))
        .route("/api/v1/accounts/verify_credentials", get(verify_credentials::verify_credentials))
        .route("/api/v1/accounts/update_credentials", patch(update_credentials::update_credentials))
        .route("/api/v1/accounts/relationships", get(relationships::relationships))
        .route("/api/v1/accounts/lookup", get(get::lookup))
        .route("/api/v1/accounts/search", get(search::search))
        .route("/api/v1/accounts/{id}", get(get::one))
        .route("/api/v1/accounts/{id}/statuses", get(statuses::statuses))
        .route("/api/v1/accounts/{id}/followers", get(follows::followers))
        .route("/api/v1/accounts/{id}/following", get(follows::following))
        .route("/api/v1/accounts/{id}/lists", get(lists::lists))
        .route("/api/v1/accounts/{id}/follow", post(follow::follow))
        .route("/api/v1/accounts/{id}/unfollow", post(follow::unfollow))
        .route("/api/v1/accounts/{id}/remove_from_followers", post(follow::remove_from_followers))
        .route("/api/v1/accounts/{id}/block", post(block::block))
        .route("/api/v1/accounts/{id}/unblock", post(block::unblock))
        .route("/api/v1/accounts/{id}/mute", post(block::mute))
        .route("/api/v1/accounts/{id}/unmute", post(block::unmute))
        .route("/api/v1/accounts/{id}/note", post(note::note))
}
