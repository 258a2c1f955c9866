//! `GET /api/v1/statuses/:id/{favourited_by,reblogged_by}`.

use axum::extract::State;
use axum::response::Response;
use domain::PostId;
use storage::{interactions, posts};

use crate::api::caller::{Caller, viewer};
use crate::api::error::Result;
use crate::api::page;
use crate::api::pagination::Paging;
use crate::api::params::PathId;
use crate::state::Web;

pub async fn favourited_by(
    State(web): State<Web>,
    caller: Option<Caller>,
    PathId(id): PathId<PostId>,
    paging: Paging,
) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:accounts")?;
    let mut conn = web.app.db.read().await?;
    posts::get(&mut conn, viewer, id).await?;
    let entries = interactions::favourited_by(&mut conn, viewer, id, &paging.page(40, 80)).await?;
    page::accounts_by(&web, &mut conn, &entries, &paging).await
}

pub async fn reblogged_by(
    State(web): State<Web>,
    caller: Option<Caller>,
    PathId(id): PathId<PostId>,
    paging: Paging,
) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:accounts")?;
    let mut conn = web.app.db.read().await?;
    posts::get(&mut conn, viewer, id).await?;
    let entries = interactions::boosted_by(&mut conn, viewer, id, &paging.page(40, 80)).await?;
    page::accounts_by(&web, &mut conn, &entries, &paging).await
}
