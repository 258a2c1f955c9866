//! `GET /api/v1/notifications/unread_count`: how many came after the marker.

use axum::Json;
use axum::extract::State;

use crate::api::caller::Caller;
use crate::api::dto::notification::Count;
use crate::api::error::Result;
use crate::api::pagination::Paging;
use crate::state::Web;

pub async fn unread_count(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Json<Count>> {
    caller.allow("read:notifications")?;
    let mut conn = web.app.db.read().await?;
    let count = storage::notifications::unread(&mut conn, caller.id, paging.limit(100, 1_000)).await?;
    Ok(Json(Count { count }))
}
