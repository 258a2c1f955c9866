//! `GET /api/v1/accounts/relationships`: how she stands to others.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::AccountId;
use serde::Deserialize;

use crate::api::caller::Caller;
use crate::api::dto::relationship::Relationship;
use crate::api::error::Result;
use crate::api::params::{Ids, OneOrMore, Query};
use crate::state::Web;

/// Accounts in one request.
const MAX: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    id: OneOrMore<String>,
}

pub async fn relationships(State(web): State<Web>, caller: Caller, Query(params): Query<Params>) -> Result<Response> {
    caller.allow_either("follow", "read:follows")?;
    let mut ids: Vec<AccountId> = Ids::from(params.id.0).of();
    ids.truncate(MAX);
    let mut conn = web.app.db.read().await?;
    let found = storage::relationships::many(&mut conn, caller.id, &ids).await?;
    let shapes: Vec<_> = found.iter().filter_map(|r| Some(Relationship::new(r.target?, r))).collect();
    Ok(Json(shapes).into_response())
}

/// How the member stands to one other, who may be hidden by now: the answer to every verb that changes it.
pub async fn one(web: &Web, me: AccountId, other: AccountId) -> Result<Response> {
    let mut conn = web.app.db.read().await?;
    let facts = storage::relationships::even_hidden(&mut conn, me, other).await?;
    Ok(Json(Relationship::new(other, &facts)).into_response())
}
