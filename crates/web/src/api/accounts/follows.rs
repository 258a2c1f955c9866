//! `GET /api/v1/accounts/:id/{followers,following}`. Empty where the account hides them, as on its profile.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{AccountId, Viewer};
use storage::{Conn, accounts, follows};

use crate::api::caller::{Caller, viewer};
use crate::api::error::Result;
use crate::api::page;
use crate::api::pagination::Paging;
use crate::api::params::PathId;
use crate::api::render::Listed;
use crate::state::Web;

/// Does the account show whom it knows to this viewer?
async fn shown(conn: &mut Conn, viewer: Viewer, id: AccountId) -> Result<bool> {
    let account = accounts::get(conn, id).await?;
    if viewer == Viewer::Account(id) {
        return Ok(true);
    }
    if account.hide_collections || account.suspended_at.is_some() {
        return Ok(false);
    }
    match viewer {
        Viewer::Account(me) => Ok(!follows::is_blocking(conn, id, me).await?),
        Viewer::Anonymous => Ok(true),
    }
}

pub async fn followers(
    State(web): State<Web>,
    caller: Option<Caller>,
    PathId(id): PathId<AccountId>,
    paging: Paging,
) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:accounts")?;
    let mut conn = web.app.db.read().await?;
    if !shown(&mut conn, viewer, id).await? {
        return Ok(Listed(Vec::new()).into_response());
    }
    let entries = follows::followers(&mut conn, id, &paging.page(40, 80)).await?;
    page::accounts_by(&web, &mut conn, &entries, &paging).await
}

pub async fn following(
    State(web): State<Web>,
    caller: Option<Caller>,
    PathId(id): PathId<AccountId>,
    paging: Paging,
) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:accounts")?;
    let mut conn = web.app.db.read().await?;
    if !shown(&mut conn, viewer, id).await? {
        return Ok(Listed(Vec::new()).into_response());
    }
    let entries = follows::following(&mut conn, id, &paging.page(40, 80)).await?;
    page::accounts_by(&web, &mut conn, &entries, &paging).await
}
