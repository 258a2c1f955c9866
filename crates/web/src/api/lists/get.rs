//! `GET /api/v1/lists`, `GET /api/v1/lists/:id`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ListId;

use super::shape;
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::state::Web;

pub async fn all(State(web): State<Web>, caller: Caller) -> Result<Response> {
    caller.allow("read:lists")?;
    let mut conn = web.app.db.read().await?;
    let lists = storage::lists::of(&mut conn, caller.id).await?;
    Ok(Json(lists.iter().map(shape).collect::<Vec<_>>()).into_response())
}

pub async fn one(State(web): State<Web>, caller: Caller, PathId(id): PathId<ListId>) -> Result<Response> {
    caller.allow("read:lists")?;
    let mut conn = web.app.db.read().await?;
    let list = storage::lists::get(&mut conn, caller.id, id).await?;
    Ok(Json(shape(&list)).into_response())
}
