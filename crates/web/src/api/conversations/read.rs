//! `POST /api/v1/conversations/:id/read`.

use app::conversations::read as verb;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ConversationId;

use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::state::Web;

pub async fn read(State(web): State<Web>, caller: Caller, PathId(id): PathId<ConversationId>) -> Result<Response> {
    caller.allow("write:conversations")?;
    verb::mark_read(&web.app, caller.id, id).await?;
    let mut conn = web.app.db.read().await?;
    let view = storage::conversations::get(&mut conn, caller.id, id).await?;
    Ok(Json(web.render(caller.viewer()).conversation(&view)?).into_response())
}
