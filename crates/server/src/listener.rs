//! Connections that can be let go: at the stop of the server a stream ends although its peer does not read.
//!
//! HTTP ends a connection in order once everything was written. What waits in it for a peer that has stopped reading (a
//! phone that left the network) is never written, and nothing in the response is asked any more: only the connection
//! itself can give up. Whoever loads a file, however slowly, has the time that running requests have.

use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::Request;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use web::line::Line;

/// How long a stream's last words may take once the server stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// Accepts connections until the server stops, and lets streams go then.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    stop: CancellationToken,
}

impl Listener {
    #[must_use]
    pub fn new(tcp: TcpListener, stop: CancellationToken) -> Self {
        Self { tcp, stop }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (tcp, address) = axum::serve::Listener::accept(&mut self.tcp).await;
        (Connection { tcp, line: Line::default(), stop: self.stop.clone(), farewell: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// A TCP connection that knows whether it carries a stream.
#[derive(Debug)]
pub struct Connection {
    tcp: TcpStream,
    line: Line,
    stop: CancellationToken,
    /// Runs from the first time that a stream could not be written after the stop.
    farewell: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    /// What to answer where `tcp` cannot take more now: wait, unless it is a stream and the server stops. (At the stop,
    /// every connection is asked again.)
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if !self.line.carries_a_stream() || !self.stop.is_cancelled() {
            return Poll::Pending;
        }
        let farewell = self.farewell.get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
        ready!(farewell.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.tcp).poll_write(cx, buf) {
            Poll::Pending => self.wait(cx),
            written @ Poll::Ready(_) => written,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs) {
            Poll::Pending => self.wait(cx),
            written @ Poll::Ready(_) => written,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// What a request is told about its connection.
#[derive(Debug, Clone)]
pub struct Peer {
    address: SocketAddr,
    line: Line,
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        Self { address: *stream.remote_addr(), line: stream.io().line.clone() }
    }
}

/// Puts what is known of the connection where handlers look for it.
#[must_use]
pub fn introduce(mut request: Request) -> Request {
    if let Some(ConnectInfo(peer)) = request.extensions_mut().remove::<ConnectInfo<Peer>>() {
        request.extensions_mut().insert(ConnectInfo(peer.address));
        request.extensions_mut().insert(peer.line);
    }
    request
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Extension, Router, ServiceExt as _};
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinHandle;
    use tower::util::MapRequest;

    use super::*;

    /// More than all buffers between two programs hold.
    const MUCH: usize = 64 << 20;

    async fn much() -> Body {
        Body::from(Bytes::from(vec![b'.'; MUCH]))
    }

    /// Somebody who asked for `path` and read the first bytes of the answer, and no more.
    async fn asked(path: &str) -> (TcpStream, JoinHandle<()>, CancellationToken) {
        let router = Router::new().route("/file", get(much)).route(
            "/stream",
            get(|Extension(line): Extension<Line>| async move {
                line.begin_stream();
                much().await
            }),
        );
        let stop = CancellationToken::new();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let service = MapRequest::new(router, introduce).into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(Listener::new(tcp, stop.clone()), service);
        let served = tokio::spawn({
            let stop = stop.clone();
            async move { serving.with_graceful_shutdown(stop.cancelled_owned()).await.unwrap() }
        });
        let mut reader = TcpStream::connect(address).await.unwrap();
        reader.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut first = [0; 15];
        reader.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        tokio::time::sleep(Duration::from_millis(200)).await;
        (reader, served, stop)
    }

    #[tokio::test]
    async fn at_the_stop_a_stream_does_not_wait_for_who_does_not_read() {
        let (reader, served, stop) = asked("/stream").await;
        stop.cancel();
        tokio::time::timeout(FAREWELL * 3, served).await.expect("it stops").unwrap();
        drop(reader);
    }

    #[tokio::test]
    async fn at_the_stop_who_loads_a_file_gets_all_of_it() {
        let (mut reader, served, stop) = asked("/file").await;
        stop.cancel();
        tokio::time::sleep(FAREWELL * 2).await;
        assert!(!served.is_finished());
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).await.unwrap();
        assert!(rest.len() > MUCH);
        served.await.unwrap();
    }
}
