//! `GET /media/{key}`: a file of the store, whole or in part (RFC 9110, section 14).

use std::ops::Range;

use ::media::StoreError;
use ::media::store::Opened;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::state::Web;

pub async fn file(State(web): State<Web>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    send(&web, &key, &headers).await
}

/// Sends the file of this name, as the request's headers want it.
pub async fn send(web: &Web, key: &str, headers: &HeaderMap) -> Response {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let Ok(known) = ::media::MediaKey::parse(key) else { return nothing(StatusCode::NOT_FOUND) };
    let etag = known.etag();
    let for_whom = for_whom(web, key).await;
    if text(header::IF_NONE_MATCH).is_some_and(|tags| tags == "*" || tags.split(',').any(|t| same(t, &etag))) {
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

/// Who may see what a file shows. Whoever knows its name may load it all the same (docs/adr/0006).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ForWhom {
    Everybody,
    Some,
}

/// When the database does not say, it is not for everybody.
async fn for_whom(web: &Web, key: &str) -> ForWhom {
    let asked = async {
        let mut conn = web.app.db.read().await?;
        storage::attachments::is_private(&mut conn, key).await
    };
    match asked.await {
        Ok(false) => ForWhom::Everybody,
        Ok(true) => ForWhom::Some,
        Err(error) => {
            tracing::warn!(%error, "for whom a file is cannot be known");
            ForWhom::Some
        }
    }
}

/// A file never changes under its name, and nothing in it runs. What is not for everybody stays in no cache, and no
/// page elsewhere reads it.
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
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
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

pub(super) fn nothing(status: StatusCode) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers).into_response()
}

fn same(given: &str, etag: &str) -> bool {
    let given = given.trim();
    given.strip_prefix("W/").unwrap_or(given) == etag
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
