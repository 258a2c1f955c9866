//! `GET /api/v1/statuses/:id/{history,source}`: its versions, and what its author typed.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::attachment::{Attachment, Shown};
use domain::post::PostEdit;
use domain::{AttachmentId, PostId, Whom};
use storage::{attachments, hydrate, posts};

use crate::api::caller::{Caller, viewer};
use crate::api::dto::emoji::CustomEmoji;
use crate::api::dto::media::{Addresses, MediaAttachment};
use crate::api::dto::status::{StatusEdit, StatusSource};
use crate::api::dto::value::Time;
use crate::api::error::Result;
use crate::api::params::PathId;
use crate::state::Web;

/// Oldest first; a post that was never edited has one version. To whom an edit addressed first, that is its first.
pub async fn history(State(web): State<Web>, caller: Option<Caller>, PathId(id): PathId<PostId>) -> Result<Response> {
    let viewer = viewer(caller.as_ref(), "read:statuses")?;
    let mut conn = web.app.db.read().await?;
    let view = hydrate::post(&mut conn, viewer, id).await?;
    let mut edits = posts::edits(&mut conn, viewer, id).await?;
    if edits.is_empty() {
        let post = view.post();
        edits.push(PostEdit {
            content: post.content.clone(),
            spoiler_text: post.spoiler_text.clone(),
            sensitive: post.sensitive,
            shown: view.core.attachments.iter().map(Attachment::shown).collect(),
            created_at: post.created_at,
        });
    }
    let shown: HashMap<AttachmentId, Attachment> =
        attachments::of_versions(&mut conn, id).await?.into_iter().map(|a| (a.id, a)).collect();
    let pictures: Vec<Vec<Attachment>> = edits.iter().map(|edit| as_shown(edit, &shown)).collect();
    let addresses =
        Addresses { files: &web.app.files, whom: Whom::looking(viewer, view.post().visibility, web.app.now()) };
    let account = web.render(viewer).account(&view.account)?;
    let shapes: Vec<StatusEdit<'_>> = edits
        .iter()
        .zip(&pictures)
        .map(|(e, pictures)| StatusEdit {
            content: &e.content,
            spoiler_text: &e.spoiler_text,
            sensitive: e.sensitive,
            created_at: Time(e.created_at),
            account: account.clone(),
            media_attachments: pictures.iter().map(|a| MediaAttachment::new(a, &addresses)).collect(),
            emojis: CustomEmoji::all(&view.core.emojis, &web.app.urls),
            poll: None,
        })
        .collect();
    Ok(Json(shapes).into_response())
}

/// What a version showed, with the words of then.
fn as_shown(edit: &PostEdit, all: &HashMap<AttachmentId, Attachment>) -> Vec<Attachment> {
    let then = |shown: &Shown| {
        let now = all.get(&shown.id)?.clone();
        Some(Attachment { description: shown.description.clone(), focus: shown.focus, ..now })
    };
    edit.shown.iter().filter_map(then).collect()
}

/// To edit a post, or to copy its words: for all who may see it, as in Mastodon.
pub async fn source(State(web): State<Web>, caller: Caller, PathId(id): PathId<PostId>) -> Result<Response> {
    caller.allow("read:statuses")?;
    let mut conn = web.app.db.read().await?;
    let view = hydrate::post(&mut conn, caller.viewer(), id).await?;
    Ok(Json(StatusSource::new(&view)).into_response())
}
