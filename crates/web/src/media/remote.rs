//! `GET /media/remote/…`: what another community shows, fetched through the guarded client when first asked for,
//! written anew and kept here.
//!
//! Pictures of posts need an address that was given out here: an id alone can be guessed. Who may see one is decided as
//! for any other file. What cannot be fetched is not tried again for a while.

use std::time::Duration;

use ::media::ImageLimits;
use ::media::image;
use app::attachments;
use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use domain::attachment::Attachment;
use domain::{AccountId, AttachmentId, EmojiId};
use federation::client::{Budget, Want};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use storage::Recent;
use tokio::sync::Semaphore;
use url::Url;

use super::access::{ForWhom, given};
use super::file::{nothing, send, unknown};
use crate::state::Web;

/// How long a fetch, good or bad, is not repeated.
const REMEMBER: Duration = Duration::from_secs(600);
/// Redirects included.
const REQUESTS: u32 = 4;
/// Fetches under way at the same time: each may hold a whole file in memory.
const AT_ONCE: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Attachment(AttachmentId),
    Avatar(AccountId),
    Header(AccountId),
    Emoji(EmojiId),
}

/// Names of a file and of its small version in the store.
#[derive(Debug, Clone)]
struct Kept {
    key: String,
    preview: Option<String>,
}

/// What was fetched lately, so that a page of pictures is fetched once however many look at it.
#[derive(Debug)]
pub struct Fetched {
    recent: Recent<What, Option<Kept>>,
    turns: Semaphore,
}

impl Default for Fetched {
    fn default() -> Self {
        Self { recent: Recent::new(20_000, REMEMBER), turns: Semaphore::new(AT_ONCE) }
    }
}

/// `GET /media/remote/attachments/{id}/{original|small}?…`.
pub async fn attachment(
    State(web): State<Web>,
    Path((id, size)): Path<(String, String)>,
    mut parts: Parts,
) -> Response {
    let found = match id.parse() {
        Ok(id) => find_attachment(&web, id).await,
        Err(_) => None,
    };
    let path = format!("remote/attachments/{id}/{size}");
    let proven = web.app.files.proven(&path, parts.uri.query(), web.app.now());
    let (Some(a), Some(_)) = (found, proven) else { return nothing(StatusCode::NOT_FOUND) };
    let for_whom = match given(&web, &a, proven, &mut parts).await {
        Ok(Some(for_whom)) => for_whom,
        Ok(None) => return nothing(StatusCode::NOT_FOUND),
        Err(error) => return unknown(&error),
    };
    let kept = match &a.key {
        Some(key) => Some(Kept { key: key.clone(), preview: a.preview_key.clone() }),
        None => web.fetched.recent.get_or_make(&What::Attachment(a.id), fetch_attachment(&web, &a)).await,
    };
    match (kept, size.as_str()) {
        (Some(kept), "original") => send(&web, &kept.key, &parts.headers, for_whom).await,
        (Some(kept), "small") => {
            send(&web, kept.preview.as_deref().unwrap_or(&kept.key), &parts.headers, for_whom).await
        }
        _ => nothing(StatusCode::NOT_FOUND),
    }
}

async fn find_attachment(web: &Web, id: AttachmentId) -> Option<Attachment> {
    let mut conn = web.app.db.read().await.ok()?;
    storage::attachments::unchecked(&mut conn, id).await.ok()
}

async fn fetch_attachment(web: &Web, a: &Attachment) -> Option<Kept> {
    let (bytes, kind) = fetch(web, a.remote_url.as_deref()?).await?;
    let kept = if kind.starts_with("image/") {
        let made = image::process(bytes, &limits(web)).await.ok()?;
        let key = stored(attachments::keep_of_post(&web.app, &made.original).await)?;
        Kept { key, preview: Some(stored(attachments::keep_of_post(&web.app, &made.preview).await)?) }
    } else {
        let key = stored(attachments::keep_file_of_post(&web.app, bytes, extension(&kind)?).await)?;
        Kept { key, preview: None }
    };
    let done = app::remote_media::keep_attachment(&web.app, a.id, &kept.key, kept.preview.as_deref()).await;
    noted(done)?;
    Some(kept)
}

/// Sounds and videos are kept as they came: nothing in them runs, and their type is given by us.
fn extension(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "video/mp4" => "mp4",
        "video/webm" | "audio/webm" => "webm",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/mp4" | "audio/x-m4a" | "audio/aac" => "m4a",
        "audio/ogg" | "application/ogg" => "oga",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        _ => return None,
    })
}

/// `GET /media/remote/accounts/{id}/{avatar|header}`.
pub async fn profile_image(
    State(web): State<Web>,
    Path((id, which)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let kept = match (id.parse(), which.as_str()) {
        (Ok(id), "avatar") => kept_profile_image(&web, What::Avatar(id), id).await,
        (Ok(id), "header") => kept_profile_image(&web, What::Header(id), id).await,
        _ => None,
    };
    match kept {
        Some(kept) => send(&web, &kept.key, &headers, ForWhom::Everybody).await,
        None => nothing(StatusCode::NOT_FOUND),
    }
}

async fn kept_profile_image(web: &Web, what: What, id: AccountId) -> Option<Kept> {
    let is_avatar = matches!(what, What::Avatar(_));
    let account = {
        let mut conn = web.app.db.read().await.ok()?;
        storage::accounts::get(&mut conn, id).await.ok().filter(|a| !a.is_suspended())?
    };
    let picture = if is_avatar { account.avatar } else { account.header }?;
    if let Some(key) = picture.key {
        return Some(Kept { key, preview: None });
    }
    let url = picture.remote_url?;
    let fetching = async {
        let (bytes, _) = fetch(web, &url).await?;
        let limits = limits(web);
        let made = if is_avatar { image::avatar(bytes, &limits).await } else { image::header(bytes, &limits).await };
        let made = stored(attachments::keep_profile_picture(&web.app, &made.ok()?).await)?;
        let key = made.key.clone()?;
        noted(app::remote_media::keep_profile_image(&web.app, id, is_avatar, &url, made).await)?;
        Some(Kept { key, preview: None })
    };
    web.fetched.recent.get_or_make(&what, fetching).await
}

/// `GET /media/remote/emojis/{id}`.
pub async fn emoji(State(web): State<Web>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let kept = match id.parse() {
        Ok(id) => kept_emoji(&web, id).await,
        Err(_) => None,
    };
    match kept {
        Some(kept) => send(&web, &kept.key, &headers, ForWhom::Everybody).await,
        None => nothing(StatusCode::NOT_FOUND),
    }
}

async fn kept_emoji(web: &Web, id: EmojiId) -> Option<Kept> {
    let emoji = {
        let mut conn = web.app.db.read().await.ok()?;
        storage::emojis::get(&mut conn, id).await.ok()?
    };
    if let Some(key) = emoji.key {
        return Some(Kept { key, preview: None });
    }
    let url = emoji.remote_url?;
    let fetching = async {
        let (bytes, _) = fetch(web, &url).await?;
        let made = image::process(bytes, &limits(web)).await.ok()?;
        let key = stored(attachments::keep(&web.app, &made.original).await)?;
        noted(app::remote_media::keep_emoji(&web.app, id, &key).await)?;
        Some(Kept { key, preview: None })
    };
    web.fetched.recent.get_or_make(&What::Emoji(id), fetching).await
}

/// The bytes at an address elsewhere, and the type that its server gave them.
async fn fetch(web: &Web, url: &str) -> Option<(Bytes, String)> {
    let url = Url::parse(url).ok()?;
    let _turn = web.fetched.turns.acquire().await.ok()?;
    let want = Want::Media(web.federation.config.media_bytes);
    match web.federation.client.get(&url, want, None, &Budget::new(REQUESTS)).await {
        Ok(found) => Some((found.body, found.media_type.essence().to_owned())),
        Err(error) => {
            tracing::debug!(%error, host = url.host_str(), "a picture of another community was not fetched");
            None
        }
    }
}

fn stored<T>(done: app::Result<T>) -> Option<T> {
    done.inspect_err(|error| tracing::error!(%error, "a fetched picture cannot be kept")).ok()
}

fn noted(done: app::Result<()>) -> Option<()> {
    done.inspect_err(|error| tracing::warn!(%error, "where a fetched picture is kept was not noted")).ok()
}

fn limits(web: &Web) -> ImageLimits {
    let ours = web.app.limits();
    ImageLimits { bytes: web.federation.config.media_bytes, pixels: ours.image_pixels, ..ImageLimits::default() }
}
