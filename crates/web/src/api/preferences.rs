//! `GET /api/v1/preferences`.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::caller::Caller;
use super::dto::preferences::Preferences;
use super::error::Result;
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new().route("/api/v1/preferences", get(preferences))
}

async fn preferences(State(web): State<Web>, caller: Caller) -> Result<Response> {
    caller.allow("read:accounts")?;
    let mut conn = web.app.db.read().await?;
    let member = storage::members::get(&mut conn, caller.id).await?;
    Ok(Json(Preferences::new(&member.preferences)).into_response())
}
