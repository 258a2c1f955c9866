//! `GET /api/v1/accounts/:id`, `GET /api/v1/accounts?id[]=`, `GET /api/v1/accounts/lookup`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::AccountId;
use domain::account::Handle;
use serde::Deserialize;
use storage::hydrate;

use crate::api::caller::{Caller, viewer};
use crate::api::error::{Error, Result};
use crate::api::params::{Ids, PathId, Query};
use crate::api::render::{Listed, One};
use crate::state::Web;

/// Accounts in one request.
const MAX: usize = 40;

pub async fn one(State(web): State<Web>, caller: Option<Caller>, PathId(id): PathId<AccountId>) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:accounts")?;
    let mut conn = web.app.db.read().await?;
    let view = hydrate::account(&mut conn, id).await?;
    Ok(One(web.render(viewer).account(&view)?).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Many {
    id: Ids,
}

pub async fn many(State(web): State<Web>, caller: Option<Caller>, Query(params): Query<Many>) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:accounts")?;
    let mut ids: Vec<AccountId> = params.id.of();
    ids.truncate(MAX);
    let mut conn = web.app.db.read().await?;
    let views = hydrate::accounts_in_order(&mut conn, &ids).await?;
    Ok(Listed(web.render(viewer).accounts(&views)?).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Lookup {
    acct: String,
}

/// By handle, among the accounts known here. Asks no other server.
pub async fn lookup(State(web): State<Web>, caller: Option<Caller>, Query(params): Query<Lookup>) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:accounts")?;
    let handle = Handle::parse(&params.acct).ok_or(Error::NotFound)?;
    let domain = handle.elsewhere(&web.app.urls);
    let mut conn = web.app.db.read().await?;
    let account = storage::accounts::by_handle(&mut conn, &handle.username, domain).await?.ok_or(Error::NotFound)?;
    let view = hydrate::account(&mut conn, account.id).await?;
    Ok(One(web.render(viewer).account(&view)?).into_response())
}
