//! Every route of the program, asked in every way that nobody should: never a 5xx, and each refusal in the format of who
//! asks. The routes are read from the source, so that a new one is walked too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use testkit::{Instance, Person, on_both};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// As they stand in a request line: controls, broken and cut UTF-8, broken escapes, separators, dots, numbers that fit
/// nowhere, and what is markup elsewhere.
const HOSTILE: &[&str] = &[
    "%0a",
    "%0d%0aX-Evil:%201",
    "%00",
    "a%00b",
    "%7f",
    "%c2%85",
    "%ef%bf%be",
    "%e2%80%ae",
    "%ff",
    "%f0%9f",
    "%zz",
    "%",
    "%2f",
    "a%2fb",
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    ".",
    "",
    "a%20b",
    "%22%3cscript%3e",
    "9223372036854775808",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    "-1",
    "0",
    "1e9",
    "@",
    "*",
    "'--",
    "{uri}",
    "[]",
];

/// Where text from a query or form may go; every handler that reads one of these names is met.
const NAMES: &[&str] = &[
    "resource",
    "page",
    "max_id",
    "min_id",
    "since_id",
    "limit",
    "offset",
    "q",
    "type",
    "acct",
    "id[]",
    "uri",
    "next",
    "code",
    "of",
    "handle",
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "stream",
    "list",
    "tag",
    "any[]",
    "access_token",
    "timeline[]",
    "types[]",
    "domain",
    "v",
    "until",
    "for",
];

/// Names of what is sent in bodies, beside [`NAMES`].
const FIELDS: &[&str] = &[
    "status",
    "spoiler_text",
    "visibility",
    "language",
    "in_reply_to_id",
    "media_ids[]",
    "scheduled_at",
    "title",
    "replies_policy",
    "comment",
    "duration",
    "description",
    "focus",
    "display_name",
    "note",
    "fields_attributes[0][name]",
    "source[language]",
    "username",
    "email",
    "password",
    "agreement",
    "locale",
    "reason",
    "client_name",
    "redirect_uris",
    "scopes",
    "website",
    "grant_type",
    "client_secret",
    "token",
    "csrf",
    "decision",
    "account_ids[]",
    "home[last_read_id]",
    "deed",
];

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

/// The paths of all routes, as axum writes them.
fn routes() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for name in ["federation", "web", "server"] {
        sources(&crates.join(name).join("src"), &mut files);
    }
    let mut routes = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for part in text.split(".route(").skip(1) {
            let part = part.trim_start();
            match part.strip_prefix('"').and_then(|path| path.split_once('"')) {
                // On a listener of its own.
                Some(("/metrics", _)) => {}
                Some((path, _)) => {
                    routes.insert(path.to_owned());
                }
                None => {
                    // The streams are made in a loop over their names.
                    assert!(
                        part.starts_with("&format!(\"/api/v1/streaming/{path}\")"),
                        "{}: {part:.60}",
                        file.display()
                    );
                    routes.insert("/api/v1/streaming/{path}".to_owned());
                }
            }
        }
    }
    for stream in ["user", "public/local", "hashtag", "list", "direct"] {
        routes.insert(format!("/api/v1/streaming/{stream}"));
    }
    assert!(routes.len() > 100, "the routes are not where this test looks for them: {routes:?}");
    routes
}

/// The path with something at its placeholders.
fn filled(route: &str, value: &str) -> String {
    let mut path = String::new();
    let mut rest = route;
    while let Some((before, after)) = rest.split_once('{') {
        let (_, after) = after.split_once('}').unwrap();
        path.push_str(before);
        path.push_str(value);
        rest = after;
    }
    path + rest
}

/// In which format a refusal is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Page,
    /// Files, and what answers in a word: the status says all.
    Bare,
}

fn format(path: &str) -> Format {
    let path = path.split('?').next().unwrap();
    let below = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    let one_of = |paths: &[&str]| paths.contains(&path.trim_end_matches('/'));
    if below(&["/api/", "/.well-known/", "/nodeinfo/", "/actor/", "/users/"])
        || one_of(&["/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/inbox", "/actor"])
    {
        Format::Json
    } else if below(&["/media/", "/static/", "/favicon.ico", "/robots.txt", "/health", "/ready"]) {
        Format::Bare
    } else {
        Format::Page
    }
}

/// A request as it goes over the wire.
#[derive(Debug, Clone)]
struct Asking {
    method: &'static str,
    path: String,
    /// Each with its line end.
    headers: Vec<u8>,
    body: Vec<u8>,
}

impl Asking {
    fn new(method: &'static str, path: String) -> Self {
        Self { method, path, headers: Vec::new(), body: Vec::new() }
    }

    fn header(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        self
    }

    fn by(self, dana: Option<&Person>) -> Self {
        match dana {
            Some(dana) => self.header("authorization", format!("Bearer {}", dana.token).as_bytes()),
            None => self,
        }
    }

    fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", kind.as_bytes())
    }

    fn accept(&self) -> String {
        let headers = String::from_utf8_lossy(&self.headers).into_owned();
        headers.split("\r\n").find_map(|line| line.strip_prefix("accept: ")).unwrap_or_default().to_owned()
    }

    async fn send(&self, house: &Instance) -> (u16, String, String) {
        let mut line = TcpStream::connect(house.address).await.unwrap();
        let host = house.base.trim_start_matches("http://");
        let mut request = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        let own = String::from_utf8_lossy(&self.headers).to_lowercase();
        if !own.starts_with("host: ") && !own.contains("\nhost: ") {
            request.extend(format!("host: {host}\r\n").bytes());
        }
        request.extend(&self.headers);
        request.extend(format!("connection: close\r\ncontent-length: {}\r\n\r\n", self.body.len()).bytes());
        request.extend(&self.body);
        // A server that refuses early may close before it has read all.
        let _ = line.write_all(&request).await;
        let mut answer = Vec::new();
        let mut chunk = [0; 16 * 1024];
        let whole = async {
            loop {
                match line.read(&mut chunk).await {
                    Ok(0) | Err(_) => break,
                    Ok(n) => answer.extend(&chunk[..n]),
                }
                if answer.windows(17).any(|part| part == b"text/event-stream") {
                    break;
                }
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(20), whole).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(ended.is_ok(), "no answer in 20 s: {self:?}: {text}");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    /// What is wrong with the answer, if anything.
    async fn judged(&self, house: &Instance) -> Option<String> {
        let (status, head, body) = Box::pin(self.send(house)).await;
        let headers = String::from_utf8_lossy(&self.headers);
        let who = || {
            format!(
                "{} {:.200} [{:.200}] {:.200}",
                self.method,
                self.path,
                headers,
                String::from_utf8_lossy(&self.body)
            )
        };
        if status == 0 || status >= 500 {
            return Some(format!("{} → {status} {body:.200}", who()));
        }
        if head.contains("\r\nx-evil") {
            return Some(format!("{} → a header of its own", who()));
        }
        // Bytes that are no HTTP are refused by the parser of HTTP, in no format.
        let unparsed = !head.contains("\r\nx-request-id:");
        if status < 400 || unparsed {
            return None;
        }
        let kind = head.split("\r\n").find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
        let accept = self.accept();
        let json = kind.contains("json") && body.contains("\"error\"") || kind.contains("activity+json");
        let page = kind.starts_with("text/html") && body.contains("<h1");
        let fine = match format(&self.path) {
            Format::Json => json || (page && accept.contains("html") && status == 404),
            Format::Page => page || (json && accept.contains("json")),
            Format::Bare => page || (!kind.contains("html") && body.len() < 100),
        };
        (!fine).then(|| format!("{} → {status} {kind}: {body:.120}", who()))
    }
}

/// Sends all, eight at a time, and fails with what went wrong.
async fn walk(house: &Arc<Instance>, all: Vec<Asking>) {
    let count = all.len();
    let mut walking = JoinSet::new();
    let all = Arc::new(std::sync::Mutex::new(all));
    for _ in 0..8 {
        let (house, all) = (house.clone(), all.clone());
        walking.spawn(async move {
            let mut wrong = Vec::new();
            loop {
                let next = all.lock().unwrap().pop();
                let Some(asking) = next else { return wrong };
                wrong.extend(Box::pin(asking.judged(&house)).await);
            }
        });
    }
    let wrong: Vec<String> = walking.join_all().await.concat();
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

fn paths(route: &str) -> Vec<String> {
    let mut paths: Vec<String> = HOSTILE.iter().map(|value| filled(route, value)).collect();
    paths.push(filled(route, &"a".repeat(8_000)));
    paths.push(filled(route, &"%f0%9f%98%80".repeat(300)));
    paths.push(format!("{}/", filled(route, "a")));
    paths.push(format!("{}%0a", filled(route, "a")));
    paths.sort();
    paths.dedup();
    paths
}

on_both! {
    /// What stands in the path.
    async fn no_path_breaks_a_route(engine) {
        let house = Arc::new(Instance::start("maple", engine).await);
        let dana = house.member("dana").await;
        let mut all = Vec::new();
        for route in routes() {
            for path in paths(&route) {
                for accept in ["text/html", "application/activity+json", ""] {
                    all.push(Asking::new("GET", path.clone()).header("accept", accept.as_bytes()));
                }
                for method in METHODS {
                    let asking = Asking::new(method, path.clone()).by(Some(&dana));
                    all.push(if *method == "GET" { asking } else { asking.body("application/json", "{}") });
                }
            }
            all.push(Asking::new("POST", filled(&route, "a")).body("application/activity+json", "{"));
        }
        walk(&house, all).await;
    }
}

on_both! {
    /// What stands in the query.
    async fn no_query_breaks_a_route(engine) {
        let house = Arc::new(Instance::start("maple", engine).await);
        let dana = house.member("dana").await;
        let long = "a".repeat(6_000);
        let values: Vec<&str> = HOSTILE.iter().copied().chain([long.as_str(), "http://x%0a.example/", "&&==&"]).collect();
        let mut all = Vec::new();
        for (at, route) in routes().iter().enumerate() {
            let path = filled(route, "dana");
            for (turn, value) in values.iter().enumerate() {
                // Each name meets each value at some route, and each route meets each name and each value.
                for (place, name) in NAMES.iter().enumerate().filter(|(place, _)| (at + turn + place).is_multiple_of(4)) {
                    let asking = Asking::new("GET", format!("{path}?{name}={value}"));
                    let asking = asking.header("accept", b"text/html");
                    all.push(asking.by(Some(&dana).filter(|_| place.is_multiple_of(2))));
                }
                all.push(Asking::new("GET", format!("{path}?{value}")));
            }
            let every = |value: &str| NAMES.iter().map(|name| format!("{name}={value}")).collect::<Vec<_>>().join("&");
            for value in ["1", "%0a", "%ff", "[]"] {
                all.push(Asking::new("GET", format!("{path}?{}", every(value))).by(Some(&dana)));
            }
        }
        walk(&house, all).await;
    }
}

on_both! {
    /// What stands in the headers.
    async fn no_header_breaks_a_route(engine) {
        let house = Arc::new(Instance::start("maple", engine).await);
        let dana = house.member("dana").await;
        let headers = [
            "accept", "accept-encoding", "accept-language", "authorization", "content-type", "cookie", "date", "digest",
            "host", "idempotency-key", "if-modified-since", "if-none-match", "if-range", "origin", "range", "referer",
            "signature", "user-agent", "x-forwarded-for", "x-request-id", "upgrade", "sec-websocket-protocol",
            "sec-fetch-site", "content-encoding", "expect",
        ];
        let long = vec![b'a'; 7_000];
        let values: [&[u8]; 14] = [
            b"", b"\xff\xfe", b"\t", b",;=\"", b"Bearer \xff", b"bytes=99999999999999999999-", b"bytes=-0", b"*", &long,
            b"keyId=\"x\",headers=\"(request-target) host date\",signature=\"AA==\"", b"Basic OjpcAA==", b"text/html;q=nan",
            b"multipart/form-data; boundary=\"", b"porchlight_session=\x80; __Host-porchlight=%00",
        ];
        let mut all = Vec::new();
        for (at, route) in routes().iter().enumerate() {
            let path = filled(route, "dana");
            for (place, name) in headers.iter().enumerate() {
                // Each header meets each value at some route, and each route meets each header and each value.
                for (_, value) in values.iter().enumerate().filter(|(turn, _)| (at + place + turn).is_multiple_of(5)) {
                    for method in ["GET", "POST"] {
                        let asking = Asking::new(method, path.clone()).header(name, value);
                        all.push(if *name == "authorization" { asking } else { asking.by(Some(&dana)) });
                    }
                }
            }
        }
        walk(&house, all).await;
    }
}

on_both! {
    /// What stands in a body.
    async fn no_body_breaks_a_route(engine) {
        let house = Arc::new(Instance::start("maple", engine).await);
        let dana = house.member("dana").await;
        let form = "application/x-www-form-urlencoded";
        let mut all = Vec::new();
        let bodies: Vec<(&str, Vec<u8>)> = [
            (form, &b"\xff=\xff"[..]), (form, b"%ff=%00"), (form, b"a[b][c][d][e][f][g][h][i][j]=1"), (form, b"[]=&]=[&[="),
            ("application/json", b"{"), ("application/json", b"[]"), ("application/json", b"\xff"), ("application/json", b"{\"status\":\"\\ud800\"}"),
            ("application/activity+json", b"{\"id\":\"\\u0000\"}"), ("multipart/form-data; boundary=B", b"--B\r\nx\r\n\r\n--B--"),
            ("multipart/form-data; boundary=B", b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\xff\"\r\n\r\n\x00\r\n--B--\r\n"),
            ("multipart/form-data", b""), ("text/plain", b"x"), ("\"", b"x"), ("application/xml", b"<x/>"),
        ].into_iter().map(|(kind, body)| (kind, body.to_vec())).collect();
        for (at, route) in routes().iter().enumerate() {
            let path = filled(route, "1");
            for (place, method) in ["POST", "PUT", "PATCH", "DELETE"].into_iter().enumerate() {
                for (kind, body) in &bodies {
                    let asking = Asking::new(method, path.clone()).body(kind, body.clone());
                    all.push(if (at + place).is_multiple_of(2) { asking.by(Some(&dana)) } else { asking });
                }
                for (turn, value) in HOSTILE.iter().enumerate().filter(|(turn, _)| (at + place + turn).is_multiple_of(4)) {
                    let pairs = |step: usize| {
                        let named = NAMES.iter().chain(FIELDS).enumerate().filter(|(n, _)| (n + turn).is_multiple_of(step));
                        named.map(|(_, name)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
                    };
                    all.push(Asking::new(method, path.clone()).by(Some(&dana)).body(form, pairs(5)));
                    all.push(Asking::new(method, path.clone()).header("accept", b"text/html").body(form, pairs(3)));
                }
            }
        }
        walk(&house, all).await;
    }
}
