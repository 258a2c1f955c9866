//! What strangers may post to the inbox, and what they are answered.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use domain::account::Account;
use federation::digest;
use federation::signature::{SigningKey, sign};
use http::StatusCode;
use serde_json::{Value, json};
use storage::{accounts, follows};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::home::{Home, eventually};

type Headers = Vec<(String, String)>;

/// Somebody elsewhere with an actor document on a real socket, who signs by hand.
pub struct Stranger {
    pub domain: String,
    key: Arc<Mutex<(SigningKey, String)>>,
    /// How often the actor was asked for, and what is answered.
    asked: Arc<Mutex<(u32, StatusCode)>>,
}

impl Stranger {
    pub async fn start(name: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let domain = format!("{name}.localhost:{}", listener.local_addr().unwrap().port());
        let actor = format!("http://{domain}/eve");
        let stranger = Self {
            domain: domain.clone(),
            key: Arc::new(Mutex::new(fresh_key(&actor))),
            asked: Arc::new(Mutex::new((0, StatusCode::OK))),
        };
        let (key, asked, me) = (stranger.key.clone(), stranger.asked.clone(), actor.clone());
        let document = move || {
            let status = {
                let mut asked = asked.lock().unwrap();
                asked.0 += 1;
                asked.1
            };
            let body = json!({
                "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
                "id": me, "type": "Person", "preferredUsername": "eve", "inbox": format!("{me}/inbox"),
                "followers": format!("{me}/followers"),
                "publicKey": {"id": format!("{me}#key"), "owner": me, "publicKeyPem": key.lock().unwrap().1},
            });
            async move { (status, [("content-type", "application/activity+json")], body.to_string()) }
        };
        let router = Router::new().route("/eve", get(document));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        stranger
    }

    pub fn actor(&self) -> String {
        format!("http://{}/eve", self.domain)
    }

    pub fn asked(&self) -> u32 {
        self.asked.lock().unwrap().0
    }

    /// Signs with another key from now on.
    fn change_key(&self) {
        *self.key.lock().unwrap() = fresh_key(&self.actor());
    }

    pub fn note(&self, id: &str, to: &[&str]) -> Value {
        json!({
            "id": format!("http://{}/notes/{id}", self.domain), "type": "Note", "attributedTo": self.actor(),
            "content": "<p>hello</p><script>alert(1)</script>", "to": to, "cc": [],
            "tag": [{"type": "Mention", "href": to.first(), "name": "@x"}],
        })
    }

    pub fn create(&self, id: &str, to: &[&str]) -> Value {
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": format!("http://{}/acts/{id}", self.domain),
            "type": "Create", "actor": self.actor(), "object": self.note(id, to), "to": to,
        })
    }

    /// The headers of a correctly signed POST of these bytes.
    fn headers(&self, home: &Home, path: &str, body: &[u8]) -> Vec<(String, String)> {
        let url = Url::parse(&format!("{}{path}", home.base)).unwrap();
        let now = home.clock.now();
        let signed = sign(&self.key.lock().unwrap().0, "post", &url, Some(digest::header(body)), true, now).unwrap();
        vec![
            ("Host".into(), signed.host),
            ("Date".into(), signed.date),
            ("Digest".into(), signed.digest.unwrap()),
            ("Signature".into(), signed.signature),
            ("Content-Type".into(), "application/activity+json".into()),
        ]
    }

    pub async fn post(&self, home: &Home, activity: &Value) -> u16 {
        let body = activity.to_string().into_bytes();
        let headers = self.headers(home, "/inbox", &body);
        send(home, "POST", "/inbox", &headers, &body).await.0
    }

    /// A signed GET for a document.
    pub async fn get(&self, home: &Home, url: &str) -> (u16, String) {
        let url = Url::parse(url).unwrap();
        let signed = sign(&self.key.lock().unwrap().0, "get", &url, None, true, home.clock.now()).unwrap();
        let headers = [
            ("Host".into(), signed.host),
            ("Date".into(), signed.date),
            ("Signature".into(), signed.signature),
            ("Accept".into(), "application/activity+json".into()),
        ];
        send(home, "GET", url.path(), &headers, b"").await
    }
}

fn fresh_key(actor: &str) -> (SigningKey, String) {
    let pair = app::keys::generate_now().unwrap();
    (SigningKey::from_pem(format!("{actor}#key"), &pair.private_pem).unwrap(), pair.public_pem)
}

/// One request over a socket of its own, written by hand: status and body.
async fn send(home: &Home, method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> (u16, String) {
    let port = home.domain.rsplit(':').next().unwrap();
    let mut socket = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if method == "POST" {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    // Whoever is refused early may close before everything was written.
    let _ = socket.write_all(body).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}

/// An unsigned GET for a document.
pub async fn plain_get(home: &Home, url: &str) -> (u16, String) {
    let path = url.strip_prefix(&home.base).unwrap();
    let headers = [("Host".into(), home.domain.clone()), ("Accept".into(), "application/activity+json".into())];
    send(home, "GET", path, &headers, b"").await
}

pub async fn setting() -> (Home, Account, Stranger) {
    let home = Home::start("maple").await;
    let dana = home.member("dana").await;
    (home, dana, Stranger::start("nowhere").await)
}

pub async fn received(home: &Home, stranger: &Stranger, id: &str) -> domain::post::Post {
    let uri = format!("http://{}/notes/{id}", stranger.domain);
    eventually(&uri, || home.post_by_uri(&uri)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_activity_is_accepted_once_and_made_safe() {
    let (home, dana, eve) = setting().await;
    let create = eve.create("1", &[&dana.uri]);
    assert_eq!(eve.post(&home, &create).await, 202);
    let post = received(&home, &eve, "1").await;
    assert_eq!(post.content, "<p>hello</p>");
    assert_eq!(post.visibility, domain::Visibility::Direct);
    // The same again: accepted, and nothing happens.
    assert_eq!(eve.post(&home, &create).await, 202);
    assert_eq!(eve.asked(), 1);
    let notified = storage::notifications::unread(&mut home.conn().await, dana.id, 10).await.unwrap();
    assert_eq!(notified, 1);
    // By the member's own inbox too, and to nobody's not at all.
    let body = eve.create("2", &[&dana.uri]).to_string().into_bytes();
    for (path, status) in [("/users/dana/inbox", 202), ("/users/nobody/inbox", 404)] {
        let headers = eve.headers(&home, path, &body);
        assert_eq!(send(&home, "POST", path, &headers, &body).await.0, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replays_with_another_body_and_spoofed_actors_are_refused() {
    let (home, dana, eve) = setting().await;
    let body = eve.create("1", &[&dana.uri]).to_string().into_bytes();
    let headers = eve.headers(&home, "/inbox", &body);
    assert_eq!(send(&home, "POST", "/inbox", &headers, &body).await.0, 202);
    let other = eve.create("666", &[&dana.uri]).to_string().into_bytes();
    let (status, why) = send(&home, "POST", "/inbox", &headers, &other).await;
    assert_eq!(status, 401);
    assert!(why.contains("not the one that was signed"), "{why}");

    // In the name of a member here; of somebody else on her server, or of another: not believed, whatever it says.
    for (actor, status) in [
        (dana.uri.clone(), 403),
        (format!("http://{}/victim", eve.domain), 202),
        ("https://willow.example/users/bob".into(), 202),
    ] {
        let mut forged = eve.create("2", &[&dana.uri]);
        forged["actor"] = json!(actor);
        assert_eq!(eve.post(&home, &forged).await, status, "{actor}");
    }
    // Another's post inside her own activity.
    let mut stolen = eve.create("3", &[&dana.uri]);
    stolen["object"]["id"] = json!("https://willow.example/notes/3");
    stolen["object"]["attributedTo"] = json!("https://willow.example/users/bob");
    assert_eq!(eve.post(&home, &stolen).await, 202);
    let deleted =
        json!({"id": format!("{}/d", eve.actor()), "type": "Delete", "actor": eve.actor(), "object": dana.uri});
    assert_eq!(eve.post(&home, &deleted).await, 202);
    assert_eq!(eve.post(&home, &eve.create("4", &[&dana.uri])).await, 202);
    received(&home, &eve, "4").await;
    assert!(home.post_by_uri("https://willow.example/notes/3").await.is_none());
    assert!(home.post_by_uri(&format!("http://{}/notes/2", eve.domain)).await.is_none());
    assert!(accounts::by_uri(&mut home.conn().await, &dana.uri).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_answered_with_a_4xx_that_says_why() {
    let (home, dana, eve) = setting().await;
    let good = eve.create("1", &[&dana.uri]).to_string().into_bytes();
    let try_with = async |body: &[u8], change: &dyn Fn(&mut Headers)| {
        let mut headers = eve.headers(&home, "/inbox", body);
        change(&mut headers);
        send(&home, "POST", "/inbox", &headers, body).await.0
    };
    let drop_header = |name: &'static str| move |h: &mut Headers| h.retain(|(n, _)| n != name);
    let set = |name: &'static str, value: &'static str| {
        move |h: &mut Headers| {
            h.retain(|(n, _)| n != name);
            h.push((name.into(), value.into()));
        }
    };
    assert_eq!(try_with(&good, &drop_header("Signature")).await, 401);
    assert_eq!(try_with(&good, &drop_header("Digest")).await, 401);
    assert_eq!(try_with(&good, &drop_header("Date")).await, 401);
    assert_eq!(try_with(&good, &set("Host", "willow.example")).await, 401);
    assert_eq!(try_with(&good, &set("Date", "Sun, 01 Jan 2090 00:00:00 GMT")).await, 401);
    assert_eq!(
        try_with(&good, &set("Signature", r#"keyId="k",created=18446744073709551615,signature="c2ln""#)).await,
        401
    );
    assert_eq!(try_with(&good, &set("Content-Type", "application/json")).await, 415);
    assert_eq!(try_with(&good, &set("Content-Type", "text/html")).await, 415);
    assert_eq!(try_with(&good, &drop_header("Content-Type")).await, 415);
    assert_eq!(try_with(b"{", &|_| {}).await, 400);
    assert_eq!(try_with(b"[]", &|_| {}).await, 400);
    assert_eq!(try_with(br#"{"type":"Create"}"#, &|_| {}).await, 400);
    assert_eq!(try_with(br#"{"type":"Create","actor":7}"#, &|_| {}).await, 400);
    assert_eq!(try_with("[".repeat(100_000).as_bytes(), &|_| {}).await, 400);
    assert_eq!(try_with(format!("[{}1]", "1,".repeat(100_000)).as_bytes(), &|_| {}).await, 400);
    assert_eq!(try_with(&vec![b' '; 1024 * 1024 + 1], &|_| {}).await, 413);
    assert_eq!(eve.asked(), 0, "nothing of this is worth asking for a key");
    // Well signed, but of no use: taken and dropped.
    let odd = json!({"type": "Dance", "actor": eve.actor(), "object": "x"});
    assert_eq!(eve.post(&home, &odd).await, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_key_is_fetched_again_once_and_forgeries_cause_no_storm() {
    let (home, dana, eve) = setting().await;
    assert_eq!(eve.post(&home, &eve.create("1", &[&dana.uri])).await, 202);
    assert_eq!(eve.asked(), 1);
    eve.change_key();
    assert_eq!(eve.post(&home, &eve.create("2", &[&dana.uri])).await, 202);
    assert_eq!(eve.asked(), 2);
    // Somebody with a key of her own, ten times: looked at no more for some minutes.
    let forger = Stranger {
        domain: eve.domain.clone(),
        key: Arc::new(Mutex::new(fresh_key(&eve.actor()))),
        asked: eve.asked.clone(),
    };
    for n in 0..10 {
        assert_eq!(forger.post(&home, &eve.create(&format!("f{n}"), &[&dana.uri])).await, 401);
    }
    assert_eq!(eve.asked(), 2);
    assert_eq!(eve.post(&home, &eve.create("3", &[&dana.uri])).await, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_somebody_we_never_knew_is_taken_without_a_question() {
    let (home, _, eve) = setting().await;
    *eve.asked.lock().unwrap() = (0, StatusCode::GONE);
    let end =
        json!({"id": format!("{}#end", eve.actor()), "type": "Delete", "actor": eve.actor(), "object": eve.actor()});
    assert_eq!(eve.post(&home, &end).await, 202);
    assert_eq!(eve.asked(), 0);
    // Of somebody we know it counts.
    *eve.asked.lock().unwrap() = (0, StatusCode::OK);
    let like = json!({"id": "x", "type": "Like", "actor": eve.actor(), "object": "https://x.example/1"});
    assert_eq!(eve.post(&home, &like).await, 202);
    assert!(accounts::by_uri(&mut home.conn().await, &eve.actor()).await.unwrap().is_some());
    assert_eq!(eve.post(&home, &end).await, 202);
    eventually("she is gone", || async {
        accounts::by_uri(&mut home.conn().await, &eve.actor()).await.unwrap().is_none().then_some(())
    })
    .await;
    assert!(accounts::is_deleted(&mut home.conn().await, &eve.actor()).await.unwrap());
    // And stays gone, whatever she says.
    *eve.asked.lock().unwrap() = (0, StatusCode::GONE);
    eve.change_key();
    assert_eq!(eve.post(&home, &like).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follow_is_answered_and_undone_by_its_follower_alone() {
    let (home, dana, eve) = setting().await;
    let dana = home.lock(&dana, false).await;
    let follow =
        json!({"id": format!("{}/f/1", eve.actor()), "type": "Follow", "actor": eve.actor(), "object": dana.uri});
    assert_eq!(eve.post(&home, &follow).await, 202);
    let known = eventually("eve follows", || async {
        let mut conn = home.conn().await;
        let known = accounts::by_uri(&mut conn, &eve.actor()).await.unwrap()?;
        follows::find(&mut conn, known.id, dana.id).await.unwrap().map(|_| known)
    })
    .await;
    let mallory = Stranger::start("elsewhere").await;
    let undo = |who: &Stranger| json!({"id": format!("{}/u", who.actor()), "type": "Undo", "actor": who.actor(), "object": follow});
    assert_eq!(mallory.post(&home, &undo(&mallory)).await, 202);
    assert_eq!(mallory.post(&home, &mallory.create("1", &[&dana.uri])).await, 202);
    received(&home, &mallory, "1").await;
    assert!(follows::find(&mut home.conn().await, known.id, dana.id).await.unwrap().is_some());
    assert_eq!(eve.post(&home, &undo(&eve)).await, 202);
    eventually("eve follows no more", || async {
        follows::find(&mut home.conn().await, known.id, dana.id).await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_communities_get_nothing_in_and_nothing_out() {
    let (home, dana, eve) = setting().await;
    let mut tx = home.fed.app.db.write().await.unwrap();
    let nowhere = domain::Host::parse("nowhere.localhost").unwrap();
    storage::domains::set(&mut tx, &nowhere, domain::instance::DomainSeverity::Suspend, None).await.unwrap();
    tx.emit(domain::event::Event::SettingsChanged);
    tx.commit().await.unwrap();
    assert_eq!(eve.post(&home, &eve.create("1", &[&dana.uri])).await, 403, "from now on");
    assert_eq!(eve.asked(), 0);
    assert!(home.fed.resolve(&eve.actor()).await.is_err());
    assert_eq!(eve.asked(), 0);
    let url = Url::parse(&dana.uri).unwrap();
    let signed = sign(&eve.key.lock().unwrap().0, "get", &url, None, true, home.clock.now()).unwrap();
    let headers = [
        ("Host".into(), signed.host),
        ("Date".into(), signed.date),
        ("Signature".into(), signed.signature),
        ("Accept".into(), "application/activity+json".into()),
    ];
    assert_eq!(send(&home, "GET", "/users/dana", &headers, b"").await.0, 403);
    assert_eq!(plain_get(&home, &dana.uri).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_for_machines_and_browsers_are_sent_to_the_page() {
    let (home, dana, _) = setting().await;
    let (status, body) = plain_get(&home, &dana.uri).await;
    assert_eq!(status, 200);
    let actor: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(actor["publicKey"]["owner"], json!(dana.uri));
    assert_eq!(actor["webfinger"], json!(format!("dana@{}", home.domain)));
    let page =
        [("Host".into(), home.domain.clone()), ("Accept".into(), "text/html,application/xhtml+xml,*/*;q=0.8".into())];
    assert_eq!(send(&home, "GET", "/users/dana", &page, b"").await.0, 303);
    let finger = format!("{}/.well-known/webfinger?resource=acct:dana@{}", home.base, home.domain);
    let (status, body) = plain_get(&home, &finger).await;
    assert_eq!(status, 200);
    assert!(body.contains(&dana.uri));
    for (path, status) in [
        ("/.well-known/webfinger?resource=acct:nobody@", 404),
        ("/.well-known/webfinger", 400),
        ("/.well-known/host-meta", 200),
        ("/.well-known/nodeinfo", 200),
        ("/nodeinfo/2.0", 200),
        ("/nodeinfo/2.1", 200),
        ("/nodeinfo/9.9", 404),
        ("/actor", 200),
        ("/actor/outbox", 200),
        ("/users/dana/outbox", 200),
        ("/users/dana/outbox?page=true", 200),
        ("/users/dana/followers", 200),
        ("/users/dana/following?page=true", 200),
        ("/users/dana/collections/featured", 200),
        ("/users/nobody", 404),
        ("/users/dana/statuses/1", 404),
        ("/users/dana/statuses/x", 404),
    ] {
        assert_eq!(plain_get(&home, &format!("{}{path}", home.base)).await.0, status, "{path}");
    }
}
