//! Posts of our members, for those who may see them.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::post::Post;
use domain::{AddressKey, PostId, Viewer};
use http::request::Parts;
use serde::Deserialize;
use storage::{hydrate, peers, posts};

use super::actors::local;
use super::fetcher::Fetcher;
use super::{Refused, document, wants_activity};
use crate::Federation;
use crate::wire::collection::{OrderedCollection, OrderedCollectionPage};
use crate::wire::note::note as build;
use crate::wire::{Context, activity as activities};

/// Answers of a page of `replies`.
const REPLIES: i64 = 50;

/// `GET /users/{name}/statuses/{id}`
pub(super) async fn note(
    State(fed): State<Federation>,
    Path((name, id)): Path<(String, String)>,
    parts: Parts,
) -> Result<Response, Refused> {
    let key = key(&id)?;
    if !wants_activity(&parts.headers) {
        return Ok(Redirect::to(&fed.app.urls.post_page(&name, key)).into_response());
    }
    let (post, viewer) = asked(&fed, &name, key, &parts).await?;
    if post.boost_of_id.is_some() {
        return Err(Refused::NotFound);
    }
    let mut conn = fed.app.db.read().await?;
    let view = hydrate::post(&mut conn, viewer, post.id).await?;
    drop(conn);
    document(Context::Note, build(&view, &fed.app.files))
}

/// `GET /users/{name}/statuses/{id}/activity`
pub(super) async fn activity(
    State(fed): State<Federation>,
    Path((name, id)): Path<(String, String)>,
    parts: Parts,
) -> Result<Response, Refused> {
    let (post, viewer) = asked(&fed, &name, key(&id)?, &parts).await?;
    let mut conn = fed.app.db.read().await?;
    let view = hydrate::post(&mut conn, viewer, post.id).await?;
    drop(conn);
    match activities::announce(&view, &fed.app.urls) {
        Some(announce) => document(Context::Plain, announce),
        None => document(Context::Note, activities::create(&view, &fed.app.files)),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct After {
    page: Option<String>,
    min_id: Option<i64>,
}

/// `GET /users/{name}/statuses/{id}/replies`
pub(super) async fn replies(
    State(fed): State<Federation>,
    Path((name, id)): Path<(String, String)>,
    Query(after): Query<After>,
    parts: Parts,
) -> Result<Response, Refused> {
    let (post, _) = asked(&fed, &name, key(&id)?, &parts).await?;
    let id = format!("{}/replies", post.uri);
    if after.page.is_none() {
        return document(Context::Plain, OrderedCollection::<String>::paged(id, post.replies_count));
    }
    let from = PostId(after.min_id.unwrap_or(0));
    let mut conn = fed.app.db.read().await?;
    let found = peers::open_replies(&mut conn, post.id, from, REPLIES).await?;
    drop(conn);
    let full = i64::try_from(found.len()).unwrap_or(0) == REPLIES;
    let next = found.last().filter(|_| full).map(|(last, _)| format!("{id}?page=true&min_id={last}"));
    let this = match after.min_id {
        Some(from) => format!("{id}?page=true&min_id={from}"),
        None => format!("{id}?page=true"),
    };
    let uris: Vec<String> = found.into_iter().map(|(_, uri)| uri).collect();
    document(Context::Plain, OrderedCollectionPage::new(this, id, uris, next))
}

fn key(text: &str) -> Result<AddressKey, Refused> {
    text.parse().map_err(|_| Refused::NotFound)
}

/// The post, and in whose eyes it is to be read.
///
/// # Errors
/// [`Refused::Gone`] for what was deleted and anyone could see; [`Refused::NotFound`] for what is not there, another's,
/// or not for the asker. The three take the same way: a signature is checked for what is not there too.
async fn asked(fed: &Federation, name: &str, key: AddressKey, parts: &Parts) -> Result<(Post, Viewer), Refused> {
    let fetcher = Fetcher::of(fed, parts).await?;
    let mut conn = fed.app.db.read().await?;
    let author = local(&mut conn, fed, name).await?;
    let id = posts::at_address(&mut conn, &fed.app.urls, &author.username, key).await?.unwrap_or(PostId(0));
    let found = match posts::unchecked_or_tombstone(&mut conn, id).await {
        Err(storage::Error::NotFound) => None,
        found => Some(found?).filter(|(post, _)| post.account_id == author.id),
    };
    drop(conn);
    match found {
        Some((post, None)) => {
            let viewer = fetcher.viewer(fed, &post).await?;
            Ok((post, viewer))
        }
        Some((post, Some(_))) if post.visibility.is_open() => Err(Refused::Gone(Some(post.uri))),
        _ => Err(fetcher.refusal(fed, author.id).await),
    }
}
