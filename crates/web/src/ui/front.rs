//! The front page: what this community is, how to join, and what its people said in public lately.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use storage::timelines::PublicFilter;
use storage::{hydrate, timelines};

use super::card::PostCard;
use super::frame::Frame;
use super::message::Problem;
use super::paging::{Cursor, Pages};
use super::visitor::{Visitor, see_other};
use crate::state::Web;

/// What stands on the front page.
pub const FRONT: PublicFilter = PublicFilter { local: true, remote: false, only_media: false };

#[derive(Template)]
#[template(path = "front.html")]
pub struct FrontPage {
    pub frame: Frame,
    pub description: String,
    /// What people type as their server in an app.
    pub domain: String,
    /// How new members come in: `open`, `approval`, `invite` or `closed`.
    pub sign_up: String,
    pub posts: Vec<PostCard>,
    pub pages: Pages,
}

/// `GET /`: on a new server, where nobody ever was a member, the way to its owner's account.
pub async fn front(
    State(web): State<Web>,
    visitor: Visitor,
    Query(cursor): Query<Cursor>,
) -> Result<Response, Problem> {
    if web.community.is_new(&web.app).await? {
        return Ok(see_other("/set-up"));
    }
    let mut conn = web.app.db.read().await?;
    let ids = timelines::public(&mut conn, visitor.viewer(), FRONT, &cursor.page()).await?;
    let (ids, pages) = cursor.cut("/", ids);
    let views = hydrate::found(&mut conn, visitor.viewer(), &ids).await?;
    drop(conn);
    let look = visitor.look();
    let mut frame = visitor.frame("");
    frame.width = "wide";
    frame.head.description.clone_from(&visitor.community.description);
    frame.head.canonical = Some(web.app.urls.path("/"));
    frame.head.image = Some((web.app.urls.path("/static/header.png"), String::new()));
    frame.head.large_image = true;
    frame.head.feed = Some((format!("Public posts at {}", visitor.community.title), web.app.urls.path("/feed.rss")));
    frame.head.indexed = true;
    frame.head.newer.clone_from(&pages.newer);
    frame.head.older.clone_from(&pages.older);
    visitor.page(&FrontPage {
        frame,
        description: visitor.community.description.clone(),
        domain: web.app.urls.domain().to_owned(),
        sign_up: visitor.sign_up().as_str().to_owned(),
        posts: views.iter().map(|view| look.post(view)).collect(),
        pages,
    })
}
