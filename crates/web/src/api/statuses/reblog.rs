//! `POST /api/v1/statuses/:id/{reblog,unreblog}`.

use app::posts::boost;
use axum::extract::State;
use axum::response::Response;
use domain::PostId;
use serde::Deserialize;

use super::get::{shown, taken_back};
use crate::api::caller::Caller;
use crate::api::dto::status::visibility_from;
use crate::api::error::{Error, Result};
use crate::api::params::{Body, PathId};
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    visibility: Option<String>,
}

/// Answers with the boost, which holds the post.
pub async fn reblog(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<PostId>,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow("write:statuses")?;
    let visibility = match params.visibility.as_deref() {
        None | Some("") => None,
        Some(name) => Some(
            visibility_from(name)
                .ok_or_else(|| Error::Invalid("visibility must be one of public, unlisted, private".to_owned()))?,
        ),
    };
    let me = caller.account(&mut web.app.db.read().await?).await?;
    let boost = boost::boost(&web.app, &me, id, visibility).await?;
    shown(&web, caller.viewer(), boost).await
}

/// Answers with the post. `id` may name the post or her boost of it.
pub async fn unreblog(State(web): State<Web>, caller: Caller, PathId(id): PathId<PostId>) -> Result<Response> {
    caller.allow("write:statuses")?;
    let me = caller.account(&mut web.app.db.read().await?).await?;
    let post = boost::unboost(&web.app, &me, id).await?;
    taken_back(&web, caller.viewer(), post).await
}
