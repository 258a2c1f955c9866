//! `POST /api/v1/reports`: a member reports somebody to those who run the community.

use app::reports::create::{New, create};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::report::ReportCategory;
use domain::{AccountId, PostId};
use serde::Deserialize;
use storage::hydrate;

use super::caller::Caller;
use super::dto::report::Report;
use super::error::{Error, Result};
use super::params::{Body, List};
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new().route("/api/v1/reports", post(report))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Params {
    account_id: String,
    status_ids: List<String>,
    comment: String,
    forward: bool,
    category: Option<ReportCategory>,
    rule_ids: List<String>,
}

async fn report(State(web): State<Web>, caller: Caller, Body(params): Body<Params>) -> Result<Response> {
    caller.allow("write:reports")?;
    let target: AccountId = params.account_id.parse().map_err(|_| Error::NotFound)?;
    let posts: Result<Vec<PostId>> =
        params.status_ids.entries().iter().map(|id| id.parse().map_err(|_| Error::NotFound)).collect();
    let mut conn = web.app.db.read().await?;
    let me = caller.account(&mut conn).await?;
    drop(conn);
    let new = New {
        target,
        posts: posts?,
        comment: params.comment,
        category: params.category.unwrap_or_default(),
        rules: params.rule_ids.entries(),
        forward: params.forward,
    };
    let report = create(&web.app, &me, new).await?;
    let mut conn = web.app.db.read().await?;
    let target = hydrate::account(&mut conn, report.target_id).await?;
    let target = web.render(caller.viewer()).account(&target)?;
    Ok(Json(Report::new(&report, target)).into_response())
}
