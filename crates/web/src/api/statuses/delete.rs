//! `DELETE /api/v1/statuses/:id`: answers with what its author typed, to write it anew.

use app::posts::delete as verb;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::PostId;
use serde::Deserialize;
use storage::{hydrate, posts};

use crate::api::caller::Caller;
use crate::api::error::{Error, Result};
use crate::api::params::{Body, PathId};
use crate::api::render::One;
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    /// Its pictures go at once; else they wait an hour, for the post to be written anew.
    delete_media: bool,
}

pub async fn delete(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<PostId>,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow("write:statuses")?;
    let mut conn = web.app.db.read().await?;
    let view = match hydrate::post(&mut conn, caller.viewer(), id).await {
        // A boost of what its booster may no longer see goes as well.
        Err(storage::Error::NotFound) if posts::get(&mut conn, caller.viewer(), id).await.is_ok() => {
            hydrate::shell(&mut conn, id).await?
        }
        view => view?,
    };
    if view.post().account_id != caller.id {
        return Err(Error::NotFound);
    }
    drop(conn);
    let shape = web.render(caller.viewer()).status_with_text(&view)?;
    let media = if params.delete_media { verb::Media::Remove } else { verb::Media::Keep };
    verb::delete(&web.app, &view.account.account, id, media).await?;
    Ok(One(shape).into_response())
}
