//! `/api/v1/lists/:id/accounts`: who is on a list.

use app::lists::members;
use axum::extract::State;
use axum::response::Response;
use domain::page::Page;
use domain::{AccountId, ListId};
use serde::Deserialize;

use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::page;
use crate::api::pagination::Paging;
use crate::api::params::{Body, Ids, PathId};
use crate::api::render::nothing;
use crate::state::Web;

/// What `limit=0` means here: everybody.
const EVERYBODY: i64 = 10_000;

pub async fn all(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<ListId>,
    paging: Paging,
) -> Result<Response> {
    caller.allow("read:lists")?;
    let mut conn = web.app.db.read().await?;
    storage::lists::get(&mut conn, caller.id, id).await?;
    let page = if paging.unlimited() { Page::first(EVERYBODY) } else { paging.page(40, 80) };
    let members: Vec<(i64, AccountId)> =
        storage::lists::members(&mut conn, id, &page).await?.into_iter().map(|a| (a.0, a)).collect();
    page::accounts_by(&web, &mut conn, &members, &paging).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    account_ids: Ids,
}

pub async fn add(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<ListId>,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow("write:lists")?;
    members::add(&web.app, caller.id, id, &params.account_ids.of()).await?;
    Ok(nothing())
}

pub async fn remove(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<ListId>,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow("write:lists")?;
    members::remove(&web.app, caller.id, id, &params.account_ids.of()).await?;
    Ok(nothing())
}
