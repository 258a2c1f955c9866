//! `GET /api/v1/blocks`, `GET /api/v1/mutes`: whom she keeps away.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::AccountId;
use storage::{follows, hydrate};

use super::caller::Caller;
use super::dto::account::MutedAccount;
use super::error::Result;
use super::page;
use super::pagination::{Back, Paging};
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new().route("/api/v1/blocks", get(blocks)).route("/api/v1/mutes", get(mutes))
}

async fn blocks(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Response> {
    caller.allow_either("follow", "read:blocks")?;
    let mut conn = web.app.db.read().await?;
    let entries = follows::blocked_by(&mut conn, caller.id, &paging.page(40, 80)).await?;
    page::accounts_by(&web, &mut conn, &entries, &paging).await
}

/// Each with when the mute ends.
async fn mutes(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Response> {
    caller.allow_either("follow", "read:mutes")?;
    let mut conn = web.app.db.read().await?;
    let entries = follows::muted_by(&mut conn, caller.id, &paging.page(40, 80)).await?;
    let ids: Vec<AccountId> = entries.iter().map(|e| e.1).collect();
    let ends = follows::mute_expiries(&mut conn, caller.id, &ids).await?;
    let views = hydrate::accounts_in_order(&mut conn, &ids).await?;
    let end = |id: AccountId| ends.iter().find(|e| e.0 == id).and_then(|e| e.1);
    let shapes: Vec<_> = views.iter().map(|v| MutedAccount::new(v, end(v.account.id), &web.app.urls)).collect();
    let links = paging.links(&web.app.urls, entries.first().map(|e| e.0), entries.last().map(|e| e.0), Back::SinceId);
    Ok((links, axum::Json(shapes)).into_response())
}
