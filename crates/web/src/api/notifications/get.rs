//! `GET /api/v1/notifications/:id`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::NotificationId;

use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::state::Web;

pub async fn get(State(web): State<Web>, caller: Caller, PathId(id): PathId<NotificationId>) -> Result<Response> {
    caller.allow("read:notifications")?;
    let mut conn = web.app.db.read().await?;
    let view = storage::notifications::get(&mut conn, caller.id, id).await?;
    Ok(Json(web.render(caller.viewer()).notification(&view)?).into_response())
}
