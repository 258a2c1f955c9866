//! `DELETE /api/v1/lists/:id`.

use app::lists::delete::delete as verb;
use axum::extract::State;
use axum::response::Response;
use domain::ListId;

use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::api::render::nothing;
use crate::state::Web;

pub async fn delete(State(web): State<Web>, caller: Caller, PathId(id): PathId<ListId>) -> Result<Response> {
    caller.allow("write:lists")?;
    verb(&web.app, caller.id, id).await?;
    Ok(nothing())
}
