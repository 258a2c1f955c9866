//! `POST /api/v1/accounts/:id/note`: her own words on somebody, for her eyes only.

use axum::extract::State;
use axum::response::Response;
use domain::AccountId;
use serde::Deserialize;

use super::relationships;
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::{Body, PathId};
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    comment: String,
}

pub async fn note(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<AccountId>,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow("write:accounts")?;
    app::accounts::note::note(&web.app, caller.id, id, &params.comment).await?;
    relationships::one(&web, caller.id, id).await
}
