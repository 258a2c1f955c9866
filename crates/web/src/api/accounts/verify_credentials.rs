//! `GET /api/v1/accounts/verify_credentials`: herself.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use storage::members::{self, Herself};

use crate::api::caller::Caller;
use crate::api::dto::account::CredentialAccount;
use crate::api::error::Result;
use crate::state::Web;

pub async fn verify_credentials(State(web): State<Web>, caller: Caller) -> Result<Response> {
    caller.allow("profile")?;
    myself(&web, &caller).await
}

/// Her account as she sees it.
pub async fn myself(web: &Web, caller: &Caller) -> Result<Response> {
    let mut conn = web.app.db.read().await?;
    let Herself { view, member, follow_requests } = members::herself(&mut conn, caller.id).await?;
    drop(conn);
    Ok(Json(CredentialAccount::new(&view, &member, follow_requests, &web.app.urls)).into_response())
}
