//! The one door through which this server asks others: guarded addresses, limits on time and size, redirects
//! followed by hand.
//!
//! Never keeps cookies, never uses a proxy from the environment, never follows a redirect unchecked, never reads
//! more than it was told to. Whoever fetches in the name of a received activity passes a [`Budget`].

mod error;
mod guard;
mod media_type;
mod turns;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{Clock, Host, Urls};
use http::header::{ACCEPT, CONTENT_TYPE, DATE, HOST, LOCATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

pub use error::FetchError;
pub use guard::{Guard, Refused};
pub use media_type::MediaType;
pub use turns::{Asker, Held, Purpose};
use turns::{Turn, Turns};

use crate::charges::{Charges, Party};
use crate::config::Config;
use crate::policies::Policies;
use crate::signature::{SigningKey, sign};
use crate::wire::lenient;

/// For one request with all its redirects, the body included; waiting for a turn is not counted.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REDIRECTS: usize = 3;
/// Bytes of a JSON document.
pub const JSON_LIMIT: usize = 1024 * 1024;
/// Bytes of an answer to a delivery that are read so that the connection can be used again.
const ANSWER_LIMIT: usize = 16 * 1024;
const ACTIVITY: &str =
    r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
/// Beside what the platform keeps elsewhere; read where `SSL_CERT_FILE` would hide them.
const PLATFORM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A server that answered so much before the time was over is slow, but it does answer.
const ANSWERED: usize = 256 * 1024;

/// How many requests one occasion may still cause, what for, in whose name it waits for its turns, and whom it is
/// charged to. Shared by everything that the occasion leads to.
#[derive(Debug)]
pub struct Budget {
    left: AtomicU32,
    purpose: Purpose,
    asker: Asker,
    payer: Option<Payer>,
}

#[derive(Debug)]
struct Payer {
    charges: Arc<Charges>,
    party: Party,
    /// The hosts that were asked.
    asked: Mutex<Vec<Host>>,
}

impl Budget {
    /// For work that nobody waits for.
    #[must_use]
    pub fn new(requests: u32) -> Self {
        Self::of(requests, Purpose::Work, Asker::Nobody)
    }

    #[must_use]
    pub fn of(requests: u32, purpose: Purpose, asker: Asker) -> Self {
        Self { left: AtomicU32::new(requests), purpose, asker, payer: None }
    }

    /// From now on every request counts against what `party` may cause, too.
    pub(crate) fn charged_to(self, party: Party, charges: &Arc<Charges>) -> Self {
        let payer = Payer { charges: Arc::clone(charges), party, asked: Mutex::default() };
        Self { payer: Some(payer), ..self }
    }

    /// Takes one request to this host out of the budget.
    ///
    /// # Errors
    /// [`FetchError::Budget`] when none is left, [`FetchError::TooOften`] when whoever it is for caused too many.
    fn spend(&self, host: &Host) -> Result<(), FetchError> {
        self.left
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .map_err(|_| FetchError::Budget)?;
        let Some(payer) = &self.payer else { return Ok(()) };
        if !payer.charges.take(&payer.party, host) {
            return Err(FetchError::TooOften);
        }
        payer.asked.lock().unwrap_or_else(PoisonError::into_inner).push(host.clone());
        Ok(())
    }

    /// What was asked for was found: it costs nothing.
    pub(crate) fn give_back(&self) {
        let Some(payer) = &self.payer else { return };
        for host in payer.asked.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            payer.charges.give_back(&payer.party, &host);
        }
    }
}

/// The kind of answer that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// An ActivityPub document.
    Activity,
    /// A WebFinger answer.
    Jrd,
    /// Any JSON, such as NodeInfo.
    Json,
    /// A host-meta document.
    Xrd,
    /// A picture, video or sound, of at most so many bytes.
    Media(usize),
}

impl Want {
    fn accept(self) -> &'static str {
        match self {
            Self::Activity => ACTIVITY,
            Self::Jrd => "application/jrd+json, application/json",
            Self::Json => "application/json",
            Self::Xrd => "application/xrd+xml, application/xml",
            Self::Media(_) => "image/*, video/*, audio/*",
        }
    }

    fn limit(self) -> usize {
        match self {
            Self::Media(limit) => limit,
            _ => JSON_LIMIT,
        }
    }

    fn takes(self, found: &MediaType) -> bool {
        match self {
            Self::Activity => found.is_activity(),
            Self::Jrd | Self::Json => found.is_json(),
            Self::Xrd => matches!(found.essence(), "application/xrd+xml" | "application/xml" | "text/xml"),
            Self::Media(_) => found.is_media(),
        }
    }
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Where it came from, after redirects.
    pub url: Url,
    pub media_type: MediaType,
    pub body: Bytes,
    /// Counts the body as being in memory; kept for as long as it is.
    pub held: Arc<Held>,
}

/// How another server took a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Seconds it asked us to wait.
    pub retry_after: Option<u64>,
}

/// A request on the way to an answer.
#[derive(Debug, Clone)]
struct Step {
    url: Url,
    /// Signed with its query, as most servers expect.
    with_query: bool,
    redirects: usize,
}

/// What a request led to.
enum Answered {
    /// To another request.
    Elsewhere(Step),
    Whole {
        media_type: MediaType,
        body: Bytes,
    },
}

/// The guarded client. Cheap to clone; connections are shared.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    guard: Guard,
    /// Which hosts get nothing; every host gets something where there are none.
    policies: Option<Policies>,
    clock: Clock,
    user_agent: HeaderValue,
    turns: Turns,
}

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    #[error("SSL_CERT_FILE ({path}) cannot be read: {why}")]
    Roots { path: String, why: String },
    #[error("the TLS library refused: {0}")]
    Tls(String),
}

impl Client {
    /// # Errors
    /// When `SSL_CERT_FILE` names a file that cannot be read, or TLS cannot be set up.
    pub fn new(config: &Config, urls: &Urls, clock: Clock) -> Result<Self, SetUpError> {
        let guard = Guard::new(config);
        let mut builder = reqwest::Client::builder()
            .dns_resolver(guard.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(4)
            .pool_idle_timeout(Duration::from_secs(45))
            // One request at a time for each connection: the form in which every server sees our Host header.
            .http1_only()
            .tcp_nodelay(true);
        builder = builder.tls_certs_merge(extra_roots()?);
        let http = builder.build().map_err(|e| SetUpError::Tls(e.to_string()))?;
        let user_agent = format!("Porchlight/{} (+{}/)", env!("CARGO_PKG_VERSION"), urls.base());
        let user_agent = HeaderValue::from_str(&user_agent).unwrap_or(HeaderValue::from_static("Porchlight"));
        Ok(Self { http, guard, policies: None, clock, user_agent, turns: Turns::default() })
    }

    /// From now on nothing is asked of hosts that are blocked.
    #[must_use]
    pub(crate) fn obeying(self, policies: Policies) -> Self {
        Self { policies: Some(policies), ..self }
    }

    /// Before every request, each redirect's too: which host is asked, if it may be.
    async fn check(&self, url: &Url) -> Result<Host, FetchError> {
        self.guard.check_url(url)?;
        let host = Host::of(url).ok_or(Refused::NoHost)?;
        let Some(policies) = &self.policies else { return Ok(host) };
        match policies.suspend(&host).await {
            Ok(true) => Err(Refused::Blocked.into()),
            Ok(false) => Ok(host),
            Err(_) => Err(FetchError::Undecided),
        }
    }

    /// Which addresses may be asked.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Asks for a document, signed by `key` where one is given.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn get(
        &self,
        url: &Url,
        want: Want,
        key: Option<&SigningKey>,
        budget: &Budget,
    ) -> Result<Fetched, FetchError> {
        let mut left = TIMEOUT;
        let mut step = Step { url: url.clone(), with_query: true, redirects: 0 };
        loop {
            let host = self.check(&step.url).await?;
            budget.spend(&host)?;
            let mut turn = self.turns.take(host, budget.purpose, budget.asker).await?;
            // Whoever is asked last, with little time left, is not to blame.
            let had_time = left >= TIMEOUT / 2;
            let began = Instant::now();
            let outcome = tokio::time::timeout(left, Box::pin(self.get_once(&step, want, key, &mut turn))).await;
            left = left.saturating_sub(began.elapsed());
            match outcome.unwrap_or(Err(FetchError::TooSlow)) {
                Ok(Answered::Elsewhere(next)) => {
                    turn.answered();
                    step = next;
                }
                Ok(Answered::Whole { media_type, body }) => {
                    turn.answered();
                    return Ok(Fetched { url: step.url, media_type, body, held: Arc::new(turn.into_held()) });
                }
                Err(why) => {
                    match &why {
                        FetchError::TooSlow | FetchError::Unreachable if turn.came() < ANSWERED && had_time => {
                            turn.failed();
                        }
                        FetchError::TooSlow
                        | FetchError::Unreachable
                        | FetchError::Busy
                        | FetchError::Refused(_)
                        | FetchError::Unsigned => {}
                        _ => turn.answered(),
                    }
                    return Err(why);
                }
            }
        }
    }

    /// Asks for a JSON document and parses it within limits of depth and size.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn json(
        &self,
        url: &Url,
        want: Want,
        key: Option<&SigningKey>,
        budget: &Budget,
    ) -> Result<(Url, Value), FetchError> {
        let fetched = self.get(url, want, key, budget).await?;
        let value = lenient::parse(&fetched.body).map_err(|_| FetchError::Malformed)?;
        Ok((fetched.url, value))
    }

    /// Asks for an ActivityPub object and makes sure that its own server vouches for it: its `id` is the address it
    /// came from, or it is asked for again at its `id`.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn object(
        &self,
        url: &Url,
        key: Option<&SigningKey>,
        budget: &Budget,
    ) -> Result<(Url, Value), FetchError> {
        let (from, value) = self.json(url, Want::Activity, key, budget).await?;
        let id = object_id(&value)?;
        if same_document(&id, &from) {
            return Ok((id, value));
        }
        let (from, value) = self.json(&id, Want::Activity, key, budget).await?;
        let again = object_id(&value)?;
        if again == id && same_document(&again, &from) { Ok((id, value)) } else { Err(FetchError::WrongDocument) }
    }

    /// One request, and what it leads to.
    async fn get_once(
        &self,
        step: &Step,
        want: Want,
        key: Option<&SigningKey>,
        turn: &mut Turn,
    ) -> Result<Answered, FetchError> {
        let response = self.send_get(&step.url, want, key, step.with_query).await?;
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED && key.is_some() && step.with_query && step.url.query().is_some() {
            return Ok(Answered::Elsewhere(Step { with_query: false, ..step.clone() }));
        }
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            if step.redirects >= REDIRECTS {
                return Err(FetchError::Redirects);
            }
            let location = response.headers().get(LOCATION).and_then(|v| v.to_str().ok());
            let location = location.ok_or(FetchError::BadRedirect)?;
            let url = step.url.join(location).map_err(|_| FetchError::BadRedirect)?;
            return Ok(Answered::Elsewhere(Step { url, with_query: true, redirects: step.redirects + 1 }));
        }
        check_status(status, response.headers())?;
        let media_type = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let media_type = media_type.and_then(MediaType::parse).ok_or(FetchError::MediaType)?;
        if !want.takes(&media_type) {
            return Err(FetchError::MediaType);
        }
        let body = read_body(response, want.limit(), Some(turn)).await?;
        Ok(Answered::Whole { media_type, body })
    }

    async fn send_get(
        &self,
        url: &Url,
        want: Want,
        key: Option<&SigningKey>,
        with_query: bool,
    ) -> Result<reqwest::Response, FetchError> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.insert(ACCEPT, HeaderValue::from_static(want.accept()));
        if let Some(key) = key {
            self.sign_into(&mut headers, key, "get", url, None, with_query)?;
        }
        let request = self.http.request(Method::GET, url.clone()).headers(headers);
        request.send().await.map_err(|e| FetchError::from_reqwest(&e))
    }

    /// Delivers an activity, signed. Redirects are not followed: an inbox says its address in its actor.
    /// `digest` is the `Digest` header of `body`, made once for all receivers.
    ///
    /// # Errors
    /// See [`FetchError`]; an answer of any status is no error here.
    pub async fn deliver(&self, url: &Url, body: Bytes, digest: &str, key: &SigningKey) -> Result<Answer, FetchError> {
        self.check(url).await?;
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/activity+json"));
        headers.insert(ACCEPT, HeaderValue::from_static(ACTIVITY));
        self.sign_into(&mut headers, key, "post", url, Some(digest.to_owned()), true)?;
        let request = self.http.request(Method::POST, url.clone()).headers(headers).body(body);
        let exchange = async {
            let response = request.send().await.map_err(|e| FetchError::from_reqwest(&e))?;
            let answer = Answer { status: response.status().as_u16(), retry_after: retry_after(response.headers()) };
            // Read only so that the connection can be used again; what it says does not matter.
            let _ = read_body(response, ANSWER_LIMIT, None).await;
            Ok(answer)
        };
        tokio::time::timeout(TIMEOUT, exchange).await.map_err(|_| FetchError::TooSlow)?
    }

    fn sign_into(
        &self,
        headers: &mut HeaderMap,
        key: &SigningKey,
        method: &str,
        url: &Url,
        digest: Option<String>,
        with_query: bool,
    ) -> Result<(), FetchError> {
        let signed = sign(key, method, url, digest, with_query, self.clock.now()).map_err(|_| FetchError::Unsigned)?;
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| FetchError::Unsigned);
        headers.insert(HOST, value(&signed.host)?);
        headers.insert(DATE, value(&signed.date)?);
        if let Some(digest) = &signed.digest {
            headers.insert(HeaderName::from_static("digest"), value(digest)?);
        }
        headers.insert(HeaderName::from_static("signature"), value(&signed.signature)?);
        Ok(())
    }
}

/// The same address but for a fragment.
fn same_document(a: &Url, b: &Url) -> bool {
    let without = |url: &Url| {
        let mut url = url.clone();
        url.set_fragment(None);
        url
    };
    without(a) == without(b)
}

fn object_id(value: &Value) -> Result<Url, FetchError> {
    let id = value.get("id").and_then(Value::as_str).ok_or(FetchError::WrongDocument)?;
    Url::parse(id).map_err(|_| FetchError::WrongDocument)
}

fn check_status(status: StatusCode, headers: &HeaderMap) -> Result<(), FetchError> {
    match status.as_u16() {
        200..=299 => Ok(()),
        code @ (404 | 410) => Err(FetchError::Absent(code)),
        code @ (401 | 403) => Err(FetchError::Forbidden(code)),
        status => Err(FetchError::Status { status, retry_after: retry_after(headers) }),
    }
}

/// `Retry-After` in seconds; dates there are rare and are passed over.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// Reads a body and gives up as soon as it is known to be too long, or when too much is in memory by `turn`'s count.
async fn read_body(
    mut response: reqwest::Response,
    limit: usize,
    mut turn: Option<&mut Turn>,
) -> Result<Bytes, FetchError> {
    let announced = response.content_length().and_then(|n| usize::try_from(n).ok());
    if announced.is_some_and(|n| n > limit) {
        return Err(FetchError::TooLarge);
    }
    // It grows with what comes: to announce much costs another server nothing.
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| FetchError::from_reqwest(&e))? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLarge);
        }
        if let Some(turn) = &mut turn {
            turn.hold(chunk.len())?;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The certificates of `SSL_CERT_FILE`, and those of the platform, which the variable would otherwise hide.
fn extra_roots() -> Result<Vec<reqwest::Certificate>, SetUpError> {
    let Ok(path) = std::env::var("SSL_CERT_FILE") else { return Ok(Vec::new()) };
    let failed = |why: String| SetUpError::Roots { path: path.clone(), why };
    let own = std::fs::read(&path).map_err(|e| failed(e.to_string()))?;
    let mut roots = reqwest::Certificate::from_pem_bundle(&own).map_err(|e| failed(e.to_string()))?;
    for platform in PLATFORM_ROOTS.iter().filter(|p| **p != path) {
        let bundle = std::fs::read(platform).ok().and_then(|pem| reqwest::Certificate::from_pem_bundle(&pem).ok());
        if let Some(bundle) = bundle {
            roots.extend(bundle);
            break;
        }
    }
    Ok(roots)
}
