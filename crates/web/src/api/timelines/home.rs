//! `GET /api/v1/timelines/home`: what those she follows wrote.

use axum::extract::State;
use axum::response::Response;

use super::{CAP, DEFAULT};
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::page;
use crate::api::pagination::Paging;
use crate::state::Web;

pub async fn home(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Response> {
    caller.allow("read:statuses")?;
    let mut conn = web.app.db.read().await?;
    let ids = storage::timelines::home(&mut conn, caller.id, &paging.page(DEFAULT, CAP)).await?;
    page::posts(&web, &mut conn, caller.viewer(), &ids, &paging).await
}
