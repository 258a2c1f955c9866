//! `POST /api/v1/follow_requests/:account_id/authorize` and `…/reject`.

use app::follows;
use axum::extract::State;
use axum::response::Response;
use domain::AccountId;

use crate::api::accounts::relationships;
use crate::api::caller::Caller;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::state::Web;

pub async fn authorize(State(web): State<Web>, caller: Caller, PathId(id): PathId<AccountId>) -> Result<Response> {
    caller.allow_either("follow", "write:follows")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    follows::accept::accept(&web.app, &me, id).await?;
    relationships::one(&web, caller.id, id).await
}

pub async fn reject(State(web): State<Web>, caller: Caller, PathId(id): PathId<AccountId>) -> Result<Response> {
    caller.allow_either("follow", "write:follows")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    follows::reject::reject(&web.app, &me, id).await?;
    relationships::one(&web, caller.id, id).await
}
