//! A tag's page: public posts that carry it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use domain::text::Tag;
use http::HeaderMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use storage::timelines::TagFilter;
use storage::{hydrate, timelines};

use super::card::PostCard;
use super::feed;
use super::frame::Frame;
use super::message::Problem;
use super::paging::{Cursor, Pages};
use super::visitor::Visitor;
use crate::state::Web;

#[derive(Template)]
#[template(path = "tag.html")]
pub struct TagPage {
    pub frame: Frame,
    pub tag: String,
    pub feed: String,
    pub posts: Vec<PostCard>,
    pub pages: Pages,
}

/// `GET /tags/name`, and `/tags/name.rss`, which the router cannot tell from it.
pub async fn tag(
    State(web): State<Web>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(cursor): Query<Cursor>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(name) = name.strip_suffix(".rss") {
        return feed::of_tag(&web, &visitor, name, &headers).await;
    }
    let tag = Tag::new(&name).ok_or(Problem::NotFound)?;
    let mut conn = web.app.db.read().await?;
    let filter = TagFilter { any: vec![tag.key.clone()], ..TagFilter::default() };
    let ids = timelines::tag(&mut conn, visitor.viewer(), &filter, &cursor.page()).await?;
    let path = format!("/tags/{}", utf8_percent_encode(&tag.name, NON_ALPHANUMERIC));
    let (ids, pages) = cursor.cut(&path, ids);
    let views = hydrate::found(&mut conn, visitor.viewer(), &ids).await?;
    drop(conn);
    let look = visitor.look();
    let feed = format!("{path}.rss");
    let mut frame = visitor.frame(format!("#{}", tag.name));
    frame.head.canonical = Some(web.app.urls.path(&path));
    frame.head.feed = Some((format!("Public posts with #{}", tag.name), web.app.urls.path(&feed)));
    frame.head.newer.clone_from(&pages.newer);
    frame.head.older.clone_from(&pages.older);
    let posts = views.iter().map(|view| look.post(view)).collect();
    visitor.page(&TagPage { frame, tag: tag.name, feed, posts, pages })
}
