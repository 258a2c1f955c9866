//! `POST /api/v1/accounts/:id/{block,unblock,mute,unmute}`.

use std::time::Duration;

use app::follows;
use axum::extract::State;
use axum::response::Response;
use domain::AccountId;
use serde::Deserialize;

use super::relationships;
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::{Body, PathId};
use crate::state::Web;

pub async fn block(State(web): State<Web>, caller: Caller, PathId(id): PathId<AccountId>) -> Result<Response> {
    caller.allow_either("follow", "write:blocks")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    follows::block::block(&web.app, &me, id).await?;
    relationships::one(&web, caller.id, id).await
}

pub async fn unblock(State(web): State<Web>, caller: Caller, PathId(id): PathId<AccountId>) -> Result<Response> {
    caller.allow_either("follow", "write:blocks")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    follows::block::unblock(&web.app, &me, id).await?;
    relationships::one(&web, caller.id, id).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Mute {
    notifications: Option<bool>,
    /// Seconds; 0 = until she ends it.
    duration: Option<u64>,
}

pub async fn mute(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<AccountId>,
    Body(params): Body<Mute>,
) -> Result<Response> {
    caller.allow_either("follow", "write:mutes")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    let lasts = params.duration.filter(|s| *s > 0).map(Duration::from_secs);
    follows::mute::mute(&web.app, &me, id, params.notifications.unwrap_or(true), lasts).await?;
    relationships::one(&web, caller.id, id).await
}

pub async fn unmute(State(web): State<Web>, caller: Caller, PathId(id): PathId<AccountId>) -> Result<Response> {
    caller.allow_either("follow", "write:mutes")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    follows::mute::unmute(&web.app, &me, id).await?;
    relationships::one(&web, caller.id, id).await
}
