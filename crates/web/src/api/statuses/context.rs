//! `GET /api/v1/statuses/:id/context`: the discussion around a post, as far as the caller may see it and wants
//! to: those she blocks or mutes, or whose community she blocks, are left out.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::PostId;
use storage::{hydrate, posts, threads};

use crate::api::caller::{Caller, viewer};
use crate::api::dto::status::Context;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::state::Web;

/// Posts above and below, for members.
const MEMBERS: i64 = 2_048;
/// Posts above, and below, for anybody else.
const ANYBODY: (i64, i64) = (40, 60);

pub async fn context(State(web): State<Web>, caller: Option<Caller>, PathId(id): PathId<PostId>) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:statuses")?;
    let (above, below) = if caller.is_some() { (MEMBERS, MEMBERS) } else { ANYBODY };
    let mut conn = web.app.db.read().await?;
    let post = posts::get(&mut conn, viewer, id).await?;
    let id = post.boost_of_id.unwrap_or(id);
    let ancestors = threads::ancestors(&mut conn, viewer, id, above).await?;
    let descendants = threads::descendants(&mut conn, viewer, id, below).await?;
    let (ancestors, descendants) =
        (hydrate::posts(&mut conn, viewer, &ancestors).await?, hydrate::posts(&mut conn, viewer, &descendants).await?);
    let render = web.render(viewer);
    let shape = Context { ancestors: render.statuses(&ancestors)?, descendants: render.statuses(&descendants)? };
    Ok(Json(shape).into_response())
}
