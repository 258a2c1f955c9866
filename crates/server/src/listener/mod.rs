//! Where connections come in: how many, from whom, and how long each may take for what it does.
//!
//! A stranger costs us a connection before saying a word, so everything here has a bound: connections in all and by
//! address, the time for a request's head, the pace of its body, the memory of all bodies, and the time a peer may leave
//! what we write unread. Addresses are those of the peer, or of whom a trusted proxy names. Only HTTP/1.1 is spoken: the
//! proxy in front speaks HTTP/2 to browsers, and what is not spoken needs no bounds.

mod body;
mod connection;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use federation::SentBy;
use http::{HeaderValue, StatusCode, header};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt as _};
use web::limits::{Origin, address, is_trusted};
use web::line::Line;
use web::shares::{BodyMemory, Full, Share, Shares};

use body::{Answer, Arriving, Left, Reading, throw_away};
use connection::{Busy, Connection, MOST_LINGERING, Turn};

/// Bytes that are read of a connection at a time. A request's head has to fit.
const BUFFER: usize = 32 * 1024;

/// What is said to a connection for which there is no place. Nothing was read of it.
const TURNED_AWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 52\r\n\r\n\
    There are too many connections. Try again in a bit.\n";

/// Strangers cause it, so it is logged no more often.
const SAY_FULL_EVERY: Duration = Duration::from_secs(60);

/// What strangers are held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at a time.
    pub connections: usize,
    /// Of those, from one address, or requests at a time of one address behind a trusted proxy.
    pub connections_per_address: usize,
    /// Their connections are bounded in all only, and they say whom they speak for.
    pub trusted_proxies: Vec<IpNet>,
    /// Bytes of request bodies in memory, from all addresses together.
    pub body_memory: usize,
    /// Bodies that are waited for at a time, since they did not come with their head.
    pub bodies: usize,
    /// Of those, from one address.
    pub bodies_per_address: usize,
    pub pace: Pace,
}

/// How long a peer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// For the head of a request, from its first byte; of the first request, from the connection's beginning.
    pub head: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
    /// As `idle`, of a trusted proxy: longer than proxies keep a connection that they do not use (Caddy: 2 minutes), so
    /// that they are the ones to close it. Otherwise a request may be on its way while we close.
    pub proxy_idle: Duration,
    /// A body may be waited for this long, and one second more for every `body_rate` bytes of it that came.
    pub body_grace: Duration,
    /// Bytes each second. A phone at the edge of the network manages ten times that.
    pub body_rate: u64,
    /// A whole body, however steadily it comes: the largest picture at 30 kB each second.
    pub body_whole: Duration,
    /// For the peer to read anything of what is written to it.
    pub unread: Duration,
    /// Bytes each second that it has to read of an answer in the end.
    pub read_rate: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            proxy_idle: Duration::from_secs(180),
            body_grace: Duration::from_secs(15),
            body_rate: 2048,
            body_whole: Duration::from_secs(600),
            unread: Duration::from_secs(60),
            read_rate: 1024,
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 256,
            trusted_proxies: Vec::new(),
            body_memory: 32 * 1024 * 1024,
            bodies: 512,
            bodies_per_address: 32,
            pace: Pace::default(),
        }
    }
}

/// The time that so many bytes may take at this rate.
fn earned(bytes: u64, each_second: u64) -> Duration {
    Duration::from_millis(bytes.saturating_mul(1000) / each_second.max(1))
}

/// What all connections share.
#[derive(Debug)]
struct Gate {
    connections: Arc<Shares>,
    /// Requests that trusted proxies pass on.
    passed_on: Arc<Shares>,
    memory: Arc<Shares>,
    bodies: Arc<Shares>,
    trusted_proxies: Vec<IpNet>,
    pace: Pace,
    /// Places for connections that are closed, and read on for a moment.
    lingering: Arc<Semaphore>,
    /// When it was last said in the log that there are too many connections.
    said_full: Mutex<Option<Instant>>,
}

/// Serves HTTP/1.1 on `tcp` until `stop`, then lets what runs end.
pub async fn serve<S>(tcp: TcpListener, service: S, bounds: Bounds, stop: CancellationToken)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let gate = Arc::new(Gate {
        connections: Shares::new(bounds.connections, bounds.connections_per_address),
        passed_on: Shares::new(bounds.connections, bounds.connections_per_address),
        memory: Shares::new(bounds.body_memory, usize::MAX),
        bodies: Shares::new(bounds.bodies, bounds.bodies_per_address),
        trusted_proxies: bounds.trusted_proxies,
        pace: bounds.pace,
        lingering: Arc::new(Semaphore::new(MOST_LINGERING)),
        said_full: Mutex::default(),
    });
    let conversations = TaskTracker::new();
    let mut tcp = tcp;
    // Errors of accepting are waited out in there.
    while let Some((connection, peer)) = stop.run_until_cancelled(axum::serve::Listener::accept(&mut tcp)).await {
        let from_proxy = is_trusted(peer.ip(), &gate.trusted_proxies);
        let place = gate.connections.open((!from_proxy).then(|| Origin::new(peer.ip())));
        match place.take(1) {
            Ok(()) => {
                let door = Door::new(service.clone(), gate.clone(), peer, from_proxy);
                conversations.spawn(converse(connection, door, place, stop.clone()));
            }
            Err(full) => gate.turn_away(&connection, full),
        }
    }
    drop(tcp);
    conversations.close();
    conversations.wait().await;
}

impl Gate {
    fn turn_away(&self, connection: &TcpStream, full: Full) {
        metrics::counter!("porchlight_connections_refused_total").increment(1);
        if full == Full::All {
            let mut said = self.said_full.lock().unwrap_or_else(PoisonError::into_inner);
            if said.is_none_or(|said| said.elapsed() > SAY_FULL_EVERY) {
                *said = Some(Instant::now());
                tracing::warn!("connections are refused: as many are open as `connections` allows");
            }
        }
        // A courtesy: whether it arrives does not matter.
        let _ = connection.try_write(TURNED_AWAY);
    }
}

/// Speaks HTTP over one connection, to its end.
async fn converse<S>(tcp: TcpStream, door: Door<S>, place: Share, stop: CancellationToken)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let pace = (door.gate.pace, door.from_proxy);
    let lingering = door.gate.lingering.clone();
    let connection = Connection::new(tcp, door.line.clone(), door.turn.clone(), stop.clone(), pace, lingering, place);
    let mut http = http1::Builder::new();
    // The connection has deadlines of its own, which tell a head from an idle wait.
    http.max_buf_size(BUFFER).header_read_timeout(None);
    let mut conversation = pin!(http.serve_connection(TokioIo::new(connection), door).with_upgrades());
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        () = stop.cancelled() => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended");
    }
}

/// What a connection's requests pass through.
struct Door<S> {
    service: S,
    gate: Arc<Gate>,
    peer: SocketAddr,
    from_proxy: bool,
    line: Line,
    turn: Arc<Turn>,
}

impl<S> Door<S> {
    fn new(service: S, gate: Arc<Gate>, peer: SocketAddr, from_proxy: bool) -> Self {
        Self { service, gate, peer, from_proxy, line: Line::default(), turn: Turn::new() }
    }

    /// The request as handlers see it, and its body once more, which the connection holds.
    fn admit(&self, request: hyper::Request<Incoming>) -> Admitted {
        let (mut parts, body) = request.into_parts();
        let origin = Origin::new(address(Some(self.peer.ip()), &parts.headers, &self.gate.trusted_proxies));
        let place = if self.from_proxy {
            let place = self.gate.passed_on.open(Some(origin));
            place.take(1).map(|()| Some(place))
        } else {
            Ok(None)
        };
        parts.extensions.insert(origin);
        parts.extensions.insert(SentBy(Some(origin.0)));
        self.line.begin_request();
        parts.extensions.insert(self.line.clone());
        if body.is_end_stream() {
            return Admitted { request: Request::from_parts(parts, Body::empty()), place, body: None };
        }
        let memory = Arc::new(self.gate.memory.open(Some(origin)));
        parts.extensions.insert(BodyMemory(memory.clone()));
        let waits = self.gate.bodies.open(Some(origin));
        let asks_first = parts.headers.contains_key(header::EXPECT);
        let arriving = Arriving::new(body, memory, waits, self.gate.pace, asks_first);
        let arriving = Arc::new(Mutex::new(arriving));
        let request = Request::from_parts(parts, Body::new(Reading(arriving.clone())));
        Admitted { request, place, body: Some(Reading(arriving)) }
    }
}

struct Admitted {
    request: Request,
    /// Its place among what proxies pass on, if one passes it on. `Err`: there is none for it.
    place: Result<Option<Share>, Full>,
    /// `None`: it has none.
    body: Option<Reading>,
}

impl<S> hyper::service::Service<hyper::Request<Incoming>> for Door<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = hyper::Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: hyper::Request<Incoming>) -> Self::Future {
        let Admitted { request, place, body } = self.admit(request);
        let (request, busy) = match place {
            Ok(place) => (Some(request), self.turn.begin(place)),
            Err(_) => (None, self.turn.begin(None)),
        };
        let (service, turn) = (self.service.clone(), self.turn.clone());
        Box::pin(async move {
            let mut response = match request {
                Some(request) => service.oneshot(request).await?,
                None => too_many(),
            };
            let left = match body {
                Some(body) if response.status() != StatusCode::SWITCHING_PROTOCOLS => throw_away(body).await,
                _ => Left::Nothing,
            };
            if left != Left::Nothing {
                turn.leave_unread(left == Left::Something);
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(answer(response, busy))
        })
    }
}

fn answer(response: Response, busy: Busy) -> hyper::Response<Answer> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        busy.upgrade();
        return response.map(|body| Answer { body, _busy: None });
    }
    response.map(|body| Answer { body, _busy: Some(busy) })
}

/// One address has too many requests under way, through a proxy.
fn too_many() -> Response {
    metrics::counter!("porchlight_connections_refused_total").increment(1);
    let why = r#"{"error":"Too many requests at the same time"}"#;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::RETRY_AFTER, "5")];
    (StatusCode::TOO_MANY_REQUESTS, headers, why).into_response()
}

#[cfg(test)]
mod tests;
