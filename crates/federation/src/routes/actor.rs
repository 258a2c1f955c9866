//! Actors: members, and the instance actor, which is served to anybody so that two servers that both want signed
//! fetches do not wait for each other.

use axum::extract::{Path, State};
use domain::account::Account;
use http::{HeaderMap, StatusCode};
use storage::{Conn, accounts, hydrate};

use super::answer::{Answer, Keep, Refusal, document, to_page, wants_activity};
use crate::Federation;
use crate::wire::actor;
use crate::wire::context::Context;

pub async fn instance(State(federation): State<Federation>) -> Answer {
    let pem = federation.instance_public_pem().await?;
    let actor = actor::instance_actor(pem, &federation.app.urls).ok_or(Refusal::NotFound)?;
    document(StatusCode::OK, Context::Actor, Keep::Shared, actor)
}

pub async fn actor(State(federation): State<Federation>, Path(name): Path<String>, headers: HeaderMap) -> Answer {
    let mut conn = federation.app.db.read().await.map_err(app::Error::from)?;
    let account = member(&federation, &mut conn, &name).await?;
    if !wants_activity(&headers) {
        return Ok(to_page(&account.url));
    }
    let view = hydrate::account_list(&mut conn, vec![account]).await?.pop().ok_or(Refusal::NotFound)?;
    drop(conn);
    let actor = actor::actor(&view, &federation.app.urls).ok_or(Refusal::NotFound)?;
    document(StatusCode::OK, Context::Actor, Keep::Shared, actor)
}

/// A member of this community by name. Gone when she was, unknown when she is suspended.
pub(super) async fn member(federation: &Federation, conn: &mut Conn, name: &str) -> Result<Account, Refusal> {
    match accounts::by_handle(conn, name, "").await? {
        Some(account) if account.is_suspended() => Err(Refusal::Gone),
        Some(account) => Ok(account),
        None if accounts::is_deleted(conn, &federation.app.urls.actor(name)).await? => Err(Refusal::Gone),
        None => Err(Refusal::NotFound),
    }
}
