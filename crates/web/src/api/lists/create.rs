//! `POST /api/v1/lists`.

use app::lists::create::create as verb;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::{Params, shape};
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::Body;
use crate::state::Web;

pub async fn create(State(web): State<Web>, caller: Caller, Body(params): Body<Params>) -> Result<Response> {
    caller.allow("write:lists")?;
    let title = params.title.unwrap_or_default();
    let (policy, exclusive) = (params.replies_policy.unwrap_or_default(), params.exclusive.unwrap_or(false));
    let list = verb(&web.app, caller.id, &title, policy, exclusive).await?;
    Ok(Json(shape(&list)).into_response())
}
