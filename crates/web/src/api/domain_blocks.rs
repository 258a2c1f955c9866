//! `/api/v1/domain_blocks`: communities she wants to see nothing of.

use app::follows::block_domain;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use domain::Host;
use serde::Deserialize;
use serde_json::json;
use storage::domain_blocks;

use super::caller::Caller;
use super::error::Result;
use super::pagination::{Back, Paging};
use super::params::Body;
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new().route("/api/v1/domain_blocks", get(list).post(block).delete(unblock))
}

async fn list(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Response> {
    caller.allow_either("follow", "read:blocks")?;
    let mut conn = web.app.db.read().await?;
    let entries = domain_blocks::list(&mut conn, caller.id, &paging.page(100, 200)).await?;
    drop(conn);
    let links = paging.links(&web.app.urls, entries.first().map(|e| e.0), entries.last().map(|e| e.0), Back::SinceId);
    let names: Vec<Host> = entries.into_iter().map(|(_, domain)| domain).collect();
    Ok((links, Json(names)).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Params {
    domain: String,
}

async fn block(State(web): State<Web>, caller: Caller, Body(params): Body<Params>) -> Result<Response> {
    caller.allow_either("follow", "write:blocks")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    block_domain::block_domain(&web.app, &me, &params.domain).await?;
    Ok(Json(json!({})).into_response())
}

async fn unblock(State(web): State<Web>, caller: Caller, Body(params): Body<Params>) -> Result<Response> {
    caller.allow_either("follow", "write:blocks")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    block_domain::unblock_domain(&web.app, &me, &params.domain).await?;
    Ok(Json(json!({})).into_response())
}
