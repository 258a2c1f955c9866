//! `GET /media/{key}`: a file of the store, whole or in part (RFC 9110, section 14).

use std::ops::Range;

use ::media::StoreError;
use ::media::store::Opened;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::access::{ForWhom, given};
use crate::state::Web;

pub async fn file(State(web): State<Web>, Path(key): Path<String>, mut parts: Parts) -> Response {
    let Ok(known) = ::media::MediaKey::parse(&key) else { return nothing(StatusCode::NOT_FOUND) };
    match for_whom(&web, &known, &mut parts).await {
        Ok(Some(for_whom)) => send(&web, &key, &parts.headers, for_whom).await,
        Ok(None) => nothing(StatusCode::NOT_FOUND),
        Err(error) => unknown(&error),
    }
}

/// Names of what posts show tell it by themselves: where nothing is known of one, nobody may see it.
async fn for_whom(web: &Web, key: &::media::MediaKey, parts: &mut Parts) -> app::Result<Option<ForWhom>> {
    if !key.is_of_post() {
        return Ok((!web.federation.refuses(parts).await?).then_some(ForWhom::Everybody));
    }
    let found = storage::attachments::unchecked_by_key(&mut web.app.db.read().await?, key.as_str()).await?;
    let Some(attachment) = found else { return Ok(None) };
    let proven = web.app.files.proven(key.as_str(), parts.uri.query(), web.app.now());
    given(web, &attachment, proven, parts).await
}

/// Sends the file of this name, as the request's headers want it. Whether it may be is decided by then.
pub async fn send(web: &Web, key: &str, headers: &HeaderMap, for_whom: ForWhom) -> Response {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let Ok(known) = ::media::MediaKey::parse(key) else { return nothing(StatusCode::NOT_FOUND) };
    let etag = known.etag();
    if text(header::IF_NONE_MATCH).is_some_and(|tags| names(tags, &etag)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        describe(response.headers_mut(), &etag, for_whom);
        return response;
    }
    let wanted = text(header::RANGE).filter(|_| text(header::IF_RANGE).is_none_or(|tag| tag == etag)).and_then(parse);
    let opened = match wanted {
        None => web.app.media.open(key, None).await,
        Some(Part::From(ref range)) => web.app.media.open(key, Some(range.clone())).await,
        Some(Part::Last(count)) => last(web, key, count).await,
    };
    match opened {
        Ok(opened) => answer(opened, wanted.is_some(), for_whom),
        Err(StoreError::NotFound) => nothing(StatusCode::NOT_FOUND),
        Err(StoreError::OutOfRange { length }) => {
            let mut response = nothing(StatusCode::RANGE_NOT_SATISFIABLE);
            if let Ok(range) = HeaderValue::from_str(&format!("bytes */{length}")) {
                response.headers_mut().insert(header::CONTENT_RANGE, range);
            }
            response
        }
        Err(StoreError::Failed(why)) => {
            tracing::error!(%why, key, "a file cannot be read");
            nothing(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

async fn last(web: &Web, key: &str, count: u64) -> Result<Opened, StoreError> {
    let total = web.app.media.open(key, None).await?.total;
    web.app.media.open(key, Some(total.saturating_sub(count)..total)).await
}

fn answer(opened: Opened, part: bool, for_whom: ForWhom) -> Response {
    let length = opened.range.end - opened.range.start;
    let range = format!("bytes {}-{}/{}", opened.range.start, opened.range.end.saturating_sub(1), opened.total);
    let mut response = Response::new(Body::from_stream(opened.stream));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(opened.content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    describe(headers, &opened.etag, for_whom);
    if part && let Ok(range) = HeaderValue::from_str(&range) {
        headers.insert(header::CONTENT_RANGE, range);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

/// A file never changes under its name, and nothing in it runs. What is not for everybody may lie in the cache of
/// whoever was given it, which has to ask each time whether she still may see it; and no page elsewhere reads it.
fn describe(headers: &mut HeaderMap, etag: &str, for_whom: ForWhom) {
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, etag);
    }
    match for_whom {
        ForWhom::Everybody => {
            let cache = HeaderValue::from_static("public, max-age=31536000, immutable");
            headers.insert(header::CACHE_CONTROL, cache);
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        ForWhom::Some => {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        }
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::CONTENT_DISPOSITION, "inline"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Whether it may be sent cannot be known now.
pub(super) fn unknown(error: &app::Error) -> Response {
    tracing::error!(%error, "who may see a file cannot be known");
    nothing(StatusCode::SERVICE_UNAVAILABLE)
}

pub(super) fn nothing(status: StatusCode) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers).into_response()
}

/// Is this tag among those of an `If-None-Match` (RFC 9110, section 13.1.2)?
pub(crate) fn names(tags: &str, etag: &str) -> bool {
    let same = |given: &str| given.strip_prefix("W/").unwrap_or(given) == etag;
    tags.trim() == "*" || tags.split(',').any(|given| same(given.trim()))
}

/// A part that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    From(Range<u64>),
    /// So many bytes at the end.
    Last(u64),
}

/// One range of bytes. Several at once, or anything else, is answered with the whole file, as the RFC allows.
fn parse(text: &str) -> Option<Part> {
    let spec = text.trim().strip_prefix("bytes=")?.trim();
    let (from, to) = spec.split_once('-')?;
    match (from.trim(), to.trim()) {
        ("", "") => None,
        ("", count) => count.parse().ok().map(Part::Last),
        (from, "") => from.parse().ok().map(|from| Part::From(from..u64::MAX)),
        (from, to) => {
            let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
            (from <= to).then(|| Part::From(from..to.saturating_add(1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_anything_else_is_the_whole_file() {
        assert_eq!(parse("bytes=0-99"), Some(Part::From(0..100)));
        assert_eq!(parse("bytes=5-"), Some(Part::From(5..u64::MAX)));
        assert_eq!(parse("bytes=-7"), Some(Part::Last(7)));
        for other in ["bytes=9-3", "bytes=0-1,4-5", "bytes=-", "lines=1-2", "", "bytes=a-b"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
