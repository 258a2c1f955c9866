//! What strangers and members send to a whole server faster, slower or in larger amounts than it can bear, and what
//! happens to everybody else meanwhile. The bounds themselves are tested one by one in `server::listener`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;
use testkit::{Answer, Database, Engine, Instance, Person, on_both};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

async fn says(to: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What comes within this time.
async fn heard(stream: &mut TcpStream, within: Duration) -> String {
    let mut bytes = vec![0; 4096];
    match timeout(within, stream.read(&mut bytes)).await {
        Ok(Ok(n)) => String::from_utf8_lossy(&bytes[..n]).into_owned(),
        _ => String::new(),
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default()
}

/// The head of an activity with a signature of the right shape that nobody made.
fn forged(house: &Instance, length: usize) -> String {
    let date = house.clock.now().datetime().format("%a, %d %b %Y %H:%M:%S GMT");
    format!(
        "POST /inbox HTTP/1.1\r\nhost: {}.localhost:{}\r\ndate: {date}\r\ncontent-type: application/activity+json\r\n\
         digest: SHA-256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\ncontent-length: {length}\r\n\
         signature: keyId=\"https://evil.example/users/x#main-key\",algorithm=\"rsa-sha256\",\
         headers=\"(request-target) host date digest\",signature=\"AAAA\"\r\n\r\n",
        house.name,
        house.address.port()
    )
}

/// Bodies that never become whole take a share of memory, and end; nobody has to wait for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_activities_are_bounded_and_members_go_on() {
    let database = std::sync::Arc::new(Database::fresh(Engine::Sqlite).await);
    let house = Instance::start_on("maple", database, |config| {
        config.body_memory = 8 << 20;
        config.pace.body_grace = Duration::from_secs(2);
    })
    .await;
    let dana = house.member("dana").await;
    let length = 512 * 1024;
    let mut attack = Vec::new();
    for _ in 0..40 {
        let mut stream = says(house.address, &forged(&house, length)).await;
        let sender = tokio::spawn(async move {
            // All but the last byte; what is refused may be closed already.
            let _ = stream.write_all(&vec![b' '; length - 1]).await;
            stream
        });
        attack.push(sender);
    }
    sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    dana.publish("still here", "public").await;
    assert_eq!(dana.home().await.len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(2), "members are served meanwhile");
    let (mut busy, mut slow) = (0, 0);
    for sender in attack {
        let mut stream = sender.await.unwrap();
        match status(&heard(&mut stream, Duration::from_secs(5)).await) {
            503 => busy += 1,
            408 => slow += 1,
            0 => {}
            other => panic!("{other}"),
        }
    }
    assert!(slow <= 4, "a fifth of 8 MiB at a time: {slow} of them");
    assert!(busy > 20, "the others are told to come again later: {busy}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_and_bodies_that_trickle_end() {
    let database = std::sync::Arc::new(Database::fresh(Engine::Sqlite).await);
    let house = Instance::start_on("maple", database, |config| {
        config.pace.head = Duration::from_secs(1);
        config.pace.body_grace = Duration::from_secs(1);
    })
    .await;
    let mut trickles = Vec::new();
    for n in 0..60 {
        let head = if n % 2 == 0 { "GET / HTTP/1.1\r\n".to_owned() } else { forged(&house, 1000) };
        let mut stream = says(house.address, &head).await;
        trickles.push(tokio::spawn(async move {
            while stream.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(100)).await;
            }
        }));
    }
    for trickle in trickles {
        timeout(Duration::from_secs(8), trickle).await.expect("it ends").unwrap();
    }
}

/// The head of an upload.
fn upload(of: &Person, token: &str, length: usize) -> String {
    let host = of.base.trim_start_matches("http://");
    format!(
        "POST /api/v2/media HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: multipart/form-data; boundary=B\r\ncontent-length: {length}\r\n\r\n"
    )
}

on_both! {
    /// Who may not upload, or announces too much, is told so before anything is sent.
    async fn nothing_is_read_of_an_upload_that_will_be_refused(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let id = dana.account_id();
        let reader = house.token(id, "read").await;
        for (token, length, expected) in [
            ("nonsense", 1000, 401),
            (reader.as_str(), 1000, 403),
            (dana.token.as_str(), 40 << 20, 422),
        ] {
            let mut stream = says(house.address, &upload(&dana, token, length)).await;
            let told = heard(&mut stream, Duration::from_secs(3)).await;
            assert_eq!(status(&told), expected, "{told}");
        }
    }
}

/// A picture that would not fit into the memory of bodies is taken in: it waits on the disk, in a file without a name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_takes_disk_and_not_memory() {
    let database = std::sync::Arc::new(Database::fresh(Engine::Sqlite).await);
    let house = Instance::start_on("maple", database, |config| config.body_memory = 512 * 1024).await;
    let dana = house.member("dana").await;
    let mut body = b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.gif\"\r\n\r\n".to_vec();
    body.extend_from_slice(&picture(2 << 20));
    body.extend_from_slice(b"\r\n--B--\r\n");
    let request = dana.request(Method::POST, "/api/v2/media").header("content-type", "multipart/form-data; boundary=B");
    let answer = Answer::read(request.body(body).send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);

    // One that stops half way leaves nothing behind.
    let files = || files_below(&house.media_dir());
    let before = files();
    let mut stream = says(house.address, &upload(&dana, &dana.token, 1 << 20)).await;
    stream.write_all(b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n").await.unwrap();
    stream.write_all(&vec![b'.'; 200_000]).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    assert_eq!(files(), before, "it has no name while it comes");
    drop(stream);
    // Text that pretends to be parameters is not spared.
    let form = dana.request(Method::POST, "/api/v1/statuses").body(json!({"status": "x".repeat(300_000)}).to_string());
    let answer = Answer::read(form.header("content-type", "application/json").send().await.unwrap()).await;
    assert_eq!(answer.status, 503, "{}", answer.text);
}

/// A picture of one pixel, with a comment of about this many bytes.
fn picture(bytes: usize) -> Vec<u8> {
    let mut gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xfe".to_vec();
    for _ in 0..bytes / 256 {
        gif.push(255);
        gif.extend_from_slice(&[b'.'; 255]);
    }
    gif.extend_from_slice(b"\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b");
    gif
}

fn files_below(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

on_both! {
    /// Alive is one question, able another: whoever watches is told which thing is wrong, and nothing else.
    async fn a_server_without_room_is_alive_and_not_ready(engine) {
        let database = std::sync::Arc::new(Database::fresh(engine).await);
        let mut house = Instance::start_on("maple", database, |config| config.ready.keep = Duration::ZERO).await;
        let ask = async |house: &Instance, path: &str| {
            Answer::read(house.request(Method::GET, path).send().await.unwrap()).await
        };
        assert_eq!((ask(&house, "/ready").await.status, ask(&house, "/ready").await.text.as_str()), (200, "OK"));

        house.stop().await;
        house.config.ready.room = u64::MAX;
        house.start_again().await;
        let told = ask(&house, "/ready").await;
        let database_too = if engine == Engine::Sqlite { "the disk of the database is nearly full\n" } else { "" };
        assert_eq!(told.status, 503);
        assert_eq!(told.text, format!("{database_too}the disk of the pictures is nearly full\n"));
        assert_eq!(ask(&house, "/health").await.status, 200);

        house.stop().await;
        house.config.ready.room = 0;
        house.start_again().await;
        assert_eq!(ask(&house, "/ready").await.status, 200);
    }
}
