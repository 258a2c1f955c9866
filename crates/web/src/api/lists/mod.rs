//! `/api/v1/lists*`: a member's lists of accounts.

mod accounts;
mod change;
mod create;
mod delete;
mod get;

use axum::Router;
use axum::routing::get;
use domain::list::{List, RepliesPolicy};
use serde::Deserialize;

use crate::api::dto;
use crate::state::Web;

/// What a request says about a list. A policy that is not known is refused by name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    title: Option<String>,
    replies_policy: Option<RepliesPolicy>,
    exclusive: Option<bool>,
}

fn shape(list: &List) -> dto::list::List<'_> {
    dto::list::List::new(list.id, &list.title, list.replies_policy.as_str(), list.exclusive)
}

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/lists", get(get::all).post(create::create))
        .route("/api/v1/lists/{id}", get(get::one).put(change::change).delete(delete::delete))
        .route("/api/v1/lists/{id}/accounts", get(accounts::all).post(accounts::add).delete(accounts::remove))
}
