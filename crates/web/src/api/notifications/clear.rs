//! `POST /api/v1/notifications/clear`, `POST /api/v1/notifications/:id/dismiss` (and its older form).

use app::notifications::clear as verb;
use axum::extract::State;
use axum::response::Response;
use domain::NotificationId;
use serde::Deserialize;

use crate::api::caller::Caller;
use crate::api::error::{Error, Result};
use crate::api::params::{Body, OptionalId, PathId};
use crate::api::render::nothing;
use crate::state::Web;

pub async fn clear(State(web): State<Web>, caller: Caller) -> Result<Response> {
    caller.allow("write:notifications")?;
    verb::clear(&web.app, caller.id).await?;
    Ok(nothing())
}

pub async fn dismiss(State(web): State<Web>, caller: Caller, PathId(id): PathId<NotificationId>) -> Result<Response> {
    caller.allow("write:notifications")?;
    verb::dismiss(&web.app, caller.id, id).await?;
    Ok(nothing())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    id: OptionalId,
}

pub async fn dismiss_named(State(web): State<Web>, caller: Caller, Body(named): Body<Named>) -> Result<Response> {
    let id = named.id.0.map(NotificationId).ok_or(Error::NotFound)?;
    dismiss(State(web), caller, PathId(id)).await
}
