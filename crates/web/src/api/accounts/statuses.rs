//! `GET /api/v1/accounts/:id/statuses`: what somebody wrote, as far as the caller may see it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::AccountId;
use domain::text::Tag;
use serde::Deserialize;
use storage::timelines::{self, AccountFilter};
use storage::{accounts, hydrate};

use crate::api::caller::{Caller, viewer};
use crate::api::error::Result;
use crate::api::page;
use crate::api::pagination::Paging;
use crate::api::params::{PathId, Query};
use crate::api::render::Listed;
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the parameters are Mastodon's")]
pub struct Params {
    only_media: bool,
    exclude_replies: bool,
    exclude_reblogs: bool,
    pinned: bool,
    tagged: Option<String>,
}

pub async fn statuses(
    State(web): State<Web>,
    caller: Option<Caller>,
    PathId(id): PathId<AccountId>,
    Query(params): Query<Params>,
    paging: Paging,
) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:statuses")?;
    let mut conn = web.app.db.read().await?;
    accounts::get(&mut conn, id).await?;
    if params.pinned {
        let ids = timelines::pinned(&mut conn, viewer, id).await?;
        let views = hydrate::posts(&mut conn, viewer, &ids).await?;
        return Ok(Listed(web.render(viewer).statuses(&views)?).into_response());
    }
    let tagged = match params.tagged.as_deref().filter(|t| !t.is_empty()).map(Tag::new) {
        None => None,
        Some(Some(tag)) => Some(tag.key),
        Some(None) => return Ok(Listed(Vec::new()).into_response()),
    };
    let filter = AccountFilter {
        only_public: false,
        only_media: params.only_media,
        exclude_replies: params.exclude_replies,
        exclude_boosts: params.exclude_reblogs,
        tagged,
    };
    let ids = timelines::account(&mut conn, viewer, id, &filter, &paging.page(20, 40)).await?;
    page::posts(&web, &mut conn, viewer, &ids, &paging).await
}
