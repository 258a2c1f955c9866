//! `GET /media/remote/…`: what another community shows, fetched through the guarded client when first asked for,
//! written anew and kept here.
//!
//! Pictures of posts need an address that was given out here: an id alone can be guessed. Who may see one is decided as
//! for any other file. What cannot be fetched is not tried again for a while. Several who ask for one picture wait for
//! one fetch, which goes on when they are gone. How many wait is bounded, for each address and in all; how many fetches
//! are under way, and to whom, is bounded by the client. Whoever finds no place is told at once to come back.

use std::sync::Arc;
use std::time::Duration;

use ::media::image::{self, Whose};
use ::media::{ImageError, ImageLimits};
use app::attachments;
use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use domain::account::ProfileImage;
use domain::attachment::Attachment;
use domain::view::Emoji;
use domain::{AccountId, AttachmentId, EmojiId};
use federation::client::{Asker, Budget, FetchError, Held, Purpose, Want};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use storage::Recent;
use url::Url;

use super::access::{ForWhom, given};
use super::file::{nothing, send, unknown};
use crate::limits::Origin;
use crate::places::Places;
use crate::state::Web;

/// How long a fetch, good or bad, is not repeated.
const REMEMBER: Duration = Duration::from_secs(600);
/// Redirects included.
const REQUESTS: u32 = 4;
/// Requests that wait for a fetch at the same time, in all and from one address.
const WAITING: usize = 512;
const WAITING_EACH: usize = 96;
/// How often somebody waits for another's fetch that then finds no place.
const TRIES: usize = 3;
/// Seconds after which whoever found no place may come back.
const COME_BACK: u64 = 5;

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

/// Why there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// It cannot be had: not tried again for a while.
    Failed,
    /// It was not tried.
    Busy,
}

type Outcome = Result<Kept, Missing>;

/// What was fetched lately, so that a page of pictures is fetched once however many look at it; and who waits.
#[derive(Debug)]
pub struct Fetched {
    recent: Recent<What, Outcome>,
    waiting: Places<Origin>,
}

impl Default for Fetched {
    fn default() -> Self {
        Self { recent: Recent::new(20_000, REMEMBER), waiting: Places::new(WAITING, WAITING_EACH) }
    }
}

/// The file as it was fetched lately, or as `fetch` brings it. The fetch goes on when whoever asked has gone: asking
/// and leaving again and again makes no more requests than asking once.
async fn fetched(
    web: &Web,
    what: What,
    from: Origin,
    fetch: impl Future<Output = Outcome> + Send + 'static,
) -> Outcome {
    if let Some(known) = web.fetched.recent.get(&what) {
        return known;
    }
    let place = web.fetched.waiting.take(from).ok_or(Missing::Busy)?;
    let web = web.clone();
    let task = tokio::spawn(async move {
        let _place = place;
        let recent = &web.fetched.recent;
        let mut mine = Some(fetch);
        for _ in 0..TRIES {
            let make = async {
                match mine.take() {
                    Some(fetch) => fetch.await,
                    None => Err(Missing::Busy),
                }
            };
            let outcome = recent.get_or_make(&what, make).await;
            if !matches!(outcome, Err(Missing::Busy)) {
                return outcome;
            }
            // Told to those who waited for it, and to nobody who comes later.
            recent.remove(&what);
            if mine.is_none() {
                break;
            }
            // It was another's fetch that found no place; whoever has asked for less may find one.
        }
        Err(Missing::Busy)
    });
    task.await.unwrap_or(Err(Missing::Failed))
}

/// What is answered where there is no file.
fn missing(why: Missing) -> Response {
    match why {
        Missing::Failed => nothing(StatusCode::NOT_FOUND),
        Missing::Busy => {
            let mut response = nothing(StatusCode::SERVICE_UNAVAILABLE);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(COME_BACK));
            response
        }
    }
}

/// `GET /media/remote/attachments/{id}/{original|small}?…`.
pub async fn attachment(
    State(web): State<Web>,
    Path((id, size)): Path<(String, String)>,
    from: Origin,
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
        Some(key) => Ok(Kept { key: key.clone(), preview: a.preview_key.clone() }),
        None => fetched(&web, What::Attachment(a.id), from, fetch_attachment(web.clone(), from, a)).await,
    };
    match (kept, size.as_str()) {
        (Ok(kept), "original") => send(&web, &kept.key, &parts.headers, for_whom).await,
        (Ok(kept), "small") => send(&web, kept.preview.as_deref().unwrap_or(&kept.key), &parts.headers, for_whom).await,
        (Err(why), "original" | "small") => missing(why),
        _ => nothing(StatusCode::NOT_FOUND),
    }
}

async fn find_attachment(web: &Web, id: AttachmentId) -> Option<Attachment> {
    let mut conn = web.app.db.read().await.ok()?;
    storage::attachments::unchecked(&mut conn, id).await.ok()
}

async fn fetch_attachment(web: Web, from: Origin, a: Attachment) -> Outcome {
    let Body { bytes, kind, held } = fetch(&web, from, a.remote_url.as_deref().ok_or(Missing::Failed)?).await?;
    let kept = if kind.starts_with("image/") {
        let made = image::process(bytes, &limits(&web)).await.map_err(|why| not_made(&why))?;
        let key = stored(attachments::keep_of_post(&web.app, &made.original).await)?;
        Kept { key, preview: Some(stored(attachments::keep_of_post(&web.app, &made.preview).await)?) }
    } else {
        let extension = extension(&kind).ok_or(Missing::Failed)?;
        let key = stored(attachments::keep_file_of_post(&web.app, bytes, extension).await)?;
        Kept { key, preview: None }
    };
    drop(held);
    noted(app::remote_media::keep_attachment(&web.app, a.id, &kept.key, kept.preview.as_deref()).await)?;
    Ok(kept)
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
    from: Origin,
    headers: HeaderMap,
) -> Response {
    let kept = match (id.parse(), which.as_str()) {
        (Ok(id), "avatar") => kept_profile_image(&web, What::Avatar(id), id, from).await,
        (Ok(id), "header") => kept_profile_image(&web, What::Header(id), id, from).await,
        _ => Err(Missing::Failed),
    };
    match kept {
        Ok(kept) => send(&web, &kept.key, &headers, ForWhom::Everybody).await,
        Err(why) => missing(why),
    }
}

async fn kept_profile_image(web: &Web, what: What, id: AccountId, from: Origin) -> Outcome {
    let is_avatar = matches!(what, What::Avatar(_));
    let picture = known_profile_image(web, id, is_avatar).await.ok_or(Missing::Failed)?;
    if let Some(key) = picture.key {
        return Ok(Kept { key, preview: None });
    }
    let url = picture.remote_url.ok_or(Missing::Failed)?;
    fetched(web, what, from, fetch_profile_image(web.clone(), from, id, is_avatar, url)).await
}

async fn known_profile_image(web: &Web, id: AccountId, is_avatar: bool) -> Option<ProfileImage> {
    let mut conn = web.app.db.read().await.ok()?;
    let account = storage::accounts::get(&mut conn, id).await.ok().filter(|a| !a.is_suspended())?;
    if is_avatar { account.avatar } else { account.header }
}

async fn fetch_profile_image(web: Web, from: Origin, id: AccountId, is_avatar: bool, url: String) -> Outcome {
    let Body { bytes, held, .. } = fetch(&web, from, &url).await?;
    let limits = limits(&web);
    let made = if is_avatar { image::avatar(bytes, &limits).await } else { image::header(bytes, &limits).await };
    drop(held);
    let made = made.map_err(|why| not_made(&why))?;
    let made = stored(attachments::keep_profile_picture(&web.app, &made).await)?;
    let key = made.key.clone().ok_or(Missing::Failed)?;
    noted(app::remote_media::keep_profile_image(&web.app, id, is_avatar, &url, made).await)?;
    Ok(Kept { key, preview: None })
}

/// `GET /media/remote/emojis/{id}`.
pub async fn emoji(State(web): State<Web>, Path(id): Path<String>, from: Origin, headers: HeaderMap) -> Response {
    let kept = match id.parse() {
        Ok(id) => kept_emoji(&web, id, from).await,
        Err(_) => Err(Missing::Failed),
    };
    match kept {
        Ok(kept) => send(&web, &kept.key, &headers, ForWhom::Everybody).await,
        Err(why) => missing(why),
    }
}

async fn kept_emoji(web: &Web, id: EmojiId, from: Origin) -> Outcome {
    let emoji = known_emoji(web, id).await.ok_or(Missing::Failed)?;
    if let Some(key) = emoji.key {
        return Ok(Kept { key, preview: None });
    }
    let url = emoji.remote_url.ok_or(Missing::Failed)?;
    fetched(web, What::Emoji(id), from, fetch_emoji(web.clone(), from, id, url)).await
}

async fn known_emoji(web: &Web, id: EmojiId) -> Option<Emoji> {
    let mut conn = web.app.db.read().await.ok()?;
    storage::emojis::get(&mut conn, id).await.ok()
}

async fn fetch_emoji(web: Web, from: Origin, id: EmojiId, url: String) -> Outcome {
    let Body { bytes, held, .. } = fetch(&web, from, &url).await?;
    let made = image::process(bytes, &limits(&web)).await.map_err(|why| not_made(&why))?;
    drop(held);
    let key = stored(attachments::keep(&web.app, &made.original).await)?;
    noted(app::remote_media::keep_emoji(&web.app, id, &key).await)?;
    Ok(Kept { key, preview: None })
}

/// A file of another server, in memory.
struct Body {
    bytes: Bytes,
    /// The media type that its server gave it.
    kind: String,
    held: Arc<Held>,
}

/// The bytes at an address elsewhere.
async fn fetch(web: &Web, from: Origin, url: &str) -> Result<Body, Missing> {
    let url = Url::parse(url).map_err(|_| Missing::Failed)?;
    let want = Want::Media(web.federation.config.media_bytes);
    let budget = Budget::of(REQUESTS, Purpose::Picture, Asker::Address(from.0));
    match web.federation.client.get(&url, want, None, &budget).await {
        Ok(found) => {
            let kind = found.media_type.essence().to_owned();
            Ok(Body { bytes: found.body, kind, held: found.held })
        }
        Err(FetchError::Busy) => Err(Missing::Busy),
        Err(error) => {
            tracing::debug!(%error, host = url.host_str(), "a picture of another community was not fetched");
            Err(Missing::Failed)
        }
    }
}

fn not_made(why: &ImageError) -> Missing {
    if *why == ImageError::Unavailable { Missing::Busy } else { Missing::Failed }
}

fn stored<T>(done: app::Result<T>) -> Result<T, Missing> {
    done.inspect_err(|error| tracing::error!(%error, "a fetched picture cannot be kept")).map_err(|_| Missing::Failed)
}

fn noted(done: app::Result<()>) -> Result<(), Missing> {
    done.inspect_err(|error| tracing::warn!(%error, "where a fetched picture is kept was not noted"))
        .map_err(|_| Missing::Failed)
}

fn limits(web: &Web) -> ImageLimits {
    let ours = web.app.limits();
    ImageLimits {
        bytes: web.federation.config.media_bytes,
        pixels: ours.image_pixels,
        whose: Whose::Elsewhere,
        ..ImageLimits::default()
    }
}
