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
    let views = storage::conversations::list(&mut conn, caller.id, &paging.page(20, 40)).await?;
    let mut cursors = views.iter().map(|v| v.last_post.id().0);
    let newest = cursors.next();
    let oldest = cursors.next_back().or(newest);
    let render = web.render(caller.viewer());
    let shapes = views.iter().map(|v| render.conversation(v)).collect::<Result<Vec<_>>>()?;
    Ok((paging.links(&web.app.urls, newest, oldest, Back::MinId), Json(shapes)).into_response())
}
