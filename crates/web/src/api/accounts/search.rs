//! `GET /api/v1/accounts/search`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::pagination::Paging;
use crate::api::params::Query;
use crate::api::render::Listed;
use crate::api::search;
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    q: String,
    resolve: bool,
    following: bool,
}

pub async fn search(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
    paging: Paging,
) -> Result<Response> {
    caller.allow("read:accounts")?;
    let found = search::accounts(&web, &caller, &params.q, params.resolve, params.following, &paging).await?;
    Ok(Listed(found).into_response())
}
