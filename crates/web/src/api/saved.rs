//! `GET /api/v1/bookmarks`, `GET /api/v1/favourites`: what she marked.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use storage::interactions;

use super::caller::Caller;
use super::error::Result;
use super::page;
use super::pagination::Paging;
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new().route("/api/v1/bookmarks", get(bookmarks)).route("/api/v1/favourites", get(favourites))
}

async fn bookmarks(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Response> {
    caller.allow("read:bookmarks")?;
    let mut conn = web.app.db.read().await?;
    let entries = interactions::bookmarks_of(&mut conn, caller.id, &paging.page(20, 40)).await?;
    page::posts_by(&web, &mut conn, caller.viewer(), &entries, &paging).await
}

async fn favourites(State(web): State<Web>, caller: Caller, paging: Paging) -> Result<Response> {
    caller.allow("read:favourites")?;
    let mut conn = web.app.db.read().await?;
    let entries = interactions::favourites_of(&mut conn, caller.id, &paging.page(20, 40)).await?;
    page::posts_by(&web, &mut conn, caller.viewer(), &entries, &paging).await
}
