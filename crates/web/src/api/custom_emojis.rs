//! `GET /api/v1/custom_emojis`: what this community may write between colons.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::dto::emoji::CustomEmoji;
use super::error::Result;
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new().route("/api/v1/custom_emojis", get(all))
}

async fn all(State(web): State<Web>) -> Result<Response> {
    let mut conn = web.app.db.read().await?;
    let emojis = storage::emojis::local(&mut conn).await?;
    Ok(Json(CustomEmoji::all(&emojis, &web.app.urls)).into_response())
}
