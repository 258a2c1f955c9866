//! A whole server: opened, served, its workers with it, and stopped.
//!
//! Stopping is orderly: no new requests, streams are told to connect again, running requests end, then the database
//! closes.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use app::App;
use app::accounts::set_up;
use axum::Router;
use axum::extract::Request;
use domain::Clock;
use federation::Federation;
use http::Uri;
use media::MediaStore;
use storage::{Db, Serving, deliveries, inbox_items, jobs};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::util::MapRequest;
use web::Web;

use crate::cli::output::line;
use crate::config::Config;
use crate::{descriptors, health, listener, schedule, telemetry, worker};

/// How long running requests have to end once the server is told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// A server that runs in this process.
#[derive(Debug)]
pub struct Server {
    /// Where it listens: the real port where the configuration said 0.
    pub address: SocketAddr,
    federation: Federation,
    web: Web,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
    /// Given back last.
    _serving: Serving,
}

impl Server {
    /// Opens the database, listens, and starts the workers.
    ///
    /// # Errors
    /// When the database cannot be opened, another server works on the same file, or an address cannot be listened on.
    pub async fn start(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let listener = listen(config.bind, "bind").await?;
        Self::start_on(listener, config, clock).await
    }

    /// As [`Server::start`], where somebody listens already.
    ///
    /// # Errors
    /// When the database cannot be opened, another server works on the same file, or metrics cannot be served.
    pub async fn start_on(listener: TcpListener, config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let serving = Serving::begin(&config.storage()).context("cannot serve")?;
        let db = Db::connect(&config.storage(), clock).await.context("cannot open the database")?;
        db.end_leases_of_the_dead(true).await?;
        let media = MediaStore::on_disk(&config.media_dir()).context("cannot open the media store")?;
        let app = App::open(db, config.url.clone(), config.app(), media).await.context("cannot begin")?;
        let federation = Federation::new(app, config.federation.clone())?;
        let stop = CancellationToken::new();
        let web = Web::new(federation.clone(), config.web(), stop.clone());

        let mut tasks = JoinSet::new();
        let address = listener.local_addr()?;
        if let Some(bind) = config.metrics_bind {
            let listener = listen(bind, "metrics_bind").await?;
            tasks.spawn(telemetry::serve_metrics(listener, telemetry::collect_metrics()?, stop.clone()));
        }
        worker::start(&federation, &stop, &mut tasks);
        schedule::start(&federation, &stop, &mut tasks);
        let health = health::routes(&federation, config.media_dir(), config.ready);
        let router = router(health, &federation, web.clone(), config.metrics_bind.is_some());
        let mut bounds = config.bounds();
        bounds.connections = descriptors::connections(bounds.connections);
        let told = stop.clone();
        tasks.spawn(async move {
            listener::serve(listener, MapRequest::new(router, tidy), bounds, told).await;
            Ok(())
        });
        Ok(Self { address, federation, web, stop, tasks, _serving: serving })
    }

    /// What its parts work with.
    #[must_use]
    pub fn federation(&self) -> &Federation {
        &self.federation
    }

    /// Has everything been done that was queued: jobs, deliveries, what was received?
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn is_idle(&self) -> anyhow::Result<bool> {
        let mut conn = self.federation.app.db.read().await?;
        let (jobs, _) = jobs::backlog(&mut conn).await?;
        let (deliveries, _) = deliveries::backlog(&mut conn).await?;
        Ok(jobs + deliveries + inbox_items::backlog(&mut conn).await? == 0)
    }

    /// Stops it and waits until everything has ended.
    ///
    /// # Errors
    /// When something did not end well.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        let ended = async {
            while let Some(task) = self.tasks.join_next().await {
                task??;
            }
            self.web.ended().await;
            anyhow::Ok(())
        };
        match tokio::time::timeout(GRACE, ended).await {
            Ok(ended) => ended?,
            Err(_) => tracing::warn!("some requests did not end in time and were dropped"),
        }
        self.tasks.shutdown().await;
        self.federation.app.db.close().await;
        Ok(())
    }
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// When it cannot start, or did not end well.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let mut server = Server::start(config, Clock::System).await?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let app = &server.federation.app;
    if set_up::is_open(app).await? {
        // Not in the log, which may be kept and read elsewhere.
        line(&format!("Set-up: {}", set_up::address(app).await?))?;
    }
    tracing::info!(address = %server.address, "Porchlight is at {}", config.url.base());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        Some(ended) = server.tasks.join_next() => ended?.context("a part of the server failed")?,
    }
    tracing::info!("stopping");
    server.stop().await
}

async fn listen(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} (`{key}`)"))
}

fn router(health: Router, federation: &Federation, web: Web, measure: bool) -> Router {
    let documents = federation::routes::router(federation.clone()).layer(web::cross_origin::documents());
    let all = health.merge(documents).merge(web::router(web));
    telemetry::watched(all, measure)
}

/// As Mastodon's server has it, and its apps rely on it, `/oauth/authorize/` is `/oauth/authorize`; and chat programs,
/// link checkers and office suites write `/%40dana` for `/@dana`. ActivityPub's addresses are exact: signatures are
/// made over them.
fn tidy(mut request: Request) -> Request {
    let uri = request.uri();
    let path = match uri.path().strip_prefix("/%40") {
        Some(page) => format!("/@{page}"),
        None => uri.path().to_owned(),
    };
    let exact = path.starts_with("/users/") || path == "/inbox/" || path.starts_with("//");
    let path = match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() && !shorter.ends_with('/') && !exact => shorter,
        _ => &path,
    };
    if path == uri.path() {
        return request;
    }
    let tidied = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    if let Ok(tidied) = tidied.parse() {
        parts.path_and_query = Some(tidied);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}
