//! `GET /api/v1/statuses/:id`, `GET /api/v1/statuses?id[]=`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{PostId, Viewer};
use serde::Deserialize;
use storage::hydrate;

use crate::api::caller::{Caller, viewer};
use crate::api::error::Result;
use crate::api::params::{Ids, PathId, Query};
use crate::api::render::{Listed, One, nothing};
use crate::state::Web;

/// Posts in one request.
const MAX: usize = 40;

pub async fn one(State(web): State<Web>, caller: Option<Caller>, PathId(id): PathId<PostId>) -> Result<Response> {
    shown(&web, viewer(caller.as_ref(), "read:statuses")?, id).await
}

/// One post as the viewer sees it: also the answer to every verb that changes it.
pub async fn shown(web: &Web, viewer: Viewer, id: PostId) -> Result<Response> {
    let mut conn = web.app.db.glance().await?;
    let view = hydrate::post(&mut conn, viewer, id).await?;
    Ok(One(web.render(viewer).status(&view)?).into_response())
}

/// The answer to a verb that took something back. A post that the viewer may no longer see comes without anything that
/// it says: the app learns that its mark is gone.
pub async fn taken_back(web: &Web, viewer: Viewer, id: PostId) -> Result<Response> {
    let mut conn = web.app.db.glance().await?;
    let view = match hydrate::post(&mut conn, viewer, id).await {
        Err(storage::Error::NotFound) => hydrate::shell(&mut conn, id).await,
        view => view,
    };
    match view {
        Ok(view) => Ok(One(web.render(viewer).status(&view)?).into_response()),
        // Its author is closed or gone, too.
        Err(storage::Error::NotFound) => Ok(nothing()),
        Err(e) => Err(e.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Many {
    id: Ids,
}

pub async fn many(State(web): State<Web>, caller: Option<Caller>, Query(params): Query<Many>) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:statuses")?;
    let mut ids: Vec<PostId> = params.id.of();
    ids.truncate(MAX);
    let mut conn = web.app.db.read().await?;
    let views = hydrate::posts(&mut conn, viewer, &ids).await?;
    Ok(Listed(web.render(viewer).statuses(&views)?).into_response())
}
