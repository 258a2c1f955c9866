//! `DELETE /api/v1/conversations/:id`: forgets the conversation, not its posts.

use app::conversations::remove as verb;
use axum::extract::State;
use axum::response::Response;
use domain::ConversationId;

use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::api::render::nothing;
use crate::state::Web;

pub async fn delete(State(web): State<Web>, caller: Caller, PathId(id): PathId<ConversationId>) -> Result<Response> {
    caller.allow("write:conversations")?;
    verb::remove(&web.app, caller.id, id).await?;
    Ok(nothing())
}
