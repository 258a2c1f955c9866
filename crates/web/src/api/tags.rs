//! `/api/v1/tags/:name`, following tags, `/api/v1/followed_tags`.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::TagId;
use domain::text::Tag as Name;
use storage::Conn;
use storage::tags::Tag;

use super::caller::Caller;
use super::dto::tag::{Tag as Shape, TagHistory};
use super::error::{Error, Result};
use super::pagination::{Back, Paging};
use super::params::PathName;
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/tags/{name}", get(one))
        .route("/api/v1/tags/{name}/follow", post(follow))
        .route("/api/v1/tags/{name}/unfollow", post(unfollow))
        .route("/api/v1/followed_tags", get(followed))
}

/// Tags with their week and whether the caller follows them.
pub(super) async fn shapes<'t>(
    web: &Web,
    conn: &mut Conn,
    tags: &'t [Tag],
    caller: Option<&Caller>,
) -> Result<Vec<Shape<'t>>> {
    let ids: Vec<TagId> = tags.iter().map(|t| t.id).collect();
    let mut history = storage::tags::history(conn, &ids, web.app.now()).await?;
    let followed = match caller {
        Some(caller) => Some(storage::tags::followed_among(conn, caller.id, &ids).await?),
        None => None,
    };
    Ok(tags
        .iter()
        .map(|tag| {
            let week = history.remove(&tag.id).unwrap_or_default();
            let week = week.into_iter().map(|u| TagHistory::new(u.day, u.posts, u.accounts)).collect();
            let following = followed.as_ref().map(|f| f.contains(&tag.id));
            Shape::new(&tag.name, &tag.display, week, following, &web.app.urls)
        })
        .collect())
}

async fn answer(web: &Web, conn: &mut Conn, tag: Tag, caller: Option<&Caller>) -> Result<Response> {
    let tags = [tag];
    let shape = shapes(web, conn, &tags, caller).await?.pop().ok_or(Error::NotFound)?;
    Ok(Json(shape).into_response())
}

/// A tag that nobody used is a tag all the same, and looks like one that is used in private only.
fn unused(name: &Name) -> Tag {
    Tag { id: TagId(0), name: name.key.clone(), display: name.key.clone() }
}

async fn one(State(web): State<Web>, caller: Option<Caller>, PathName(name): PathName) -> Result<Response> {
    let name = Name::new(&name).ok_or(Error::NotFound)?;
    let mut conn = web.app.db.read().await?;
    let tag = storage::tags::by_name(&mut conn, &name.key).await?.unwrap_or_else(|| unused(&name));
    answer(&web, &mut conn, tag, caller.as_ref()).await
}

async fn follow(State(web): State<Web>, caller: Caller, PathName(name): PathName) -> Result<Response> {
    caller.allow_either("follow", "write:follows")?;
    let name = Name::new(&name).ok_or(Error::NotFound)?;
    let tag = app::tags::follow::follow(&web.app, caller.id, &name.key).await?;
    answer(&web, &mut web.app.db.read().await?, tag, Some(&caller)).await
}

async fn unfollow(State(web): State<Web>, caller: Caller, PathName(name): PathName) -> Result<Response> {
    caller.allow_either("follow", "write:follows")?;
    let name = Name::new(&name).ok_or(Error::NotFound)?;
    let tag = app::tags::follow::unfollow(&web.app, caller.id, &name.key).await?.unwrap_or_else(|| unused(&name));
    answer(&web, &mut web.app.db.read().await?, tag, Some(&caller)).await
}

async fn followed(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Response> {
    caller.allow_either("follow", "read:follows")?;
    let mut conn = web.app.db.read().await?;
    let rows = storage::tags::followed(&mut conn, caller.id, &paging.page(100, 200)).await?;
    let links = paging.links(&web.app.urls, rows.first().map(|r| r.0), rows.last().map(|r| r.0), Back::SinceId);
    let tags: Vec<Tag> = rows.into_iter().map(|r| r.1).collect();
    Ok((links, Json(shapes(&web, &mut conn, &tags, Some(&caller)).await?)).into_response())
}
