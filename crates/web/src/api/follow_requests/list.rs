//! `GET /api/v1/follow_requests`.

use axum::extract::State;
use axum::response::Response;

use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::page;
use crate::api::pagination::Paging;
use crate::state::Web;

pub async fn list(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Response> {
    caller.allow_either("follow", "read:follows")?;
    let mut conn = web.app.db.read().await?;
    let entries = storage::follows::requests_to(&mut conn, caller.id, &paging.page(40, 80)).await?;
    page::accounts_by(&web, &mut conn, &entries, &paging).await
}
