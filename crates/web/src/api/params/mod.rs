//! Parameters as Mastodon's clients send them: in the query, as JSON, as a form, as multipart, in any mixture.
//!
//! A handler names a struct and takes [`Query`] (no body is read) or [`Body`] (query and body, the body wins).
//! Sizes, depth and number of parameters are bounded before anything is read into types. Files go to the disk as they
//! come, so that they take no memory; whoever wants some asks for the scope first. Never stores anything.

mod list;
mod read;
mod tree;

use std::collections::HashMap;

use ::media::{Sent, TemporaryFile};
use axum::body::HttpBody;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Request};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use crate::auth::Presented;
use crate::limits::Origin;
use crate::shares::{BodyMemory, Share};
use crate::state::Web;
pub use list::{Ids, List, OneOrMore};
use tree::Node;

/// Bytes of a body without files.
pub const MAX_BODY: usize = 1024 * 1024;
/// Files that one request may bring: an avatar and a header.
const MAX_FILES: usize = 2;
/// Parts of a multipart body.
const MAX_PARTS: usize = 200;

/// Why parameters were refused before anybody looked at their meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    Malformed(String),
    TooDeep,
    TooMany,
    TooLarge,
    /// A file, of which at most so many bytes are taken.
    FileTooLarge(usize),
    /// It did not come in time.
    TooSlow,
    /// Its sender, or everybody together, has too much under way.
    Busy,
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
            Refused::FileTooLarge(limit) => Error::Invalid(format!("file is too large: at most {limit} bytes")),
            Refused::TooSlow => Error::TooSlow,
            Refused::Busy => Error::Unavailable,
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

    async fn from_request(mut request: Request, _: &S) -> Result<Self, Error> {
        let presented = Presented::of(request.extensions_mut());
        let (tree, _) = read_request(request, Files::Dropped).await?;
        presented.check_again().await?;
        Ok(Self(typed(tree)?))
    }
}

/// A file of a multipart body.
#[derive(Debug)]
pub struct Upload {
    /// The media type that the client claimed.
    pub mime: Option<String>,
    pub sent: Sent,
    /// Its share of the disk, until it was dealt with.
    _disk: Share,
}

/// Parameters of query and body, and the files by their names.
#[derive(Debug)]
pub struct WithFiles<T> {
    pub params: T,
    pub files: HashMap<String, Upload>,
}

impl<T: DeserializeOwned> FromRequest<Web> for WithFiles<T> {
    type Rejection = Error;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        let presented = Presented::of(&mut parts.extensions);
        let Ok(from) = Origin::from_request_parts(&mut parts, web).await;
        let most = web.app.limits().image_bytes;
        let kept = Files::Kept { web, from, memory: parts.extensions.get().cloned(), most };
        let (tree, files) = read_request(Request::from_parts(parts, body), kept).await?;
        presented.check_again().await?;
        Ok(Self { params: typed(tree)?, files })
    }
}

/// What becomes of a multipart body's files.
enum Files<'a> {
    Dropped,
    /// They are written to the disk, none with more than `most` bytes.
    Kept {
        web: &'a Web,
        from: Origin,
        memory: Option<BodyMemory>,
        most: usize,
    },
}

impl Files<'_> {
    /// Bytes of the whole body.
    fn limit(&self) -> usize {
        match self {
            Self::Dropped => MAX_BODY,
            Self::Kept { most, .. } => most.saturating_mul(MAX_FILES).saturating_add(MAX_BODY),
        }
    }
}

async fn read_request(request: Request, kept: Files<'_>) -> Result<(Node, HashMap<String, Upload>), Error> {
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
        "multipart/form-data" => files = add_multipart(&mut tree, request, kept).await?,
        "application/x-www-form-urlencoded" => {
            let bytes = whole(request).await?;
            let text = std::str::from_utf8(&bytes).map_err(|_| Refused::Malformed("not valid UTF-8".to_owned()))?;
            tree.add_form(text)?;
        }
        "" | "text/plain" => {
            // No type: an empty body, or an app that forgot to say that it sends JSON.
            let bytes = whole(request).await?;
            if bytes.first() == Some(&b'{') {
                tree.add_json(&bytes)?;
            } else if !bytes.is_empty() && kind.is_empty() {
                return Err(Refused::WrongMedia.into());
            }
        }
        json if json == "application/json" || json.ends_with("+json") => {
            let bytes = whole(request).await?;
            tree.add_json(&bytes)?;
        }
        _ => {
            let bytes = whole(request).await?;
            if !bytes.is_empty() {
                return Err(Refused::WrongMedia.into());
            }
        }
    }
    Ok((tree, files))
}

/// A body without files. Its pieces are joined as they come: many small ones would take more memory than their bytes.
async fn whole(request: Request) -> Result<Bytes, Refused> {
    let announced = HttpBody::size_hint(request.body()).lower();
    if announced > MAX_BODY as u64 {
        return Err(Refused::TooLarge);
    }
    let (mut pieces, mut whole) = (request.into_body().into_data_stream(), BytesMut::new());
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|e| lost(&e).unwrap_or(Refused::Malformed("the body ended early".to_owned())))?;
        if whole.len() + piece.len() > MAX_BODY {
            return Err(Refused::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// Why whoever listens for connections gave a body up, if it did: see `server::listener`.
fn lost(error: &(dyn std::error::Error + 'static)) -> Option<Refused> {
    std::iter::successors(Some(error), |e| e.source()).find_map(|e| match e.downcast_ref::<std::io::Error>()?.kind() {
        std::io::ErrorKind::TimedOut => Some(Refused::TooSlow),
        std::io::ErrorKind::ResourceBusy => Some(Refused::Busy),
        _ => None,
    })
}

async fn add_multipart(
    tree: &mut Node,
    mut request: Request,
    kept: Files<'_>,
) -> Result<HashMap<String, Upload>, Error> {
    let limit = kept.limit();
    let too_large = match &kept {
        Files::Dropped => Refused::TooLarge,
        Files::Kept { most, .. } => Refused::FileTooLarge(*most),
    };
    if HttpBody::size_hint(request.body()).lower() > limit as u64 {
        return Err(too_large.into());
    }
    // Our own limit below counts what was read; the framework's default of 2 MB would cut pictures off.
    axum::extract::DefaultBodyLimit::max(limit).apply(&mut request);
    let broken = |e: axum::extract::multipart::MultipartError| {
        if e.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
            return too_large.clone();
        }
        lost(&e).unwrap_or_else(|| Refused::Malformed(format!("not valid multipart: {}", e.body_text())))
    };
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|_| Refused::Malformed("multipart without a boundary".to_owned()))?;
    let (mut files, mut left, mut count) = (HashMap::new(), limit, 0);
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        count += 1;
        if count > MAX_PARTS {
            return Err(Refused::TooMany.into());
        }
        let Some(name) = part.name().map(str::to_owned) else { continue };
        let mut arriving = match (is_file(&part), &kept) {
            (false, _) => Arriving::Text(BytesMut::new()),
            (true, Files::Dropped) => Arriving::Nothing,
            (true, Files::Kept { .. }) if files.len() >= MAX_FILES => return Err(Refused::TooMany.into()),
            (true, Files::Kept { web, from, memory, most }) => Arriving::File {
                file: web.app.media.temporary().await.map_err(unwritable)?,
                disk: web.uploads.open(Some(*from)),
                memory: memory.clone(),
                most: *most,
                mime: part.content_type().map(str::to_owned),
            },
        };
        while let Some(chunk) = part.chunk().await.map_err(broken)? {
            left = left.checked_sub(chunk.len()).ok_or_else(|| too_large.clone())?;
            arriving.add(&chunk).await?;
        }
        match arriving {
            Arriving::Nothing => {}
            Arriving::Text(bytes) => {
                let text =
                    String::from_utf8(bytes.to_vec()).map_err(|_| Refused::Malformed("not valid UTF-8".to_owned()))?;
                tree.add(&name, text)?;
            }
            Arriving::File { file, disk, mime, .. } => {
                files.insert(name, Upload { mime, sent: file.into(), _disk: disk });
            }
        }
    }
    Ok(files)
}

/// A part of a multipart body, as far as it has come.
enum Arriving {
    Nothing,
    Text(BytesMut),
    File { file: TemporaryFile, disk: Share, memory: Option<BodyMemory>, most: usize, mime: Option<String> },
}

impl Arriving {
    async fn add(&mut self, chunk: &[u8]) -> Result<(), Error> {
        match self {
            Self::Nothing => {}
            Self::Text(bytes) => {
                if bytes.len() + chunk.len() > MAX_BODY {
                    return Err(Refused::TooLarge.into());
                }
                bytes.extend_from_slice(chunk);
            }
            Self::File { file, disk, memory, most, .. } => {
                if file.len() + chunk.len() > *most {
                    return Err(Refused::FileTooLarge(*most).into());
                }
                disk.take(chunk.len()).map_err(|_| Refused::Busy)?;
                file.write(chunk).await.map_err(unwritable)?;
                if let Some(BodyMemory(memory)) = memory {
                    memory.give_back(chunk.len());
                }
            }
        }
        Ok(())
    }
}

fn unwritable(error: ::media::StoreError) -> Error {
    tracing::warn!(%error, "an upload cannot be written");
    Error::Unavailable
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

#[cfg(test)]
mod tests;

/// A part with a file name, in either way of writing one (RFC 5987), or that says that it is something to look at or
/// listen to, or is called as files are: some programs leave the name out.
fn is_file(part: &Field<'_>) -> bool {
    let disposition = part.headers().get(CONTENT_DISPOSITION).map(HeaderValue::as_bytes).unwrap_or_default();
    let extended = disposition.to_ascii_lowercase().windows(10).any(|at| at == b"filename*=");
    let media =
        |mime: &str| ["image/", "video/", "audio/", "application/octet-stream"].iter().any(|of| mime.starts_with(of));
    part.file_name().is_some() || extended || part.content_type().is_some_and(media) || part.name() == Some("file")
}
