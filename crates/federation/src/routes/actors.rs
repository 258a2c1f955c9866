//! Actors: members, and the one in whose name this server fetches.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use domain::account::Account;
use http::request::Parts;
use storage::{Conn, accounts, hydrate};

use super::fetcher::Fetcher;
use super::{Refused, bytes_of, document, wants_activity};
use crate::Federation;
use crate::remembered::Answer;
use crate::wire::actor::{actor, instance_actor};
use crate::wire::{Context, Document};

/// `GET /actor`, for anyone, signed or not: two servers that both ask for signatures must not wait for each other.
pub(super) async fn instance(State(fed): State<Federation>) -> Result<Response, Refused> {
    let actor = instance_actor(fed.instance_public_pem().await?, &fed.app.urls).ok_or(Refused::NotFound)?;
    document(Context::Actor, actor)
}

/// `GET /users/{name}`
pub(super) async fn account(
    State(fed): State<Federation>,
    Path(name): Path<String>,
    parts: Parts,
) -> Result<Response, Refused> {
    if !wants_activity(&parts.headers) {
        return Ok(Redirect::to(&fed.app.urls.profile(&name)).into_response());
    }
    Fetcher::of(&fed, &parts).await?;
    if let Some(bytes) = fed.remembered.answer(Answer::Actor, &name) {
        return Ok(bytes_of(bytes));
    }
    let now = fed.remembered.now();
    let mut conn = fed.app.db.read().await?;
    let account = local(&mut conn, &fed, &name).await?;
    let view = hydrate::account(&mut conn, account.id).await?;
    drop(conn);
    let actor = actor(&view, &fed.app.urls).ok_or(Refused::NotFound)?;
    let bytes: Bytes = Document::new(Context::Actor, actor).to_bytes().map_err(app::Error::internal)?.into();
    fed.remembered.keep_answer(now, Answer::Actor, &name, account.id, bytes.clone());
    Ok(bytes_of(bytes))
}

/// A local account by name.
///
/// # Errors
/// [`Refused::Gone`] when it was deleted, [`Refused::NotFound`] when it is suspended, not to be seen, or never was.
pub(super) async fn local(conn: &mut Conn, fed: &Federation, name: &str) -> Result<Account, Refused> {
    match accounts::by_handle(conn, name, None).await? {
        Some(account) if account.is_suspended() => Err(Refused::NotFound),
        Some(account) => Ok(account),
        None if accounts::name_was_deleted(conn, name).await? => Err(Refused::Gone(Some(fed.app.urls.actor(name)))),
        None => Err(Refused::NotFound),
    }
}
