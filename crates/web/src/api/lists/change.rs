//! `PUT /api/v1/lists/:id`.

use app::lists::change::{Change, change as verb};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ListId;

use super::{Params, shape};
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::{Body, PathId};
use crate::state::Web;

pub async fn change(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<ListId>,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow("write:lists")?;
    let Params { title, replies_policy, exclusive } = params;
    let list = verb(&web.app, caller.id, id, Change { title, replies_policy, exclusive }).await?;
    Ok(Json(shape(&list)).into_response())
}
