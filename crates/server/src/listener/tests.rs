//! Every bound, held over real sockets, by peers that do what the bound is there for.

use std::io::ErrorKind;
use std::net::IpAddr;

use axum::routing::{get, post};
use axum::{Extension, Router};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::*;

mod stopping;

/// More than all buffers between two programs hold.
const MUCH: usize = 64 << 20;

/// Little enough that all buffers between two programs hold it several times.
const SOME: usize = 16 << 10;

/// Longer than any deadline of [`quick`].
const LONG: Duration = Duration::from_secs(5);

/// Deadlines that a test can wait for.
fn quick() -> Bounds {
    Bounds {
        pace: Pace {
            head: Duration::from_millis(400),
            idle: Duration::from_millis(800),
            proxy_idle: Duration::from_millis(2400),
            body_grace: Duration::from_millis(400),
            body_rate: 1000,
            body_whole: Duration::from_secs(3),
            unread: Duration::from_millis(600),
            read_rate: 1,
        },
        ..Bounds::default()
    }
}

struct House {
    at: SocketAddr,
    served: JoinHandle<()>,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn much() -> Body {
    Body::from(Bytes::from(vec![b'.'; MUCH]))
}

/// Reads a body as handlers do; says how long it was, or what was wrong with it.
async fn length(body: Body) -> (StatusCode, String) {
    let (mut pieces, mut length) = (body.into_data_stream(), 0);
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => length += piece.len(),
            Err(error) => {
                let mut cause: &dyn std::error::Error = &error;
                while let Some(deeper) = cause.source() {
                    cause = deeper;
                }
                let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
                return (StatusCode::REQUEST_TIMEOUT, format!("{kind:?}"));
            }
        }
    }
    (StatusCode::OK, length.to_string())
}

async fn open(bounds: Bounds) -> House {
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/slow", get(|| async { sleep(LONG).await }))
        .route("/length", post(length))
        .route("/refused", post(|| async { (StatusCode::UNAUTHORIZED, "who are you?") }))
        .route("/file", get(much))
        .route("/some", get(|| async { Bytes::from_static(&[b'.'; SOME]) }))
        .route(
            "/stream",
            get(|Extension(line): Extension<Line>| async move {
                line.begin_stream();
                much().await
            }),
        )
        .route(
            "/ticks",
            get(|| async {
                let ticks = futures_util::stream::unfold(0, |n| async move {
                    sleep(Duration::from_millis(1000)).await;
                    (n < 3).then_some((Ok::<_, Infallible>(format!("tick {n}\n")), n + 1))
                });
                Body::from_stream(ticks)
            }),
        )
        .route(
            "/socket",
            get(|upgrade: axum::extract::ws::WebSocketUpgrade| async {
                upgrade.on_upgrade(|mut socket| async move {
                    // Pings are answered on the way.
                    while let Some(Ok(_)) = socket.recv().await {}
                })
            }),
        );
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (at, stop) = (tcp.local_addr().unwrap(), CancellationToken::new());
    let served = tokio::spawn(serve(tcp, router, bounds, stop.clone()));
    House { at, served, stop }
}

impl House {
    async fn peer(&self) -> TcpStream {
        TcpStream::connect(self.at).await.unwrap()
    }

    /// A new connection that has said this.
    async fn says(&self, text: &str) -> TcpStream {
        let mut peer = self.peer().await;
        peer.write_all(text.as_bytes()).await.unwrap();
        peer
    }
}

/// Everything that comes until the connection ends, which it must do soon.
async fn rest(peer: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // It may end by a reset.
    let _ = timeout(LONG, peer.read_to_end(&mut bytes)).await.expect("the connection ends");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer with a short body, on a connection that stays.
async fn answer(peer: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let n = timeout(LONG, peer.read(&mut bytes)).await.expect("an answer").unwrap();
    String::from_utf8_lossy(&bytes[..n]).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default()
}

const ASK: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_head_has_to_come_in_time_however_steadily_it_trickles() {
    let house = open(quick()).await;
    let begun = Instant::now();
    let (mut silent, mut slow) = (house.peer().await, house.says("GET / HTTP/1.1\r\nhost: x\r\n").await);
    let trickle = tokio::spawn(async move {
        while slow.write_all(b"x-more: 1\r\n").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    assert_eq!(rest(&mut silent).await, "");
    timeout(LONG, trickle).await.expect("the trickle ends").unwrap();
    assert!(begun.elapsed() < LONG);
}

#[tokio::test]
async fn between_requests_a_proxy_has_longer_than_others() {
    for (trusted, least, most) in [(false, 700, 1800), (true, 2300, 4000)] {
        let mut bounds = quick();
        if trusted {
            bounds.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        }
        let house = open(bounds).await;
        let mut peer = house.says(ASK).await;
        assert_eq!(status(&answer(&mut peer).await), 200);
        sleep(Duration::from_millis(500)).await;
        peer.write_all(ASK.as_bytes()).await.unwrap();
        assert_eq!(status(&answer(&mut peer).await), 200, "longer after its head's time it may ask again");
        let idle = Instant::now();
        assert_eq!(rest(&mut peer).await, "");
        let waited = idle.elapsed().as_millis();
        assert!((least..most).contains(&waited), "{waited} ms");
    }
}

#[tokio::test]
async fn a_request_that_is_answered_slowly_has_all_the_time_it_needs() {
    let house = open(quick()).await;
    let mut peer = house.says("GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let mut answer = Vec::new();
    timeout(LONG * 2, peer.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_body_has_to_come_at_the_least_rate() {
    let house = open(quick()).await;
    let head = "POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 3000\r\n\r\n";
    let silent = rest(&mut house.says(&format!("{head}...")).await).await;
    assert_eq!(status(&silent), 408, "{silent}");
    assert!(silent.ends_with("Some(TimedOut)"), "{silent}");
    // 100 bytes each 50 ms are twice the rate, 10 bytes a fifth of it.
    for (piece, expected) in [(100, 200), (10, 408)] {
        let mut peer = house.says(head).await;
        for _ in 0..30 {
            if peer.write_all(&vec![b'.'; piece]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        let told = rest(&mut peer).await;
        assert_eq!(status(&told), expected, "{told}");
    }
}

#[tokio::test]
async fn a_body_has_a_last_moment_however_fast_it_comes() {
    let mut bounds = quick();
    bounds.pace.body_whole = Duration::from_millis(700);
    let house = open(bounds).await;
    let mut peer = house.says("POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 900000000\r\n\r\n").await;
    let begun = Instant::now();
    while peer.write_all(&[b'.'; 1000]).await.is_ok() {
        sleep(Duration::from_millis(20)).await;
        assert!(begun.elapsed() < LONG, "it is refused");
    }
}

#[tokio::test]
async fn bodies_of_one_address_take_a_share_of_the_memory_and_leave_some_to_others() {
    let mut bounds = quick();
    bounds.body_memory = 1 << 20;
    bounds.pace.body_grace = Duration::from_secs(60);
    bounds.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let house = open(bounds).await;
    let asks = |from: &str, bytes: usize| {
        format!(
            "POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {from}\r\ncontent-length: {bytes}\r\n\r\n"
        )
    };
    // One byte of each is missing. A fifth of the memory is what one address can have.
    let mut greedy = Vec::new();
    for _ in 0..20 {
        let mut peer = house.says(&asks("10.0.0.1", 30_001)).await;
        // Refused ones may be gone already.
        let _ = peer.write_all(&[b'.'; 30_000]).await;
        greedy.push(peer);
    }
    sleep(Duration::from_millis(300)).await;
    let mut refused = 0;
    for peer in &mut greedy {
        let mut bytes = [0; 4096];
        if let Ok(Ok(n)) = timeout(Duration::from_millis(20), peer.read(&mut bytes)).await {
            assert!(String::from_utf8_lossy(&bytes[..n]).ends_with("Some(ResourceBusy)"));
            refused += 1;
        }
    }
    assert!((13..=16).contains(&refused), "{refused} of 20");
    let mut honest = house.says(&asks("10.0.0.2", 30_000)).await;
    honest.write_all(&[b'.'; 30_000]).await.unwrap();
    assert_eq!(status(&rest(&mut honest).await), 200, "another address has room");
    drop(greedy);
    sleep(Duration::from_millis(300)).await;
    let mut again = house.says(&asks("10.0.0.1", 150_000)).await;
    again.write_all(&[b'.'; 150_000]).await.unwrap();
    assert_eq!(status(&rest(&mut again).await), 200, "what they held is free again");
}

/// Whoever sends many bodies in part is refused before they cost anything; what comes in one go needs no place.
#[tokio::test]
async fn bodies_that_are_waited_for_are_bounded_by_address() {
    let mut bounds = quick();
    bounds.bodies_per_address = 3;
    bounds.pace.body_grace = Duration::from_secs(60);
    bounds.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let house = open(bounds).await;
    let ask = |from: &str, rest: &str| {
        format!(
            "POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {from}\r\ncontent-length: 3\r\n\r\n{rest}"
        )
    };
    let mut held = Vec::new();
    for begun in ["", ".", ".."] {
        held.push(house.says(&ask("10.0.0.1", begun)).await);
        sleep(Duration::from_millis(50)).await;
    }
    for begun in ["", "."] {
        let told = rest(&mut house.says(&ask("10.0.0.1", begun)).await).await;
        assert!(told.ends_with("Some(ResourceBusy)"), "{told}");
    }
    assert_eq!(status(&rest(&mut house.says(&ask("10.0.0.1", "...")).await).await), 200, "it came in one go");
    let mut other = house.says(&ask("10.0.0.2", ".")).await;
    other.write_all(b"..").await.unwrap();
    assert_eq!(status(&rest(&mut other).await), 200, "another address has places of its own");
    held[0].write_all(b"...").await.unwrap();
    assert_eq!(status(&rest(&mut held[0]).await), 200);
    let mut next = house.says(&ask("10.0.0.1", "..")).await;
    sleep(Duration::from_millis(50)).await;
    next.write_all(b".").await.unwrap();
    assert_eq!(status(&rest(&mut next).await), 200, "a place that was left is free");
}

#[tokio::test]
async fn many_tiny_pieces_count_for_what_they_take_of_memory() {
    let mut bounds = quick();
    bounds.body_memory = 1 << 20;
    let house = open(bounds).await;
    let mut peer =
        house.says("POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n").await;
    // 20 kB in pieces of a byte, each of which takes 65.
    let _ = peer.write_all("1\r\nx\r\n".repeat(20_000).as_bytes()).await;
    let told = rest(&mut peer).await;
    assert!(told.ends_with("Some(ResourceBusy)"), "{told}");
}

#[tokio::test]
async fn connections_are_bounded_by_address_and_places_come_back() {
    let mut bounds = quick();
    bounds.connections_per_address = 3;
    bounds.pace.head = LONG;
    let house = open(bounds).await;
    let mut open = [house.peer().await, house.peer().await, house.peer().await];
    sleep(Duration::from_millis(100)).await;
    let told = rest(&mut house.peer().await).await;
    assert_eq!(status(&told), 503, "{told}");
    assert!(told.contains("retry-after: 5") && told.ends_with("Try again in a bit.\n"), "{told}");
    open[0].write_all(ASK.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(status(&rest(&mut open[0]).await), 200);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(status(&answer(&mut house.says(ASK).await).await), 200, "one has gone, one may come");
}

#[tokio::test]
async fn connections_are_bounded_in_all_whoever_makes_them() {
    let mut bounds = quick();
    bounds.connections = 4;
    bounds.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    bounds.pace.head = LONG;
    let house = open(bounds).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(house.peer().await);
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!(status(&rest(&mut house.peer().await).await), 503);
}

/// All that a proxy passes on comes from its address: it is bound by whom it speaks for.
#[tokio::test]
async fn a_trusted_proxy_is_not_throttled_and_each_of_its_clients_is() {
    let mut bounds = quick();
    bounds.connections_per_address = 3;
    bounds.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let house = open(bounds).await;
    let slow = |from: &str| format!("GET /slow HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {from}\r\n\r\n");
    let mut held = Vec::new();
    for n in 0..10 {
        held.push(house.says(&slow(&format!("10.0.0.{n}"))).await);
    }
    for n in 1..=2 {
        held.push(house.says(&slow(&format!("2001:db8::{n}"))).await);
    }
    held.push(house.says(&slow("2001:db8:0:0:ffff::1")).await);
    sleep(Duration::from_millis(200)).await;
    let ask = |from: &str| format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {from}\r\n\r\n");
    let told = rest(&mut house.says(&ask("2001:db8::3")).await).await;
    assert_eq!(status(&told), 429, "one household, one share: {told}");
    assert_eq!(status(&rest(&mut house.says(&ask("2001:db8:0:1::3")).await).await), 200);
    assert_eq!(status(&rest(&mut house.says(&ask("10.0.0.1")).await).await), 200);
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_let_go() {
    let house = open(quick()).await;
    for path in ["/file", "/stream"] {
        let mut peer = house.says(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        sleep(LONG / 2).await;
        let mut rest = Vec::new();
        let ended = timeout(LONG, peer.read_to_end(&mut rest)).await.expect("it was let go");
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset, "{path}: nothing waits for it");
        assert!(rest.len() < MUCH / 16, "{path}: only what lay in small buffers came");
    }
}

/// Small answers are written at once, to the kernel: there they lie until somebody reads them, with the connection's
/// place or without it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_nobody_reads_does_not_lie_in_the_kernel_for_ever() {
    let house = open(quick()).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut peer = socket.connect(house.at).await.unwrap();
    peer.write_all("GET /some HTTP/1.1\r\nhost: x\r\n\r\n".repeat(8).as_bytes()).await.unwrap();
    sleep(LONG).await;
    let mut rest = Vec::new();
    let ended = timeout(LONG, peer.read_to_end(&mut rest)).await.expect("it ends");
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(rest.len() < 4 * SOME, "{}", rest.len());
}

#[tokio::test]
async fn who_reads_a_file_slowly_gets_all_of_it() {
    let house = open(quick()).await;
    let mut peer = house.says("GET /file HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let (mut length, mut bytes) = (0, vec![0; 8 << 20]);
    loop {
        let n = timeout(LONG, peer.read(&mut bytes)).await.unwrap().unwrap();
        if n == 0 {
            break;
        }
        length += n;
        sleep(Duration::from_millis(20)).await;
    }
    assert!(length > MUCH);
}

#[tokio::test]
async fn streams_and_sockets_outlive_every_deadline() {
    let house = open(quick()).await;
    let mut ticks = house.says("GET /ticks HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let upgrade = "GET /socket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut socket = house.says(upgrade).await;
    assert_eq!(status(&answer(&mut socket).await), 101);
    sleep(Duration::from_secs(3)).await;
    // A ping, masked with zeros.
    socket.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.unwrap();
    let mut pong = [0; 2];
    timeout(LONG, socket.read_exact(&mut pong)).await.expect("it is answered").unwrap();
    assert_eq!(pong, [0x8a, 0]);
    assert!(rest(&mut ticks).await.contains("tick 2"));
}

/// A socket keeps its client's place behind a proxy, as long as it lasts and no longer.
#[tokio::test]
async fn a_socket_keeps_its_place() {
    let mut bounds = quick();
    bounds.connections_per_address = 1;
    bounds.trusted_proxies = vec![IpAddr::from([127, 0, 0, 1]).into()];
    let house = open(bounds).await;
    let upgrade = "GET /socket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-forwarded-for: 10.0.0.1\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut socket = house.says(upgrade).await;
    assert_eq!(status(&answer(&mut socket).await), 101);
    let ask = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 10.0.0.1\r\n\r\n";
    assert_eq!(status(&rest(&mut house.says(ask).await).await), 429);
    drop(socket);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(status(&rest(&mut house.says(ask).await).await), 200);
}

#[tokio::test]
async fn heads_have_a_size_and_only_http_1_is_spoken() {
    let house = open(quick()).await;
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx-much: {}\r\n\r\n", ".".repeat(2 * BUFFER));
    let mut peer = house.peer().await;
    let _ = peer.write_all(large.as_bytes()).await;
    assert_eq!(status(&answer(&mut peer).await), 431);
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-many: 1\r\n".repeat(200));
    assert_eq!(status(&rest(&mut house.says(&many).await).await), 431);
    let http2 = rest(&mut house.says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await).await;
    assert!(!http2.as_bytes().starts_with(&[0, 0]), "no frames of HTTP/2");
}

/// Who is refused hears it, although it goes on sending for a while.
#[tokio::test]
async fn a_refusal_reaches_who_is_still_sending() {
    let house = open(quick()).await;
    let mut peer = house.says("POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n").await;
    for _ in 0..30 {
        peer.write_all(&[b'.'; 10_000]).await.expect("it is not cut off");
        sleep(Duration::from_millis(10)).await;
    }
    let told = rest(&mut peer).await;
    assert!(status(&told) == 401 && told.ends_with("who are you?"), "{told}");
}

/// An app sends its next request on the same connection unless the answer says that it ends.
#[tokio::test]
async fn who_is_answered_before_its_body_is_read_knows_whether_the_connection_stays() {
    let house = open(Bounds::default()).await;
    let stays = |told: &str| !told.to_lowercase().contains("connection: close");
    let small = format!("content-length: {}\r\n\r\n{}", 20_000, ".".repeat(20_000));
    for body in [small.as_str(), "transfer-encoding: chunked\r\n\r\n3\r\n...\r\n0\r\n\r\n"] {
        let mut peer = house.says(&format!("POST /refused HTTP/1.1\r\nhost: x\r\n{body}")).await;
        let told = answer(&mut peer).await;
        assert!(status(&told) == 401 && stays(&told), "{told}");
        peer.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert_eq!(status(&answer(&mut peer).await), 200, "the next request finds the connection as it should be");
    }
    let large = format!("content-length: {}\r\n\r\n{}", 100_000, ".".repeat(100_000));
    let missing = "content-length: 20000\r\n\r\n...";
    let asking = "content-length: 3\r\nexpect: 100-continue\r\n\r\n";
    let endless = format!("transfer-encoding: chunked\r\n\r\n{}", "1\r\n.\r\n".repeat(10_000));
    for body in [large.as_str(), missing, asking, &endless] {
        let mut peer = house.says(&format!("POST /refused HTTP/1.1\r\nhost: x\r\n{body}")).await;
        let told = rest(&mut peer).await;
        assert!(status(&told) == 401 && !stays(&told) && told.ends_with("who are you?"), "{told}");
    }
}

/// As above, of a proxy's connection, which carries other people's requests.
#[tokio::test]
async fn a_proxy_that_is_refused_a_place_keeps_its_connection() {
    let here = IpNet::from(IpAddr::from([127, 0, 0, 1]));
    let bounds = Bounds { connections_per_address: 1, trusted_proxies: vec![here], ..Bounds::default() };
    let house = open(bounds).await;
    let of = |client: &str, what: &str| format!("{what} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\n");
    let _busy = house.says(&(of("192.0.2.1", "GET /slow") + "\r\n")).await;
    sleep(Duration::from_millis(100)).await;
    let much = format!("content-length: {}\r\n\r\n{}", 20_000, ".".repeat(20_000));
    let mut peer = house.says(&(of("192.0.2.1", "POST /length") + &much)).await;
    assert_eq!(status(&answer(&mut peer).await), 429);
    peer.write_all((of("192.0.2.2", "GET /") + "\r\n").as_bytes()).await.unwrap();
    assert_eq!(status(&answer(&mut peer).await), 200);
}

/// To read on from those who are refused costs something too: beyond a number, they are cut off.
#[tokio::test]
async fn not_everybody_who_is_refused_is_listened_to_further() {
    let house = open(Bounds::default()).await;
    let mut refused = Vec::new();
    for _ in 0..=MOST_LINGERING {
        let mut peer = house.says("POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n").await;
        peer.write_all(&[b'.'; 10_000]).await.unwrap();
        assert_eq!(status(&answer(&mut peer).await), 401);
        refused.push(peer);
    }
    let mut cut_off = 0;
    for peer in &mut refused {
        // The first write after the end is answered with a reset, which the next one meets.
        let _ = peer.write_all(b".").await;
        sleep(Duration::from_millis(5)).await;
        cut_off += usize::from(peer.write_all(b".").await.is_err());
    }
    assert_eq!(cut_off, 1);
}

/// Nor is anybody who has too much under way already.
#[tokio::test]
async fn who_has_too_much_under_way_is_not_listened_to_further() {
    let house = open(Bounds { bodies: 4, ..Bounds::default() }).await;
    let head = "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n.";
    let _under_way = house.says(head).await;
    sleep(Duration::from_millis(100)).await;
    let mut peer = house.says(head).await;
    assert_eq!(answer(&mut peer).await.matches("ResourceBusy").count(), 1);
    let _ = peer.write_all(b".").await;
    sleep(Duration::from_millis(100)).await;
    assert!(peer.write_all(b".").await.is_err(), "the connection is gone");
}
