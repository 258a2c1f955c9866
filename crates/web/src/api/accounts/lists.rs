//! `GET /api/v1/accounts/:id/lists`: those of her lists that somebody is on.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::AccountId;

use crate::api::caller::Caller;
use crate::api::dto::list::List;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::state::Web;

pub async fn lists(State(web): State<Web>, caller: Caller, PathId(id): PathId<AccountId>) -> Result<Response> {
    caller.allow("read:lists")?;
    let mut conn = web.app.db.read().await?;
    storage::accounts::get(&mut conn, id).await?;
    let lists = storage::lists::with(&mut conn, caller.id, id).await?;
    let shapes: Vec<_> =
        lists.iter().map(|l| List::new(l.id, &l.title, l.replies_policy.as_str(), l.exclusive)).collect();
    Ok(Json(shapes).into_response())
}
