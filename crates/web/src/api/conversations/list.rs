//! `GET /api/v1/conversations`. Pages by the id of the last post.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::pagination::{Back, Paging};
use crate::state::Web;

pub async fn list(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Response> {
    caller.allow("read:statuses")?;
    let mut conn = web.app.db.read().await?;
    let part = storage::conversations::list(&mut conn, caller.id, &paging.page(20, 40)).await?;
    let (newest, oldest) = part.ends();
    let render = web.render(caller.viewer());
    let shapes = part.iter().map(|entry| render.conversation(&entry.view)).collect::<Result<Vec<_>>>()?;
    Ok((paging.links(&web.app.urls, newest, oldest, Back::MinId), Json(shapes)).into_response())
}
