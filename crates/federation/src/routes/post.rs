//! Posts: the object, and the activity it came with. A deleted open post leaves a `Tombstone` and 410; a deleted
//! private one looks as if it had never been.

use axum::extract::{Path, State};
use domain::view::PostView;
use domain::{PostId, Viewer};
use http::{HeaderMap, StatusCode};
use storage::{Conn, hydrate, posts};

use super::actor::member;
use super::answer::{Answer, Keep, Refusal, document, to_page, wants_activity};
use crate::Federation;
use crate::wire::activity;
use crate::wire::context::Context;
use crate::wire::note::{self, Tombstone};

pub async fn note(
    State(federation): State<Federation>,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let mut conn = federation.app.db.read().await?;
    let id = of_member(&federation, &mut conn, &name, &id).await?;
    if !wants_activity(&headers) {
        drop(conn);
        return Ok(to_page(&federation.app.urls.post_page(&name, id)));
    }
    let view = match visible(conn, id).await {
        Err(Refusal::Gone) => {
            let tombstone = Tombstone::new(federation.app.urls.post(&name, id));
            return document(StatusCode::GONE, Context::Plain, Keep::Shared, tombstone);
        }
        view => view?,
    };
    if view.boost_of.is_some() {
        return Err(Refusal::NotFound);
    }
    document(StatusCode::OK, Context::Note, keep(&view), note::note(&view, &federation.app.urls))
}

pub async fn activity(
    State(federation): State<Federation>,
    Path((name, id)): Path<(String, String)>,

) -> Answer {
    let mut conn = federation.app.db.read().await?;
    let id = of_member(&federation, &mut conn, &name, &id).await?;
    let view = visible(conn, id).await?;
    let urls = &federation.app.urls;
    match activity::announce(&view, urls) {
        Some(announce) => document(StatusCode::OK, Context::Plain, keep(&view), announce),
        None => document(StatusCode::OK, Context::Note, keep(&view), activity::create(&view, urls)),
    }
}

fn keep(view: &PostView) -> Keep {
    if view.post().visibility.is_open() { Keep::Shared } else { Keep::Never }
}

/// The id, if the post is (or was) the member's.
pub(super) async fn of_member(
    federation: &Federation,
    conn: &mut Conn,
    name: &str,
    id: &str,
) -> Result<PostId, Refusal> {
    let author = member(federation, conn, name).await?;
    let id: PostId = id.parse().map_err(|_| Refusal::NotFound)?;
    let (post, _) = posts::unchecked_or_tombstone(conn, id).await?;
    if post.account_id == author.id { Ok(id) } else { Err(Refusal::NotFound) }
}

/// The post, as whoever asks may see it.
async fn visible(mut conn: Conn, id: PostId) -> Result<PostView, Refusal> {
    let (post, deleted) = posts::unchecked_or_tombstone(&mut conn, id).await?;
    if deleted.is_some() {
        return Err(if post.visibility.is_open() { Refusal::Gone } else { Refusal::NotFound });
    }
    if !post.visibility.is_open() {
        return Err(Refusal::NotFound);
    }
    Ok(hydrate::post(&mut conn, Viewer::Anonymous, id).await?)
}
