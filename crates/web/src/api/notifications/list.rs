//! `GET /api/v1/notifications`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::AccountId;
use domain::notification::NotificationKind;
use serde::Deserialize;
use storage::notifications::Filter;

use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::pagination::{Back, Paging};
use crate::api::params::{List, OptionalId, Query};
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    types: List<String>,
    exclude_types: List<String>,
    account_id: OptionalId,
}

/// Kinds that this server never makes are simply never found.
fn kinds(names: &[String]) -> Vec<NotificationKind> {
    names.iter().filter_map(|name| NotificationKind::parse(name)).collect()
}

pub async fn list(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
    paging: Paging,
) -> Result<Response> {
    caller.allow("read:notifications")?;
    let types = params.types.entries();
    let wanted = kinds(&types);
    if wanted.is_empty() && !types.is_empty() {
        return Ok(Json([(); 0]).into_response());
    }
    let filter = Filter {
        kinds: wanted,
        exclude: kinds(&params.exclude_types.entries()),
        from: params.account_id.0.map(AccountId),
    };
    let mut conn = web.app.db.read().await?;
    let views = storage::notifications::list(&mut conn, caller.id, &filter, &paging.page(40, 80)).await?;
    let (newest, oldest) = views.ends();
    let render = web.render(caller.viewer());
    let shapes = views.iter().map(|v| render.notification(v)).collect::<Result<Vec<_>>>()?;
    Ok((paging.links(&web.app.urls, newest, oldest, Back::MinId), Json(shapes)).into_response())
}
