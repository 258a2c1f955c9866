//! The inbox: everything that is checked before an activity is accepted, cheapest first.
//!
//! Size, media type, depth, signature, digest, whose key it is, whether we speak with its community, whether it
//! came before; then one durable row and 202. Nothing else is fetched than the sender's key, nothing is processed
//! here. Whatever a stranger gets wrong is answered with a 4xx that says what, and logged no louder than debug.

use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::Host;
use futures_util::StreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use std::time::Duration;
use storage::{accounts, inbox_items};

use crate::Federation;
use crate::charges::SentBy;
use crate::client::MediaType;
use crate::digest as body_digest;
use crate::keys::UnknownSender;
use crate::routes::request_host;
use crate::signature::{Expect, ParsedSignature, SignatureError, parse};
use crate::wire::lenient;
use crate::wire::read::activity::{ActivityKind, Glance};

/// Bytes of an activity.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// For the whole body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// Why an activity was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("an activity has at most 1 MiB")]
    TooLarge,
    #[error("the body did not arrive")]
    Incomplete,
    #[error("too much is arriving here at the same time: try again later")]
    Busy,
    #[error("an activity is application/activity+json or application/ld+json")]
    MediaType,
    #[error("{0}")]
    Malformed(String),
    #[error("{0}")]
    Unsigned(String),
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("there is nobody of this name")]
    NoSuchAccount,
    #[error("try again later")]
    Unavailable,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Incomplete => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unsigned(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NoSuchAccount => StatusCode::NOT_FOUND,
            Self::Busy | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        tracing::debug!(%status, why = %self, "an activity was not accepted");
        (status, axum::Json(serde_json::json!({"error": self.to_string()}))).into_response()
    }
}

impl From<app::Error> for Refusal {
    fn from(e: app::Error) -> Self {
        // Ours to mend: the sender may try again.
        tracing::error!(error = %e, "an activity could not be accepted");
        Self::Unavailable
    }
}

impl From<storage::Error> for Refusal {
    fn from(e: storage::Error) -> Self {
        app::Error::from(e).into()
    }
}

impl From<SignatureError> for Refusal {
    fn from(e: SignatureError) -> Self {
        Self::Unsigned(e.to_string())
    }
}

impl From<UnknownSender> for Refusal {
    fn from(e: UnknownSender) -> Self {
        match e {
            UnknownSender::App(e) => e.into(),
            UnknownSender::Busy => Self::Unavailable,
            UnknownSender::Refused => Self::Forbidden("this community is not connected with yours"),
            // Not their fault if their server rests; they try again.
            e => Self::Unsigned(e.to_string()),
        }
    }
}

/// `POST /inbox` and `POST /actor/inbox`.
pub async fn shared(State(fed): State<Federation>, request: Request) -> Result<StatusCode, Refusal> {
    accept(&fed, request).await
}

/// `POST /users/{name}/inbox`.
pub async fn personal(
    State(fed): State<Federation>,
    Path(name): Path<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let mut conn = fed.app.db.read().await?;
    if !accounts::has_inbox(&mut conn, &name).await? {
        return Err(Refusal::NoSuchAccount);
    }
    drop(conn);
    accept(&fed, request).await
}

async fn accept(fed: &Federation, request: Request) -> Result<StatusCode, Refusal> {
    let (parts, body) = request.into_parts();
    let media_type = parts.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).and_then(MediaType::parse);
    if !media_type.is_some_and(|t| t.is_inbox_body()) {
        return Err(Refusal::MediaType);
    }
    let parsed = {
        let mut headers = parts.headers.clone();
        request_host(&parts, &mut headers);
        let target = parts.uri.path_and_query().map_or("/", |t| t.as_str());
        parse(&Expect {
            method: &parts.method,
            target,
            headers: &headers,
            domain: fed.app.urls.domain(),
            digest: true,
            now: fed.app.now(),
        })?
    };
    let body = read_body(&parts.headers, body).await?;
    check_digest(&parts.headers, &parsed, &body)?;
    let value = lenient::parse(&body).map_err(|e| Refusal::Malformed(e.to_string()))?;
    let glance = Glance::read(&value).map_err(|e| Refusal::Malformed(e.to_string()))?;

    if fed.app.urls.is_ours(&glance.actor) {
        return Err(Refusal::Forbidden("our own members do not come through here"));
    }
    let host =
        Host::of_address(&glance.actor).ok_or_else(|| Refusal::Malformed("the actor is no address".to_owned()))?;
    if fed.is_suspended(&host).await? {
        return Err(Refusal::Forbidden("this community is not connected with yours"));
    }
    if glance.deletes_itself && !is_known(fed, &glance.actor).await? {
        // Nobody we knew: its key is gone with it, and there is nothing to delete.
        return Ok(StatusCode::ACCEPTED);
    }
    let sender = match fed.sender(&parsed, Some(&glance.actor), SentBy::of(&parts)).await {
        // It is gone and says so: that is all there is to know.
        Err(UnknownSender::Gone) if glance.deletes_itself => return Ok(StatusCode::ACCEPTED),
        sender => sender?,
    };
    if sender.suspended || fed.is_suspended(&sender.domain).await? {
        return Err(Refusal::Forbidden("this account is not welcome here"));
    }
    if glance.kind.is_none() {
        // A type we do not know, properly signed: taken and dropped.
        return Ok(StatusCode::ACCEPTED);
    }
    let text = std::str::from_utf8(&body).map_err(|_| Refusal::Malformed("not JSON".to_owned()))?;
    // Signed by somebody else than its actor: kept as a hint, to be asked for at its origin.
    let forwarded = sender.uri != glance.actor;
    let item = inbox_items::New {
        fingerprint: fingerprint(&glance, &sender.uri, text),
        again: glance.kind.is_some_and(ActivityKind::may_be_said_again) && !forwarded,
        activity_uri: glance.id.as_deref().unwrap_or_default(),
        actor: sender.id,
        host: &sender.domain,
        body: text,
        about: glance.about.as_deref(),
        forwarded,
    };
    let mut tx = fed.app.db.write_once().await?;
    if inbox_items::accept(&mut tx, item).await? {
        tx.commit().await?;
    }
    Ok(StatusCode::ACCEPTED)
}

/// The body, never more than the limit, never waited for longer than the timeout. Memory is taken for what came, not for
/// what was announced.
async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if announced.is_some_and(|n| n > BODY_LIMIT) {
        return Err(Refusal::TooLarge);
    }
    let read = async {
        let mut whole = bytes::BytesMut::new();
        let mut stream = body.into_data_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|e| if is_busy(&e) { Refusal::Busy } else { Refusal::Incomplete })?;
            if whole.len() + chunk.len() > BODY_LIMIT {
                return Err(Refusal::TooLarge);
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    };
    tokio::time::timeout(BODY_TIMEOUT, read).await.map_err(|_| Refusal::Incomplete)?
}

/// Whoever listens for connections refused more of the body, because its sender has too much under way.
fn is_busy(error: &axum::Error) -> bool {
    std::iter::successors(std::error::Error::source(error), |e| e.source())
        .filter_map(|e| e.downcast_ref::<std::io::Error>())
        .any(|e| e.kind() == std::io::ErrorKind::ResourceBusy)
}

fn check_digest(headers: &HeaderMap, parsed: &ParsedSignature, body: &[u8]) -> Result<(), Refusal> {
    let header = parsed.digest_header().ok_or(SignatureError::NotCovered("digest"))?;
    body_digest::check(headers, header, body).map_err(|e| Refusal::Unsigned(e.to_string()))
}

async fn is_known(fed: &Federation, actor: &str) -> Result<bool, Refusal> {
    let mut conn = fed.app.db.read().await?;
    Ok(accounts::by_uri(&mut conn, actor).await?.is_some())
}

/// What an activity is known by. What may be said again: by what it would be taken back by, or its id, to know when it
/// came first. Anything else by all of it, for some servers give several activities one id. What is passed on: by its
/// id, for each of those who pass it on writes it anew.
fn fingerprint(glance: &Glance, signed_by: &str, text: &str) -> [u8; 16] {
    let again = glance.kind.is_some_and(ActivityKind::may_be_said_again);
    let known_by = match (again, signed_by == glance.actor) {
        (true, true) => glance.about.as_deref().or(glance.id.as_deref()),
        (false, true) => None,
        (_, false) => glance.id.as_deref(),
    };
    fingerprint_of(signed_by, known_by.unwrap_or(text))
}

/// In the name of who signed it: nobody takes another's ids, and what is passed on never stands in the way of what its
/// actor sends.
pub(crate) fn fingerprint_of(signed_by: &str, known_by: &str) -> [u8; 16] {
    let mut context = Context::new(&SHA256);
    for part in [signed_by, "\n", known_by] {
        context.update(part.as_bytes());
    }
    let hash = context.finish();
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    short
}
