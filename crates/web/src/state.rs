//! What every handler works with. Cheap to clone; holds no request.

use std::sync::Arc;

use app::App;
use federation::Federation;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::limits::RateLimits;
use crate::api::render::Rendered;
use crate::api::search::Searches;
use crate::api::streaming::{self, Listeners};
use crate::auth::Tokens;
use crate::limits::Limits;
use crate::media::Fetched;
use crate::shares::Shares;
use crate::ui::community::Community;

/// Bytes of the disk that all uploads under way may take: 60 of the largest pictures, 12 of them from one address.
const UPLOADS: usize = 1 << 30;

/// What the owner decides about this door in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Limits how often one address or account may ask.
    pub rate_limits: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { rate_limits: true }
    }
}

/// The state of the router.
#[derive(Debug, Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub struct Inner {
    pub app: App,
    pub federation: Federation,
    pub config: Config,
    /// Tokens that were looked up before.
    pub tokens: Tokens,
    pub limits: Limits,
    /// How often the client API may be asked.
    pub api_limits: RateLimits,
    pub searches: Searches,
    /// JSON that was written before.
    pub rendered: Arc<Rendered>,
    pub community: Community,
    /// Who listens to what happens.
    pub listeners: Listeners,
    /// The server stops: streams end.
    pub stop: CancellationToken,
    /// WebSockets, which outlive the requests that they began as.
    pub sockets: TaskTracker,
    /// Pictures of other communities that were fetched lately.
    pub fetched: Fetched,
    /// Bytes of the disk that uploads take until they were dealt with.
    pub uploads: Arc<Shares>,
}

impl std::ops::Deref for Web {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Web {
    /// Must be called within a tokio runtime: it listens to what happens, to forget what is stale. Streams, which
    /// would go on for ever, end when `stop` is cancelled.
    #[must_use]
    pub fn new(federation: Federation, config: Config, stop: CancellationToken) -> Self {
        let app = federation.app.clone();
        let tokens = Tokens::new(app.db.hub());
        let (rendered, listeners) = (Arc::<Rendered>::default(), Listeners::default());
        streaming::start(&app, &rendered, &listeners);
        let inner = Inner {
            tokens,
            limits: Limits::new(config.rate_limits),
            api_limits: RateLimits::new(config.rate_limits),
            searches: Searches::default(),
            rendered,
            listeners,
            stop,
            sockets: TaskTracker::new(),
            community: Community::default(),
            fetched: Fetched::default(),
            uploads: Shares::new(UPLOADS, usize::MAX),
            app,
            federation,
            config,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Waits until every WebSocket was closed; for after the stop, when no new ones come.
    pub async fn ended(&self) {
        self.sockets.close();
        self.sockets.wait().await;
    }
}
