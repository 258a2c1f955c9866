//! `GET /api/v1/timelines/tag/:hashtag`: public posts with a hashtag.

use axum::extract::State;
use axum::response::Response;
use domain::text::Tag;
use serde::Deserialize;
use storage::timelines::TagFilter;

use super::{CAP, DEFAULT};
use crate::api::caller::{Caller, viewer};
use crate::api::error::{Error, Result};
use crate::api::page;
use crate::api::pagination::Paging;
use crate::api::params::{OneOrMore, PathName, Query};
use crate::state::Web;

/// Tags in one list of the request.
const MAX_TAGS: usize = 4;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    any: OneOrMore<String>,
    all: OneOrMore<String>,
    none: OneOrMore<String>,
    local: bool,
    remote: bool,
    only_media: bool,
}

fn keys(names: &OneOrMore<String>) -> impl Iterator<Item = String> {
    names.0.iter().take(MAX_TAGS).filter_map(|name| Tag::new(name)).map(|tag| tag.key)
}

pub async fn tag(
    State(web): State<Web>,
    caller: Option<Caller>,
    PathName(name): PathName,
    Query(params): Query<Params>,
    paging: Paging,
) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:statuses")?;
    let tag = Tag::new(&name).ok_or(Error::NotFound)?;
    let filter = TagFilter {
        any: std::iter::once(tag.key).chain(keys(&params.any)).collect(),
        all: keys(&params.all).collect(),
        none: keys(&params.none).collect(),
        local: params.local,
        remote: params.remote,
        only_media: params.only_media,
    };
    let mut conn = web.app.db.read().await?;
    let ids = storage::timelines::tag(&mut conn, viewer, &filter, &paging.page(DEFAULT, CAP)).await?;
    page::posts(&web, &mut conn, viewer, &ids, &paging).await
}
