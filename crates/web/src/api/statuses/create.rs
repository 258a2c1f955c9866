//! `POST /api/v1/statuses`: publishes a post.

use app::posts::publish::Draft;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{AccountId, AttachmentId, PostId, Viewer, language};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use storage::hydrate;

use super::get::shown;
use crate::api::caller::Caller;
use crate::api::dto::status::{UnexpectedAccounts, visibility_from};
use crate::api::error::{Error, Result, UNEXPECTED};
use crate::api::params::{Body, Ids, List, OptionalId};
use crate::api::quotes::check_policy;
use crate::compose;
use crate::state::Web;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    status: Option<String>,
    spoiler_text: Option<String>,
    visibility: Option<String>,
    sensitive: Option<bool>,
    language: Option<String>,
    in_reply_to_id: OptionalId,
    media_ids: Ids,
    scheduled_at: Option<String>,
    poll: Option<serde::de::IgnoredAny>,
    quoted_status_id: OptionalId,
    quote_approval_policy: Option<String>,
    allowed_mentions: List<String>,
}

impl Params {
    /// What this server cannot do is refused, never silently left out.
    fn check(&self) -> Result<()> {
        let refuse = |what: &str| Err(Error::Invalid(format!("{what} are not supported by this server")));
        if self.scheduled_at.as_deref().is_some_and(|at| !at.is_empty()) {
            return refuse("Scheduled posts");
        }
        if self.poll.is_some() {
            return refuse("Polls");
        }
        if self.quoted_status_id.0.is_some() {
            return refuse("Quotes");
        }
        check_policy("quote_approval_policy", self.quote_approval_policy.as_deref())
    }
}

pub async fn create(
    State(web): State<Web>,
    caller: Caller,
    headers: HeaderMap,
    Body(params): Body<Params>,
) -> Result<Response> {
    caller.allow("write:statuses")?;
    params.check()?;
    let visibility =
        match params.visibility.as_deref() {
            None | Some("") => None,
            Some(name) => Some(visibility_from(name).ok_or_else(|| {
                Error::Invalid("visibility must be one of public, unlisted, private, direct".to_owned())
            })?),
        };
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).filter(|k| !k.is_empty());
    if key.is_some_and(|k| k.len() > 255) {
        return Err(Error::BadRequest("the Idempotency-Key is too long".to_owned()));
    }
    let mut conn = web.app.db.glance().await?;
    let (me, member) = storage::members::with_account(&mut conn, caller.id).await?;
    let in_reply_to = params.in_reply_to_id.0.map(PostId);
    let visibility = match (visibility, in_reply_to) {
        (Some(visibility), _) => visibility,
        (None, None) => member.preferences.default_visibility,
        // An answer goes no further than what it answers, unless she says so.
        (None, Some(parent)) => {
            let parent = storage::posts::get(&mut conn, caller.viewer(), parent).await?;
            parent.visibility.narrower(member.preferences.default_visibility)
        }
    };
    drop(conn);
    let draft = Draft {
        text: params.status.unwrap_or_default(),
        spoiler_text: params.spoiler_text.unwrap_or_default(),
        visibility: Some(visibility),
        sensitive: params.sensitive.unwrap_or(member.preferences.default_sensitive),
        language: params.language.as_deref().and_then(language::known).or(member.preferences.default_language),
        in_reply_to,
        attachments: params.media_ids.of::<AttachmentId>(),
        described: Vec::new(),
        app: caller.app(),
        allowed_mentions: params.allowed_mentions.0.map(|ids| Ids::from(ids).of()),
        idempotency_key: key.map(str::to_owned),
    };
    match compose::publish(&web, &me, draft).await {
        Err(app::Error::UnexpectedMentions(ids)) => unexpected(&web, caller.viewer(), &ids).await,
        id => shown(&web, caller.viewer(), id?).await,
    }
}

/// Who would have got a post that is not for them.
async fn unexpected(web: &Web, viewer: Viewer, ids: &[AccountId]) -> Result<Response> {
    let mut conn = web.app.db.read().await?;
    let accounts = web.render(viewer).accounts(&hydrate::accounts_in_order(&mut conn, ids).await?)?;
    let body = UnexpectedAccounts { error: UNEXPECTED, unexpected_accounts: accounts };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response())
}
