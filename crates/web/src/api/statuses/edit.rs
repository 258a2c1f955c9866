//! `PUT /api/v1/statuses/:id`: her post, written anew. Audience and what it answers stay.

use app::posts::publish::{Described, Draft};
use axum::extract::State;
use axum::response::Response;
use domain::{AttachmentId, PostId};
use serde::Deserialize;

use super::get::shown;
use crate::api::caller::Caller;
use crate::api::error::{Error, Result};
use crate::api::media::focus;
use crate::api::params::{Body, Ids, List, OptionalId, PathId};
use crate::api::quotes::check_policy;
use crate::compose;
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    status: Option<String>,
    spoiler_text: Option<String>,
    sensitive: Option<bool>,
    language: Option<String>,
    media_ids: Ids,
    media_attributes: List<MediaAttributes>,
    poll: Option<serde::de::IgnoredAny>,
    quote_approval_policy: Option<String>,
}

/// New words for a picture that the post shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MediaAttributes {
    id: OptionalId,
    description: Option<String>,
    focus: Option<String>,
}

/// What is not named stays, but for the pictures: they are those that are named.
pub async fn edit(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId<PostId>,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow("write:statuses")?;
    if params.poll.is_some() {
        return Err(Error::Invalid("Polls are not supported by this server".to_owned()));
    }
    check_policy("quote_approval_policy", params.quote_approval_policy.as_deref())?;
    let mut conn = web.app.db.read().await?;
    let me = caller.account(&mut conn).await?;
    let post = storage::posts::get(&mut conn, caller.viewer(), id).await?;
    if post.account_id != caller.id {
        return Err(Error::NotFound);
    }
    drop(conn);
    let attachments: Vec<AttachmentId> = params.media_ids.of();
    let mut described = Vec::new();
    for media in params.media_attributes.entries() {
        if let Some(id) = media.id.0.map(AttachmentId) {
            described.push(Described { id, description: media.description, focus: focus(media.focus)? });
        }
    }
    let draft = Draft {
        text: params.status.or(post.source).unwrap_or_default(),
        spoiler_text: params.spoiler_text.unwrap_or(post.spoiler_text),
        sensitive: params.sensitive.unwrap_or(post.sensitive),
        language: params.language.filter(|l| !l.is_empty()),
        attachments,
        described,
        ..Draft::default()
    };
    compose::edit(&web, &me, id, draft).await?;
    shown(&web, caller.viewer(), id).await
}
