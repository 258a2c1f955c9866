//! Another program's server, as a test wants it to be: documents on a real socket, keys to sign with, and a record of
//! what it was asked for and sent. It follows no rule of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use federation::digest;
use federation::signature::SigningKey;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::{Instance, Person, eventually};

const ACTIVITY: &str = "application/activity+json";

/// `http://NAME.localhost:PORT`
#[derive(Debug, Clone)]
pub struct Remote {
    pub base: String,
    /// `NAME.localhost:PORT`
    pub domain: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// By path and query, or by path alone.
    documents: HashMap<String, Document>,
    asked: Vec<Asked>,
    received: Vec<Value>,
    /// Deliveries are answered with 503 instead of 202, and not recorded.
    resting: bool,
    /// Deliveries that were answered with 503.
    turned_away: usize,
}

#[derive(Debug, Clone)]
struct Document {
    status: u16,
    kind: String,
    body: Bytes,
}

/// A GET that it got.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
}

impl Remote {
    /// # Panics
    /// When no port is free.
    pub async fn start(name: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let domain = format!("{name}.localhost:{}", listener.local_addr().unwrap().port());
        let remote = Self { base: format!("http://{domain}"), domain, state: Arc::default() };
        let state = remote.state.clone();
        let router = Router::new().fallback(move |request: Request| answer(state.clone(), request));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        remote
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Shows an ActivityPub document under a path from now on (with a query: only for that query).
    pub fn show(&self, path: &str, document: &Value) {
        self.answer(path, 200, ACTIVITY, document.to_string());
    }

    /// Answers a path so from now on. The body of a redirect is where it leads.
    pub fn answer(&self, path: &str, status: u16, kind: &str, body: impl Into<String>) {
        let document = Document { status, kind: kind.to_owned(), body: body.into().into() };
        self.state(|state| state.documents.insert(path.to_owned(), document));
    }

    /// Shows a file under a path from now on.
    pub fn answer_bytes(&self, path: &str, kind: &str, bytes: &'static [u8]) {
        let document = Document { status: 200, kind: kind.to_owned(), body: Bytes::from_static(bytes) };
        self.state(|state| state.documents.insert(path.to_owned(), document));
    }

    /// 404 from now on.
    pub fn hide(&self, path: &str) {
        self.state(|state| state.documents.remove(path));
    }

    /// What it was asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.state(|state| state.asked.clone())
    }

    /// How often it was asked for a path, whatever the query.
    #[must_use]
    pub fn times_asked(&self, path: &str) -> usize {
        self.asked().iter().filter(|asked| asked.target.split('?').next() == Some(path)).count()
    }

    /// The activities that were delivered to any path of it.
    #[must_use]
    pub fn received(&self) -> Vec<Value> {
        self.state(|state| state.received.clone())
    }

    /// Answers every delivery with 503 from now on, as a server that is down; or takes them again.
    pub fn rest(&self, resting: bool) {
        self.state(|state| state.resting = resting);
    }

    /// How many deliveries it answered with 503.
    #[must_use]
    pub fn turned_away(&self) -> usize {
        self.state(|state| state.turned_away)
    }

    /// Answers WebFinger for `acct:NAME@DOMAIN` with an actor.
    pub fn finger(&self, name: &str, domain: &str, subject: &str, actor: &str) {
        let links = json!([{"rel": "self", "type": ACTIVITY, "href": actor}]);
        let jrd = json!({"subject": format!("acct:{subject}"), "links": links}).to_string();
        self.answer(&format!("/.well-known/webfinger?resource=acct:{name}@{domain}"), 200, "application/jrd+json", jrd);
    }

    /// Somebody at `/users/NAME` with an RSA key, shown and known by WebFinger.
    #[must_use]
    pub fn person(&self, name: &str) -> Somebody {
        let uri = self.url(&format!("/users/{name}"));
        let key = Key::rsa(&format!("{uri}#main-key"));
        let document = json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": uri, "type": "Person", "preferredUsername": name, "inbox": format!("{uri}/inbox"),
            "outbox": format!("{uri}/outbox"), "followers": format!("{uri}/followers"),
            "featured": format!("{uri}/featured"), "publicKey": key.as_public_key(&uri),
        });
        self.show(&format!("/users/{name}"), &document);
        self.finger(name, &self.domain, &format!("{name}@{}", self.domain), &uri);
        Somebody { uri, key, document, remote: self.clone() }
    }
}

async fn answer(state: Arc<Mutex<State>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    if parts.method == Method::POST {
        let body: Bytes = to_bytes(body, 1 << 20).await.unwrap_or_default();
        let value = serde_json::from_slice(&body).unwrap_or_default();
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.resting {
            state.turned_away += 1;
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        state.received.push(value);
        return StatusCode::ACCEPTED.into_response();
    }
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.asked.push(Asked { target: target.clone(), headers: parts.headers });
    let found = state.documents.get(&target).or_else(|| state.documents.get(parts.uri.path())).cloned();
    drop(state);
    let Some(found) = found else { return StatusCode::NOT_FOUND.into_response() };
    let status = StatusCode::from_u16(found.status).unwrap_or(StatusCode::OK);
    if status.is_redirection() {
        let location = String::from_utf8_lossy(&found.body).into_owned();
        return (status, [("location", location)]).into_response();
    }
    (status, [("content-type", found.kind)], found.body).into_response()
}

/// Somebody of another server, who signs whatever the test says.
#[derive(Debug)]
pub struct Somebody {
    pub uri: String,
    pub key: Key,
    /// As it was shown first; change it and call [`Somebody::show`].
    pub document: Value,
    remote: Remote,
}

impl Somebody {
    /// Shows the document as it is now.
    pub fn show(&self) {
        self.remote.show(self.uri.trim_start_matches(&self.remote.base), &self.document);
    }

    /// A post of hers, not shown anywhere yet.
    #[must_use]
    pub fn note(&self, path: &str, content: &str) -> Value {
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": self.remote.url(path), "type": "Note",
            "attributedTo": self.uri, "content": content, "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "cc": [format!("{}/followers", self.uri)],
        })
    }

    /// An activity of hers.
    #[must_use]
    pub fn does(&self, kind: &str, object: &Value) -> Value {
        let serial = SERIAL.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{}/activities/{serial}", self.uri),
            "type": kind, "actor": self.uri, "object": object,
        })
    }

    /// Lets a member of a community follow her, who asked to.
    ///
    /// # Panics
    /// When she is not asked, or the answer is not believed.
    pub async fn is_followed_by(&self, follower: &Person, at: &Instance) {
        let id = follower.find(&format!("{}@{}", self.name(), self.remote.domain)).await;
        follower.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.ok();
        let asks = format!("{}/users/{}", at.base, follower.username);
        let follow = eventually("the follow is asked for", async || {
            let mut all = self.remote.received().into_iter();
            all.find(|a| a["type"] == "Follow" && a["object"] == *self.uri && a["actor"] == *asks)
        })
        .await;
        assert_eq!(self.post(at, &self.does("Accept", &follow)).await, 202);
        eventually("the follow is accepted", async || {
            (follower.relationship(&id).await["following"] == true).then_some(())
        })
        .await;
    }

    /// `NAME.localhost:PORT` of her server.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.remote.domain
    }

    fn name(&self) -> &str {
        self.uri.rsplit('/').next().unwrap_or_default()
    }

    /// Posts an activity, signed with her key, to a community's shared inbox; gives the status.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn post(&self, to: &Instance, activity: &Value) -> u16 {
        self.post_with(&self.key, to, activity).await
    }

    /// As [`Somebody::post`], signed with another key.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn post_with(&self, key: &Key, to: &Instance, activity: &Value) -> u16 {
        self.post_from("127.0.0.1", key, to, activity).await
    }

    /// As [`Somebody::post`], with a body that need not be JSON.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn post_text(&self, to: &Instance, body: String) -> u16 {
        Self::post_body("127.0.0.1", &self.key, to, body).await
    }

    /// As [`Somebody::post_with`], from an address of which a proxy tells that the community trusts.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn post_from(&self, address: &str, key: &Key, to: &Instance, activity: &Value) -> u16 {
        Self::post_body(address, key, to, activity.to_string()).await
    }

    async fn post_body(address: &str, key: &Key, to: &Instance, body: String) -> u16 {
        let url = Url::parse(&format!("{}/inbox", to.base)).unwrap();
        let mut request = to.request(Method::POST, "/inbox").header("content-type", ACTIVITY);
        request = request.header("x-forwarded-for", address);
        for (name, value) in key.sign(&url, &body, to.clock.now()) {
            request = request.header(name, value);
        }
        request.body(body).send().await.unwrap().status().as_u16()
    }
}

static SERIAL: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

/// A key pair to sign with.
#[derive(Debug)]
pub struct Key {
    pub id: String,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Rsa { signing: SigningKey, public_pem: String },
    Ed25519(Ed25519KeyPair),
}

impl Key {
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn rsa(id: &str) -> Self {
        let pair = app::keys::generate_now().unwrap();
        let signing = SigningKey::from_pem(id.to_owned(), &pair.private_pem).unwrap();
        Self { id: id.to_owned(), pair: Pair::Rsa { signing, public_pem: pair.public_pem } }
    }

    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn ed25519(id: &str) -> Self {
        Self { id: id.to_owned(), pair: Pair::Ed25519(Ed25519KeyPair::generate().unwrap()) }
    }

    /// As an element of `publicKey`.
    ///
    /// # Panics
    /// For an Ed25519 key, which is shown as a Multikey.
    #[must_use]
    pub fn as_public_key(&self, owner: &str) -> Value {
        let Pair::Rsa { public_pem, .. } = &self.pair else { panic!("shown as a Multikey") };
        json!({"id": self.id, "owner": owner, "publicKeyPem": public_pem})
    }

    /// As an element of `assertionMethod` (FEP-521a).
    ///
    /// # Panics
    /// For an RSA key, which is shown in PEM.
    #[must_use]
    pub fn as_multikey(&self, controller: &str) -> Value {
        let Pair::Ed25519(pair) = &self.pair else { panic!("shown in PEM") };
        let bytes = [&[0xed, 0x01], pair.public_key().as_ref()].concat();
        let text = format!("z{}", base58(&bytes));
        json!({"id": self.id, "type": "Multikey", "controller": controller, "publicKeyMultibase": text})
    }

    /// The headers of a signed POST: draft-cavage, `rsa-sha256` or `hs2019`.
    fn sign(&self, url: &Url, body: &str, now: domain::Timestamp) -> Vec<(&'static str, String)> {
        let digest = digest::header(body.as_bytes());
        let date = now.datetime().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let target = url.path();
        let text = format!("(request-target): post {target}\nhost: {host}\ndate: {date}\ndigest: {digest}");
        let (algorithm, signature) = match &self.pair {
            Pair::Rsa { signing, .. } => {
                let signed =
                    federation::signature::sign(signing, "post", url, Some(digest.clone()), true, now).unwrap();
                return vec![
                    ("host", signed.host),
                    ("date", signed.date),
                    ("digest", digest),
                    ("signature", signed.signature),
                ];
            }
            Pair::Ed25519(pair) => ("hs2019", pair.sign(text.as_bytes())),
        };
        let signature = base64::engine::general_purpose::STANDARD.encode(signature);
        let header = format!(
            r#"keyId="{}",algorithm="{algorithm}",headers="(request-target) host date digest",signature="{signature}""#,
            self.id
        );
        vec![("host", host), ("date", date), ("digest", digest), ("signature", header)]
    }
}

/// base58btc, the digit-by-digit way.
fn base58(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut digits: Vec<u32> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit << 8;
            *digit = carry % 58;
            carry /= 58;
        }
        while carry > 0 {
            digits.push(carry % 58);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let high_first = digits.iter().rev().map(|digit| char::from(DIGITS[*digit as usize]));
    std::iter::repeat_n('1', zeros).chain(high_first).collect()
}
