//! The guarded client against real sockets: what it must not reach, must not read, and must not wait for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use domain::{Clock, Timestamp, Urls};
use federation::client::{Budget, Client, FetchError, Refused, Want};
use federation::signature::{Expect, PublicKey, SigningKey, parse, sign};
use federation::{Config, digest};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

const AS: &str = "application/activity+json";
const NOW: Timestamp = Timestamp(1_795_000_000_000);

fn client_with(allow: &[&str]) -> Client {
    let config = Config {
        allow_http: true,
        allow_addresses: allow.iter().map(|net| net.parse().unwrap()).collect(),
        ..Config::default()
    };
    let urls = Urls::new(&Url::parse("https://maple.example").unwrap()).unwrap();
    Client::new(&config, &urls, Clock::manual(NOW)).unwrap()
}

fn client() -> Client {
    client_with(&["127.0.0.1/32"])
}

fn budget() -> Budget {
    Budget::new(20)
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    addr
}

fn at(addr: SocketAddr, path: &str) -> Url {
    Url::parse(&format!("http://{addr}{path}")).unwrap()
}

fn typed(kind: &'static str, body: impl Into<Body>) -> Response {
    ([("content-type", kind)], body.into()).into_response()
}

fn redirect(to: &str) -> Response {
    (StatusCode::FOUND, [("location", to.to_owned())]).into_response()
}

async fn get_activity(client: &Client, url: &Url) -> Result<Bytes, FetchError> {
    client.get(url, Want::Activity, None, &budget()).await.map(|fetched| fetched.body)
}

#[tokio::test]
async fn private_addresses_are_not_even_connected_to() {
    let touched = Arc::new(Mutex::new(0));
    let count = touched.clone();
    let addr = serve(Router::new().fallback(any(move || async move {
        *count.lock().unwrap() += 1;
        typed(AS, "{}")
    })))
    .await;
    let closed = client_with(&[]);
    for url in [
        at(addr, "/"),
        Url::parse(&format!("http://localhost:{}/", addr.port())).unwrap(),
        Url::parse(&format!("http://maple.localhost:{}/", addr.port())).unwrap(),
        Url::parse(&format!("http://2130706433:{}/", addr.port())).unwrap(),
        Url::parse(&format!("http://0x7f000001:{}/", addr.port())).unwrap(),
        Url::parse(&format!("http://[::ffff:127.0.0.1]:{}/", addr.port())).unwrap(),
        Url::parse(&format!("http://0.0.0.0:{}/", addr.port())).unwrap(),
    ] {
        assert_eq!(get_activity(&closed, &url).await, Err(FetchError::Refused(Refused::Network)), "{url}");
    }
    assert_eq!(*touched.lock().unwrap(), 0);
    assert!(get_activity(&client(), &at(addr, "/")).await.is_ok());
    let by_name = Url::parse(&format!("http://maple.localhost:{}/", addr.port())).unwrap();
    assert!(get_activity(&client(), &by_name).await.is_ok());
}

#[tokio::test]
async fn http_is_refused_unless_the_owner_allows_it() {
    let config = Config { allow_addresses: vec!["127.0.0.0/8".parse().unwrap()], ..Config::default() };
    let urls = Urls::new(&Url::parse("https://maple.example").unwrap()).unwrap();
    let strict = Client::new(&config, &urls, Clock::manual(NOW)).unwrap();
    let addr = serve(Router::new().fallback(any(|| async { typed(AS, "{}") }))).await;
    assert_eq!(get_activity(&strict, &at(addr, "/")).await, Err(FetchError::Refused(Refused::Scheme)));
}

#[tokio::test]
async fn a_redirect_into_a_private_network_is_refused() {
    // 127.0.0.1 is open here; every other inside stays closed, also by way of a redirect.
    let router = Router::new()
        .route("/a", get(|| async { redirect("http://127.0.0.2:1/") }))
        .route("/b", get(|| async { redirect("http://169.254.169.254/latest/meta-data") }))
        .route("/c", get(|| async { redirect("http://[::1]:1/") }))
        .route("/d", get(|| async { redirect("file:///etc/passwd") }))
        .route("/e", get(|| async { redirect("/a") }));
    let addr = serve(router).await;
    for path in ["/a", "/b", "/c", "/e"] {
        let got = get_activity(&client(), &at(addr, path)).await;
        assert_eq!(got, Err(FetchError::Refused(Refused::Network)), "{path}");
    }
    assert_eq!(get_activity(&client(), &at(addr, "/d")).await, Err(FetchError::Refused(Refused::Scheme)));
}

#[tokio::test]
async fn three_redirects_are_followed_relative_ones_too_and_no_more() {
    let router = Router::new()
        .route("/x/1", get(|| async { redirect("2") }))
        .route("/x/2", get(|| async { redirect("../y/3?page=1") }))
        .route("/y/3", get(|| async { redirect("/4") }))
        .route("/4", get(|| async { typed(AS, r#"{"ok":1}"#) }))
        .route("/loop", get(|| async { redirect("/loop") }))
        .route("/nowhere", get(|| async { StatusCode::FOUND }));
    let addr = serve(router).await;
    let fetched = client().get(&at(addr, "/x/1"), Want::Activity, None, &budget()).await.unwrap();
    assert_eq!(fetched.url, at(addr, "/4"));
    assert_eq!(get_activity(&client(), &at(addr, "/loop")).await, Err(FetchError::Redirects));
    assert_eq!(get_activity(&client(), &at(addr, "/nowhere")).await, Err(FetchError::BadRedirect));
}

fn key() -> (SigningKey, Arc<PublicKey>) {
    let pair = app::keys::generate_now().unwrap();
    let signing = SigningKey::from_pem("https://maple.example/actor#main-key".into(), &pair.private_pem).unwrap();
    (signing, Arc::new(PublicKey::from_pem(&pair.public_pem).unwrap()))
}

/// Does the request carry a right signature for the address it was sent to?
fn is_signed(request: &Request, key: &PublicKey, with_digest: bool) -> bool {
    let host = request.headers()["host"].to_str().unwrap();
    let target = request.uri().path_and_query().unwrap().as_str();
    let expect = Expect {
        method: request.method(),
        target,
        headers: request.headers(),
        domain: host,
        digest: with_digest,
        now: NOW,
    };
    parse(&expect).is_ok_and(|parsed| parsed.verify(key).is_ok())
}

#[tokio::test]
async fn redirected_requests_are_signed_again_for_their_new_address() {
    let (signing, public) = key();
    let second = {
        let public = public.clone();
        serve(Router::new().fallback(any(move |request: Request| {
            let ok = is_signed(&request, &public, false);
            async move { if ok { typed(AS, "{}") } else { StatusCode::UNAUTHORIZED.into_response() } }
        })))
        .await
    };
    let first = serve(Router::new().fallback(any(move |request: Request| {
        let ok = is_signed(&request, &public, false);
        let to = format!("http://{second}/other?page=2");
        async move { if ok { redirect(&to) } else { StatusCode::UNAUTHORIZED.into_response() } }
    })))
    .await;
    let fetched = client().get(&at(first, "/here"), Want::Activity, Some(&signing), &budget()).await.unwrap();
    assert_eq!(fetched.url, at(second, "/other?page=2"));
}

#[tokio::test]
async fn a_server_that_leaves_the_query_out_of_the_signature_is_asked_its_way() {
    let (signing, public) = key();
    let addr = serve(Router::new().fallback(any(move |mut request: Request| {
        // Such a server checks the path alone.
        *request.uri_mut() = request.uri().path().parse().unwrap();
        let ok = is_signed(&request, &public, false);
        async move { if ok { typed(AS, "{}") } else { StatusCode::UNAUTHORIZED.into_response() } }
    })))
    .await;
    let client = client();
    let url = at(addr, "/outbox?page=true");
    assert!(client.get(&url, Want::Activity, Some(&signing), &budget()).await.is_ok());
    assert_eq!(get_activity(&client, &url).await, Err(FetchError::Forbidden(401)));
}

#[tokio::test]
async fn the_query_is_signed_and_left_out_only_after_a_refusal() {
    let key = Arc::new(key().0);
    let seen: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let addr = {
        let (seen, key) = (seen.clone(), key.clone());
        serve(Router::new().fallback(any(move |request: Request| {
            let target = request.uri().path_and_query().unwrap().to_string();
            let url = Url::parse(&format!("http://{}{target}", request.headers()["host"].to_str().unwrap())).unwrap();
            let signature = request.headers()["signature"].to_str().unwrap();
            // The same bytes always give the same RSA signature.
            let with = |query| sign(&key, "get", &url, None, query, NOW).unwrap().signature == signature;
            let signed = if with(true) {
                "with"
            } else if with(false) {
                "without"
            } else {
                "wrong"
            };
            seen.lock().unwrap().push((target.clone(), signed.to_owned()));
            let answer = match (url.path(), signed) {
                ("/strict", "with") | ("/bare", "without") => typed(AS, "{}"),
                ("/leads-on", "without") => redirect("/strict?page=2"),
                _ => StatusCode::UNAUTHORIZED.into_response(),
            };
            async move { answer }
        })))
        .await
    };
    let asked = async |path: &str| {
        seen.lock().unwrap().clear();
        let got = client().get(&at(addr, path), Want::Activity, Some(&key), &budget()).await.map(|_| ());
        let seen = seen.lock().unwrap();
        let seen: Vec<String> = seen.iter().map(|(target, signed)| format!("{target} {signed}")).collect();
        (got, seen.join(", "))
    };
    assert_eq!(asked("/strict?page=1").await, (Ok(()), "/strict?page=1 with".into()));
    assert_eq!(asked("/bare?page=1").await, (Ok(()), "/bare?page=1 with, /bare?page=1 without".into()));
    // Where a redirect leads, it is signed anew, and with the query first.
    let (got, seen_there) = asked("/leads-on?page=1").await;
    assert_eq!((got, &*seen_there), (Ok(()), "/leads-on?page=1 with, /leads-on?page=1 without, /strict?page=2 with"));
    let refused = Err(FetchError::Forbidden(401));
    assert_eq!(asked("/never?page=1").await, (refused.clone(), "/never?page=1 with, /never?page=1 without".into()));
    // Without a query both are the same: it is asked once.
    assert_eq!(asked("/never").await, (refused, "/never with".into()));
}

#[tokio::test]
async fn deliveries_are_signed_with_their_digest_and_redirects_of_them_are_not_followed() {
    let (signing, public) = key();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let router = Router::new()
        .route(
            "/inbox",
            post(move |request: Request| async move {
                let signed = is_signed(&request, &public, true);
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                let whole = digest::check(&parts.headers, digest::DigestHeader::Digest, &body).is_ok();
                log.lock().unwrap().push((signed, whole, parts.headers["user-agent"].to_str().unwrap().to_owned()));
                (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "17")])
            }),
        )
        .route("/moved", post(|| async { redirect("/inbox") }));
    let addr = serve(router).await;
    let body = Bytes::from_static(b"{\"type\":\"Create\"}");
    let digest = digest::header(&body);
    let answer = client().deliver(&at(addr, "/inbox"), body.clone(), &digest, &signing).await.unwrap();
    assert_eq!((answer.status, answer.retry_after), (429, Some(17)));
    let answer = client().deliver(&at(addr, "/moved"), body, &digest, &signing).await.unwrap();
    assert_eq!(answer.status, 302);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].0 && seen[0].1);
    assert!(seen[0].2.starts_with("Porchlight/") && seen[0].2.ends_with("(+https://maple.example/)"), "{}", seen[0].2);
}

#[tokio::test]
async fn large_bodies_are_given_up_announced_or_not() {
    let router = Router::new()
        .route("/announced", get(|| async { typed(AS, vec![b' '; 1024 * 1024 + 1]) }))
        .route(
            "/endless",
            get(|| async {
                let chunks =
                    futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 65536])));
                typed(AS, Body::from_stream(chunks))
            }),
        )
        .route("/fits", get(|| async { typed(AS, vec![b' '; 1024 * 1024]) }))
        .route("/picture", get(|| async { typed("image/png", vec![0; 2000]) }));
    let addr = serve(router).await;
    let started = Instant::now();
    assert_eq!(get_activity(&client(), &at(addr, "/announced")).await, Err(FetchError::TooLarge));
    assert_eq!(get_activity(&client(), &at(addr, "/endless")).await, Err(FetchError::TooLarge));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(get_activity(&client(), &at(addr, "/fits")).await.is_ok());
    let picture = |limit| {
        let url = at(addr, "/picture");
        async move { client().get(&url, Want::Media(limit), None, &budget()).await.map(|f| f.body.len()) }
    };
    assert_eq!(picture(1999).await, Err(FetchError::TooLarge));
    assert_eq!(picture(2000).await, Ok(2000));
}

#[tokio::test]
async fn only_documents_of_the_wanted_type_are_read() {
    let router = Router::new()
        .route("/html", get(|| async { typed("text/html; charset=utf-8", "{}") }))
        .route("/json", get(|| async { typed("application/json", "{}") }))
        .route("/ld", get(|| async { typed("application/ld+json", "{}") }))
        .route("/none", get(|| async { Response::new(Body::from("{}")) }))
        .route(
            "/good",
            get(|| async {
                typed(r#"application/ld+json; charset="utf-8"; Profile="https://www.w3.org/ns/activitystreams""#, "{}")
            }),
        )
        .route("/upload", get(|| async { typed("image/png", r#"{"type":"Person"}"#) }))
        .route("/lying", get(|| async { typed(AS, "<html>") }))
        .route("/bomb", get(|| async { typed(AS, "[".repeat(500_000)) }));
    let addr = serve(router).await;
    for path in ["/html", "/json", "/ld", "/none", "/upload"] {
        assert_eq!(get_activity(&client(), &at(addr, path)).await, Err(FetchError::MediaType), "{path}");
    }
    assert!(get_activity(&client(), &at(addr, "/good")).await.is_ok());
    assert!(client().json(&at(addr, "/json"), Want::Json, None, &budget()).await.is_ok());
    for path in ["/lying", "/bomb"] {
        let got = client().json(&at(addr, path), Want::Activity, None, &budget()).await.map(|_| ());
        assert_eq!(got, Err(FetchError::Malformed), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drips_is_left_after_ten_seconds() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {AS}\r\ncontent-length: 1000\r\n\r\n");
        let _ = socket.write_all(head.as_bytes()).await;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if socket.write_all(b" ").await.is_err() {
                return;
            }
        }
    });
    let started = tokio::time::Instant::now();
    let got = get_activity(&client(), &at(addr, "/")).await;
    assert_eq!(got, Err(FetchError::TooSlow));
    assert!((9..=11).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn answers_are_sorted_by_what_to_do_next() {
    let router = Router::new()
        .route("/404", get(|| async { StatusCode::NOT_FOUND }))
        .route("/410", get(|| async { StatusCode::GONE }))
        .route("/403", get(|| async { StatusCode::FORBIDDEN }))
        .route("/500", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/429", get(|| async { (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "60")]) }))
        .route("/400", get(|| async { StatusCode::BAD_REQUEST }));
    let addr = serve(router).await;
    let status = |path: &'static str| async move { get_activity(&client(), &at(addr, path)).await.unwrap_err() };
    assert_eq!(status("/404").await, FetchError::Absent(404));
    assert!(status("/410").await.is_absent());
    assert_eq!(status("/403").await, FetchError::Forbidden(403));
    assert!(status("/500").await.is_temporary());
    assert_eq!(status("/429").await, FetchError::Status { status: 429, retry_after: Some(60) });
    assert!(status("/429").await.is_temporary() && !status("/400").await.is_temporary());
    let nobody = Url::parse("http://127.0.0.1:9/").unwrap();
    assert_eq!(get_activity(&client(), &nobody).await, Err(FetchError::Unreachable));
}

#[tokio::test]
async fn a_budget_ends() {
    let addr = serve(Router::new().fallback(any(|| async { typed(AS, "{}") }))).await;
    let budget = Budget::new(2);
    let (client, url) = (client(), at(addr, "/"));
    for ok in [true, true, false] {
        assert_eq!(client.get(&url, Want::Activity, None, &budget).await.is_ok(), ok);
    }
}

#[tokio::test]
async fn an_object_counts_only_where_its_own_server_says_the_same() {
    let victim = serve(Router::new().route(
        "/real",
        get(|headers: HeaderMap| async move {
            let me = headers["host"].to_str().unwrap();
            typed(AS, format!(r#"{{"id":"http://{me}/real","content":"true"}}"#))
        }),
    ))
    .await;
    let other = serve(
        Router::new()
            .route(
                "/copy",
                get(move || async move { typed(AS, format!(r#"{{"id":"http://{victim}/real","content":"forged"}}"#)) }),
            )
            .route(
                "/invented",
                get(
                    move || async move { typed(AS, format!(r#"{{"id":"http://{victim}/never","content":"forged"}}"#)) },
                ),
            )
            .route("/anonymous", get(|| async { typed(AS, r#"{"content":"x"}"#) }))
            .route(
                "/moving",
                get(|headers: HeaderMap| async move {
                    let me = headers["host"].to_str().unwrap();
                    typed(AS, format!(r#"{{"id":"http://{me}/moving2"}}"#))
                }),
            )
            .route(
                "/moving2",
                get(|headers: HeaderMap| async move {
                    let me = headers["host"].to_str().unwrap();
                    typed(AS, format!(r#"{{"id":"http://{me}/moving"}}"#))
                }),
            ),
    )
    .await;
    let client = client();
    let object = |path: &'static str| {
        let client = client.clone();
        async move { client.object(&at(other, path), None, &budget()).await }
    };
    let (id, value) = object("/copy").await.unwrap();
    assert_eq!((id, value["content"].as_str()), (at(victim, "/real"), Some("true")));
    assert_eq!(object("/invented").await, Err(FetchError::Absent(404)));
    assert_eq!(object("/anonymous").await, Err(FetchError::WrongDocument));
    assert_eq!(object("/moving").await, Err(FetchError::WrongDocument));
}

#[test]
fn the_method_is_part_of_what_is_signed() {
    let (signing, public) = key();
    let url = Url::parse("https://maple.example/inbox").unwrap();
    let signed = federation::signature::sign(&signing, "get", &url, None, true, NOW).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", signed.host.parse().unwrap());
    headers.insert("date", signed.date.parse().unwrap());
    headers.insert("signature", signed.signature.parse().unwrap());
    for (method, right) in [(Method::GET, true), (Method::DELETE, false)] {
        let expect = Expect {
            method: &method,
            target: "/inbox",
            headers: &headers,
            domain: "maple.example",
            digest: false,
            now: NOW,
        };
        assert_eq!(parse(&expect).unwrap().verify(&public).is_ok(), right);
    }
}
