//! `GET /api/v1/timelines/list/:id`: what the members of one of her lists wrote.

use axum::extract::State;
use axum::response::Response;
use domain::ListId;

use super::{CAP, DEFAULT};
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::page;
use crate::api::pagination::Paging;
use crate::api::params::PathId;
use crate::state::Web;

pub async fn list(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<ListId>,
    paging: Paging,
) -> Result<Response> {
    caller.allow("read:lists")?;
    let mut conn = web.app.db.read().await?;
    storage::lists::get(&mut conn, caller.id, id).await?;
    let ids = storage::timelines::list(&mut conn, caller.id, id, &paging.page(DEFAULT, CAP)).await?;
    page::posts(&web, &mut conn, caller.viewer(), &ids, &paging).await
}
