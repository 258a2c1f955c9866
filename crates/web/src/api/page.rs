//! A page of a list, from what a storage list gave to the answer with its `Link` header.
//!
//! Links name the ids that the list gave, not what was left of them after the viewer was checked: else a page whose
//! entries were all hidden would end the list.

use axum::response::{IntoResponse, Response};
use domain::{AccountId, PostId, Viewer};
use storage::walks::Part;
use storage::{Conn, hydrate};

use super::error::Result;
use super::pagination::{Back, Paging};
use super::render::Listed;
use crate::state::Web;

/// Posts that page by their own ids.
pub async fn posts(web: &Web, conn: &mut Conn, viewer: Viewer, part: &Part, paging: &Paging) -> Result<Response> {
    let views = hydrate::found(conn, viewer, part).await?;
    let (newest, oldest) = part.ends();
    let links = paging.links(&web.app.urls, newest, oldest, Back::MinId);
    Ok((links, Listed(web.render(viewer).statuses(&views)?)).into_response())
}

/// Posts that page by another row's id, which comes first.
pub async fn posts_by(
    web: &Web,
    conn: &mut Conn,
    viewer: Viewer,
    entries: &[(i64, PostId)],
    paging: &Paging,
) -> Result<Response> {
    let ids: Vec<PostId> = entries.iter().map(|(_, id)| *id).collect();
    let views = hydrate::posts(conn, viewer, &ids).await?;
    let links = paging.links(&web.app.urls, entries.first().map(|e| e.0), entries.last().map(|e| e.0), Back::MinId);
    Ok((links, Listed(web.render(viewer).statuses(&views)?)).into_response())
}

/// Accounts that page by another row's id, which comes first.
pub async fn accounts_by(
    web: &Web,
    conn: &mut Conn,
    entries: &[(i64, AccountId)],
    paging: &Paging,
) -> Result<Response> {
    let ids: Vec<AccountId> = entries.iter().map(|(_, id)| *id).collect();
    let views = hydrate::accounts_in_order(conn, &ids).await?;
    let links = paging.links(&web.app.urls, entries.first().map(|e| e.0), entries.last().map(|e| e.0), Back::SinceId);
    Ok((links, Listed(web.render(Viewer::Anonymous).accounts(&views)?)).into_response())
}
