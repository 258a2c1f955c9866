//! Parameters as Mastodon's clients send them: in the query, as JSON, as a form, as multipart, in any mixture.
//!
//! A handler names a struct and takes [`Query`] (no body is read) or [`Body`] (query and body, the body wins).
//! Sizes, depth and number of parameters are bounded before anything is read into types. Never stores anything.

mod read;
mod tree;

use std::collections::HashMap;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Request};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use crate::auth::Presented;
use tree::Node;

/// Bytes of a body without files.
pub const MAX_BODY: usize = 1024 * 1024;
/// Bytes of a body with files: the largest file plus its surroundings is checked again by the upload itself.
pub const MAX_UPLOAD: usize = 64 * 1024 * 1024;
/// Parts of a multipart body.
const MAX_PARTS: usize = 200;

/// Why parameters were refused before anybody looked at their meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    Malformed(String),
    TooDeep,
    TooMany,
    TooLarge,
    WrongMedia,
    WrongType(String),
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed(why) => Error::BadRequest(why),
            Refused::TooDeep => Error::BadRequest("the parameters are nested too deeply".to_owned()),
            Refused::TooMany => Error::BadRequest("there are too many parameters".to_owned()),
            Refused::TooLarge => Error::TooLarge,
            Refused::WrongMedia => Error::UnsupportedMedia,
            Refused::WrongType(why) => Error::Invalid(why),
        }
    }
}

fn typed<T: DeserializeOwned>(node: Node) -> Result<T, Refused> {
    read::read(node).map_err(|e| Refused::WrongType(e.to_string()))
}

/// Parameters of the query alone.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut tree = Node::default();
        if let Some(query) = parts.uri.query() {
            tree.add_form(query)?;
        }
        Ok(Self(typed(tree)?))
    }
}

/// Parameters of query and body; files, if any, are dropped.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Error> {
        let presented = Presented::of(request.extensions_mut());
        let (tree, _) = read_request(request, state, MAX_BODY).await?;
        presented.check_again().await?;
        Ok(Self(typed(tree)?))
    }
}

/// A file of a multipart body.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The media type that the client claimed.
    pub mime: Option<String>,
    pub bytes: Bytes,
}

/// Parameters of query and body, and the files by their names.
#[derive(Debug)]
pub struct WithFiles<T> {
    pub params: T,
    pub files: HashMap<String, Upload>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for WithFiles<T> {
    type Rejection = Error;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Error> {
        let presented = Presented::of(request.extensions_mut());
        let (tree, files) = read_request(request, state, MAX_UPLOAD).await?;
        presented.check_again().await?;
        Ok(Self { params: typed(tree)?, files })
    }
}

async fn read_request<S: Send + Sync>(
    request: Request,
    state: &S,
    limit: usize,
) -> Result<(Node, HashMap<String, Upload>), Error> {
    let mut tree = Node::default();
    if let Some(query) = request.uri().query() {
        tree.add_form(query)?;
    }
    let mut files = HashMap::new();
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .map(|v| v.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .unwrap_or_default();
    match kind.as_str() {
        "multipart/form-data" => files = add_multipart(&mut tree, request, state, limit).await?,
        "application/x-www-form-urlencoded" => {
            let bytes = whole(request, MAX_BODY).await?;
            let text = std::str::from_utf8(&bytes).map_err(|_| Refused::Malformed("not valid UTF-8".to_owned()))?;
            tree.add_form(text)?;
        }
        "" | "text/plain" => {
            // No type: an empty body, or an app that forgot to say that it sends JSON.
            let bytes = whole(request, MAX_BODY).await?;
            if bytes.first() == Some(&b'{') {
                tree.add_json(&bytes)?;
            } else if !bytes.is_empty() && kind.is_empty() {
                return Err(Refused::WrongMedia.into());
            }
        }
        json if json == "application/json" || json.ends_with("+json") => {
            let bytes = whole(request, MAX_BODY).await?;
            tree.add_json(&bytes)?;
        }
        _ => {
            let bytes = whole(request, MAX_BODY).await?;
            if !bytes.is_empty() {
                return Err(Refused::WrongMedia.into());
            }
        }
    }
    Ok((tree, files))
}

async fn whole(request: Request, limit: usize) -> Result<Bytes, Refused> {
    to_bytes(request.into_body(), limit).await.map_err(|e| {
        let too_large = std::iter::successors(std::error::Error::source(&e), |e| e.source())
            .any(|e| e.is::<http_body_util::LengthLimitError>());
        if too_large { Refused::TooLarge } else { Refused::Malformed("the body ended early".to_owned()) }
    })
}

async fn add_multipart<S: Send + Sync>(
    tree: &mut Node,
    mut request: Request,
    state: &S,
    limit: usize,
) -> Result<HashMap<String, Upload>, Error> {
    // Our own limit below counts what was read; the framework's default of 2 MB would cut pictures off.
    axum::extract::DefaultBodyLimit::max(limit).apply(&mut request);
    let broken = |e: axum::extract::multipart::MultipartError| {
        if e.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
            Refused::TooLarge
        } else {
            Refused::Malformed(format!("not valid multipart: {}", e.body_text()))
        }
    };
    let mut parts = Multipart::from_request(request, state)
        .await
        .map_err(|_| Refused::Malformed("multipart without a boundary".to_owned()))?;
    let (mut files, mut left, mut count) = (HashMap::new(), limit, 0);
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        count += 1;
        if count > MAX_PARTS {
            return Err(Refused::TooMany.into());
        }
        let Some(name) = part.name().map(str::to_owned) else { continue };
        let is_file = part.file_name().is_some();
        let mime = part.content_type().map(str::to_owned);
        let mut bytes = BytesMut::new();
        while let Some(chunk) = part.chunk().await.map_err(broken)? {
            left = left.checked_sub(chunk.len()).ok_or(Refused::TooLarge)?;
            if !is_file && bytes.len() + chunk.len() > MAX_BODY {
                return Err(Refused::TooLarge.into());
            }
            bytes.extend_from_slice(&chunk);
        }
        if is_file {
            files.insert(name, Upload { mime, bytes: bytes.freeze() });
        } else {
            let text =
                String::from_utf8(bytes.to_vec()).map_err(|_| Refused::Malformed("not valid UTF-8".to_owned()))?;
            tree.add(&name, text)?;
        }
    }
    Ok(files)
}

/// An id in the path. What is no id finds nothing: 404.
#[derive(Debug, Clone, Copy)]
pub struct PathId<I>(pub I);

impl<I: From<i64> + Send, S: Send + Sync> FromRequestParts<S> for PathId<I> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Error::NotFound)?;
        id(&text).map(|raw| Self(I::from(raw))).ok_or(Error::NotFound)
    }
}

/// A name in the path. What is no text finds nothing: 404.
#[derive(Debug, Clone)]
pub struct PathName(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathName {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        Path::<String>::from_request_parts(parts, state).await.map(|Path(name)| Self(name)).map_err(|_| Error::NotFound)
    }
}

/// A decimal id, or nothing.
#[must_use]
pub fn id(text: &str) -> Option<i64> {
    text.trim().parse::<domain::PostId>().ok().map(i64::from)
}

/// An id among the parameters: text or number. Empty text is "none given".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OptionalId(pub Option<i64>);

impl<'de> Deserialize<'de> for OptionalId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(d)?.unwrap_or_default();
        if text.trim().is_empty() {
            return Ok(Self(None));
        }
        id(&text).map(|raw| Self(Some(raw))).ok_or_else(|| serde::de::Error::custom("is not an id"))
    }
}

/// A list of ids. What is no id is left out: it would find nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids(pub Vec<i64>);

impl Ids {
    /// The ids as a type of the domain, each once, in the order they were named.
    pub fn of<I: From<i64>>(&self) -> Vec<I> {
        let mut seen = std::collections::HashSet::new();
        self.0.iter().filter(|id| seen.insert(**id)).map(|id| I::from(*id)).collect()
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let texts = Option::<Vec<String>>::deserialize(d)?.unwrap_or_default();
        Ok(Self(texts.iter().filter_map(|t| id(t)).collect()))
    }
}

#[cfg(test)]
mod tests;
