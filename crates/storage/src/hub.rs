//! Live events and wake-up calls: told after commit.
//!
//! Events go to every process that works on the database: within a process by a broadcast channel, between processes by
//! PostgreSQL's `LISTEN`/`NOTIFY` ([`crate::teller`]). Calls wake the workers of the process that has put something
//! into a queue, and of no other: those look each second, and would mostly find that it is being done. The embedded
//! database has one server process; what the command line changes beside it is found by polling, each by
//! those whom it concerns: a live stream asks whether its token is still good.

use std::sync::Arc;
use std::time::Duration;

use domain::event::Event;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::{Notify, broadcast};

use crate::error::Result;

/// How long one connection to listen on may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// PostgreSQL's channel.
pub(crate) const CHANNEL: &str = "porchlight";

/// A table that workers wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    Jobs,
    Inbox,
    Deliveries,
}

/// Where listeners subscribe and workers wait.
#[derive(Debug, Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    events: broadcast::Sender<Event>,
    jobs: Notify,
    inbox: Notify,
    deliveries: Notify,
    stop: Notify,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            inner: Arc::new(Inner {
                events: broadcast::channel(4096).0,
                jobs: Notify::new(),
                inbox: Notify::new(),
                deliveries: Notify::new(),
                stop: Notify::new(),
            }),
        }
    }
}

impl Hub {
    /// Every event from now on. A listener that falls 4,096 events behind is told so and must read afresh.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// Waits until something was put into the queue, or `at_most` has passed. A wake-up that came while nobody
    /// waited is not lost.
    pub async fn wait(&self, queue: Queue, at_most: Duration) {
        // A timeout is as good a reason to look as a wake-up.
        let _ = tokio::time::timeout(at_most, self.notify(queue).notified()).await;
    }

    fn notify(&self, queue: Queue) -> &Notify {
        match queue {
            Queue::Jobs => &self.inner.jobs,
            Queue::Inbox => &self.inner.inbox,
            Queue::Deliveries => &self.inner.deliveries,
        }
    }

    /// Wakes this process's worker of the queue.
    pub fn wake(&self, queue: Queue) {
        self.notify(queue).notify_one();
    }

    pub(crate) fn deliver(&self, event: Event) {
        // No listeners is no error.
        drop(self.inner.events.send(event));
    }

    /// Something was missed: whoever keeps anything reads afresh, and workers look at their queues.
    pub(crate) fn some_missed(&self) {
        self.deliver(Event::SomeMissed);
        [Queue::Jobs, Queue::Inbox, Queue::Deliveries].into_iter().for_each(|queue| self.wake(queue));
    }

    /// Brings other processes' events (and our own) here, for as long as the database lives.
    pub(crate) async fn listen(&self, options: &PgConnectOptions) -> Result<()> {
        // Of one connection: the listener's.
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options.clone());
        let listener = listener(&pool).await?;
        tokio::spawn(hear(self.clone(), pool, listener));
        Ok(())
    }

    /// Hears no more of other processes: this one stops.
    pub(crate) fn stop(&self) {
        self.inner.stop.notify_one();
    }
}

async fn listener(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    // It would connect again without a word, and nobody would know that something was missed.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn hear(hub: Hub, pool: PgPool, mut connected: PgListener) {
    loop {
        let received = tokio::select! {
            received = connected.try_recv() => received,
            () = hub.inner.stop.notified() => return,
        };
        let why = match received {
            Ok(Some(message)) => {
                match serde_json::from_str(message.payload()) {
                    Ok(event) => hub.deliver(event),
                    Err(e) => tracing::warn!(error = %e, "a live event could not be read"),
                }
                continue;
            }
            Ok(None) => "it ended".to_owned(),
            Err(e) => e.to_string(),
        };
        tracing::warn!(why, "the connection for live events is lost");
        drop(connected);
        let mut pause = Duration::from_millis(50);
        connected = loop {
            match listener(&pool).await {
                Ok(again) => break again,
                Err(error) => tracing::debug!(%error, "live events cannot be listened for"),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = hub.inner.stop.notified() => return,
            }
            pause = (pause * 2).min(Duration::from_secs(1));
        };
        hub.some_missed();
    }
}
