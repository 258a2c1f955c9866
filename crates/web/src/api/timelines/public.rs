//! `GET /api/v1/timelines/public`: public posts of everybody, of this community, or of others.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use storage::timelines::PublicFilter;

use super::{CAP, DEFAULT};
use crate::api::caller::{Caller, viewer};
use crate::api::error::Result;
use crate::api::page;
use crate::api::pagination::Paging;
use crate::api::params::Query;
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    local: bool,
    remote: bool,
    only_media: bool,
}

pub async fn public(
    State(web): State<Web>,
    caller: Option<Caller>,
    Query(params): Query<Params>,
    paging: Paging,
) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:statuses")?;
    let filter = PublicFilter { local: params.local, remote: params.remote, only_media: params.only_media };
    let mut conn = web.app.db.read().await?;
    let ids = storage::timelines::public(&mut conn, viewer, filter, &paging.page(DEFAULT, CAP)).await?;
    page::posts(&web, &mut conn, viewer, &ids, &paging).await
}
