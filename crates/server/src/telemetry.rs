//! What the program tells about itself: logs, an id for every request, and Prometheus metrics on an address of their own.
//!
//! Never logs a query string, a header or a body: they hold tokens and what people write to each other. What a
//! stranger can cause (anything below 500) is told at `debug`, and no line of the code may repeat itself without end.

mod repeats;

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderName, HeaderValue, header};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};
use crate::listener::{self, Bounds};

pub use repeats::tell_left_out;

/// Stands in every answer, and in what was logged on the way to it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Sends what is logged from now on to standard error.
///
/// # Errors
/// When it was called before in this process, or the level cannot be read.
pub fn start_logging(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.level).context("log.level")?;
    let registry = tracing_subscriber::registry().with(filter).with(repeats::Repeats::default());
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => registry.with(layer.with_ansi(std::io::stderr().is_terminal())).try_init()?,
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init()?,
    }
    Ok(())
}

/// Gives every request an id (in its headers, its span and its answer), measures it, and logs those that failed here.
/// Goes around the whole router, so that metrics can tell the routes apart.
pub fn watched(router: Router, measure: bool) -> Router {
    router.layer(middleware::from_fn_with_state(measure, watch))
}

async fn watch(State(measure): State<bool>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = format!("{:016x}", rand::random::<u64>());
    let header = HeaderValue::from_str(&id).ok();
    if let Some(header) = &header {
        // Replaces what a stranger sent: an id in our logs is one that we made.
        request.headers_mut().insert(REQUEST_ID, header.clone());
    }
    let span = tracing::error_span!("request", id, method = %request.method(), path = request.uri().path());
    let about = measure.then(|| (request.method().as_str().to_owned(), route(&request)));

    let mut response = async {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        let ms = start.elapsed().as_secs_f64() * 1000.0;
        if response.status().is_server_error() {
            tracing::warn!(status, ms, "failed");
        } else {
            tracing::debug!(status, ms, "answered");
        }
        response
    }
    .instrument(span)
    .await;

    if let Some((method, route)) = about {
        let status = response.status().as_u16().to_string();
        let seconds = start.elapsed().as_secs_f64();
        let labels = [("method", method), ("route", route), ("status", status)];
        metrics::counter!("porchlight_http_requests_total", &labels).increment(1);
        metrics::histogram!("porchlight_http_request_seconds", &labels[..2]).record(seconds);
    }
    if let Some(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    response
}

/// The pattern that matched, so that there are as many series as routes and not as many as posts.
fn route(request: &Request) -> String {
    request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned()
}

/// Collects metrics in this process from now on. Calling it again gives back the same collection.
///
/// # Errors
/// When something else collects metrics already.
pub fn collect_metrics() -> anyhow::Result<PrometheusHandle> {
    static COLLECTION: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = COLLECTION.get() {
        return Ok(handle.clone());
    }
    let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)?
        .build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        // Lost a race against another call of this function, or against somebody else's recorder.
        return COLLECTION.get().cloned().context("metrics are collected by something else already");
    }
    Ok(COLLECTION.get_or_init(|| handle).clone())
}

/// Serves `/metrics` until told to stop.
///
/// # Errors
/// When the listener fails.
pub async fn serve_metrics(
    listener: TcpListener,
    metrics: PrometheusHandle,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let upkeep = metrics.clone();
    let tidy = async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    };
    let show = move || {
        let text = metrics.render();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
    };
    let router = Router::new().route("/metrics", get(show));
    let bounds = Bounds { connections: 256, ..Bounds::default() };
    tokio::select! {
        () = listener::serve(listener, router, bounds, stop) => Ok(()),
        () = tidy => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::StatusCode;
    use tower::ServiceExt as _;

    use super::*;

    fn router() -> Router {
        let echo = |request: Request| async move { request.headers()[REQUEST_ID].to_str().unwrap().to_owned() };
        let fail = || async { StatusCode::INTERNAL_SERVER_ERROR };
        watched(Router::new().route("/posts/{id}", get(echo)).route("/broken", get(fail)), true)
    }

    async fn ask(path: &str) -> (StatusCode, String, String) {
        let request = Request::builder().uri(path).header(REQUEST_ID, "forged").body(Body::empty()).unwrap();
        let response = router().oneshot(request).await.unwrap();
        let id = response.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        (status, id, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Every request has an id of ours, the same inside and outside, and never the one that was sent.
    #[tokio::test]
    async fn a_request_has_one_id() {
        let (_, first, seen) = ask("/posts/1").await;
        assert_eq!(first, seen);
        assert_eq!(first.len(), 16);
        let (_, second, _) = ask("/posts/1").await;
        assert_ne!(first, second);
        let (status, unknown, _) = ask("/nothing/here").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(unknown.len(), 16);
    }

    /// `/metrics` counts requests by route, not by path, over real HTTP.
    #[tokio::test]
    async fn metrics_are_served_by_route() {
        let metrics = collect_metrics().unwrap();
        ask("/posts/41").await;
        ask("/posts/42").await;
        ask("/broken").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve_metrics(listener, collect_metrics().unwrap(), stop.clone()));
        let text = fetch(address).await;
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        let posts = r#"porchlight_http_requests_total{method="GET",route="/posts/{id}",status="200"}"#;
        assert!(text.contains(posts), "{text}");
        assert!(text.contains(r#"route="/broken",status="500"} 1"#), "{text}");
        assert!(
            text.contains(r#"porchlight_http_request_seconds_bucket{method="GET",route="/posts/{id}",le="0.0005"}"#)
        );
        assert!(!text.contains("/posts/41"), "{text}");
        stop.cancel();
        server.await.unwrap().unwrap();
        drop(metrics);
    }

    async fn fetch(address: std::net::SocketAddr) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }
}
