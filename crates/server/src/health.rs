//! `/health`: the process is alive, and to start it anew would help nothing. `/ready`: it can do what it is there for.
//!
//! Anybody may ask, so the checks are made once in a while and their result is given to all who ask until the next time.
//! What is wrong is said in plain words, without names, paths or numbers; those are in the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use federation::Federation;
use http::{StatusCode, header};
use storage::{Db, inbox_items, jobs, settings};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// When a server is able.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes that have to be free on the disks of database and media.
    pub room: u64,
    /// What is due in a queue may wait that long.
    pub due: Duration,
    /// How long a result is given to all who ask.
    pub keep: Duration,
    /// For all checks together.
    pub patience: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            room: 128 * 1024 * 1024,
            due: Duration::from_secs(15 * 60),
            keep: Duration::from_secs(5),
            patience: Duration::from_secs(5),
        }
    }
}

const DATABASE: &str = "the database cannot be written";
const DATABASE_DISK: &str = "the disk of the database is nearly full";
const MEDIA_DISK: &str = "the disk of the pictures is nearly full";
const QUEUE: &str = "work has been waiting for too long";

/// Where to look.
#[derive(Debug)]
struct Checks {
    db: Db,
    /// Of the embedded database.
    database_folder: Option<PathBuf>,
    media_folder: PathBuf,
    bounds: Bounds,
    /// What was wrong, and when that was found.
    last: Mutex<Option<(Instant, Vec<&'static str>)>>,
}

/// Both addresses. `media_folder`: where files are kept.
pub fn routes(federation: &Federation, media_folder: PathBuf, bounds: Bounds) -> Router {
    let checks = Checks::new(federation.app.db.clone(), media_folder, bounds);
    // `OK` is the word that Mastodon's clients wait for.
    let alive = || async { "OK" };
    Router::new().route("/health", get(alive)).route("/ready", get(ready)).with_state(Arc::new(checks))
}

async fn ready(State(checks): State<Arc<Checks>>) -> Response {
    let wrong = checks.wrong().await;
    let never_kept = [(header::CACHE_CONTROL, "no-store")];
    if wrong.is_empty() {
        return (never_kept, "OK").into_response();
    }
    let words: String = wrong.iter().map(|why| format!("{why}\n")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, never_kept, words).into_response()
}

impl Checks {
    fn new(db: Db, media_folder: PathBuf, bounds: Bounds) -> Self {
        let database_folder = db.file().and_then(|file| file.parent()).map(Path::to_owned);
        Self { db, database_folder, media_folder, bounds, last: Mutex::default() }
    }

    /// What is wrong, as of a moment ago. Who asks while somebody looks waits for what they find.
    async fn wrong(&self) -> Vec<&'static str> {
        let mut last = self.last.lock().await;
        if let Some((when, wrong)) = &*last
            && when.elapsed() < self.bounds.keep
        {
            return wrong.clone();
        }
        let mut wrong = Vec::new();
        let looked = timeout(self.bounds.patience, self.look(&mut wrong)).await;
        if looked.is_err() {
            tracing::warn!("the database does not answer in time");
            wrong.push(DATABASE);
        }
        *last = Some((Instant::now(), wrong.clone()));
        wrong
    }

    async fn look(&self, wrong: &mut Vec<&'static str>) {
        for (folder, words) in
            [(self.database_folder.as_deref(), DATABASE_DISK), (Some(self.media_folder.as_path()), MEDIA_DISK)]
        {
            if let Some(folder) = folder
                && !self.has_room(folder)
            {
                wrong.push(words);
            }
        }
        match self.queues_are_late().await {
            Ok(true) => wrong.push(QUEUE),
            Ok(false) => {}
            // What cannot be read cannot be written either.
            Err(error) => tracing::warn!(%error, "the database cannot be read"),
        }
        if let Err(error) = self.write().await {
            tracing::warn!(%error, "the database cannot be written");
            wrong.push(DATABASE);
        }
    }

    fn has_room(&self, folder: &Path) -> bool {
        match rustix::fs::statvfs(folder) {
            Ok(disk) => {
                let free = disk.f_bavail.saturating_mul(disk.f_frsize);
                if free < self.bounds.room {
                    tracing::warn!(free, folder = %folder.display(), "the disk is nearly full");
                }
                free >= self.bounds.room
            }
            Err(error) => {
                tracing::warn!(%error, folder = %folder.display(), "the disk cannot be asked");
                false
            }
        }
    }

    async fn queues_are_late(&self) -> storage::Result<bool> {
        let mut conn = self.db.read().await?;
        let oldest =
            [jobs::oldest_due(&mut conn, self.now()).await?, inbox_items::oldest_due(&mut conn, self.now()).await?];
        let late = self.now().minus(self.bounds.due);
        Ok(oldest.into_iter().flatten().any(|due| due < late))
    }

    /// Only a write that was committed shows that another one can be.
    async fn write(&self) -> storage::Result<()> {
        let mut tx = self.db.write().await?;
        settings::note_checked(&mut tx).await?;
        tx.commit().await
    }

    fn now(&self) -> domain::Timestamp {
        self.db.clock().now()
    }
}

#[cfg(test)]
mod tests {
    use domain::Clock;
    use domain::job::Job;

    use super::*;

    /// A database without a server, and so without workers.
    async fn checks(keep: Duration) -> (Checks, Clock, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("porchlight.db").display());
        let clock = Clock::shifted();
        let db = Db::connect(&storage::Config { url, max_connections: 3 }, clock.clone()).await.unwrap();
        let bounds = Bounds { keep, room: 0, ..Bounds::default() };
        (Checks::new(db, folder.path().into(), bounds), clock, folder)
    }

    #[tokio::test]
    async fn work_that_nobody_does_is_told_once_it_is_late() {
        let (checks, clock, _folder) = checks(Duration::ZERO).await;
        let mut tx = checks.db.write().await.unwrap();
        tx.enqueue(Job::DeleteMedia { keys: Vec::new() });
        tx.commit().await.unwrap();
        clock.advance(Duration::from_secs(14 * 60));
        assert!(checks.wrong().await.is_empty());
        clock.advance(Duration::from_secs(2 * 60));
        assert_eq!(checks.wrong().await, [QUEUE]);
        let mut tx = checks.db.write().await.unwrap();
        jobs::claim(&mut tx, clock.now().plus(Duration::from_secs(60)), 1).await.unwrap();
        tx.commit().await.unwrap();
        assert!(checks.wrong().await.is_empty(), "somebody works on it");
    }

    #[tokio::test]
    async fn a_database_that_does_not_answer_is_told_in_time_and_one_that_is_closed_at_once() {
        let (mut checks, _, _folder) = checks(Duration::ZERO).await;
        checks.bounds.patience = Duration::from_millis(200);
        assert!(checks.wrong().await.is_empty());
        let writer = checks.db.write().await.unwrap();
        assert_eq!(checks.wrong().await, [DATABASE]);
        drop(writer);
        assert!(checks.wrong().await.is_empty());
        checks.db.close().await;
        assert_eq!(checks.wrong().await, [DATABASE]);
    }

    /// Anybody may ask, as often as they like.
    #[tokio::test]
    async fn who_asks_again_is_told_what_was_found() {
        let (checks, _, _folder) = checks(Duration::from_secs(60)).await;
        assert!(checks.wrong().await.is_empty());
        checks.db.close().await;
        for _ in 0..50 {
            assert!(checks.wrong().await.is_empty(), "nobody looked again");
        }
    }

    #[tokio::test]
    async fn a_disk_without_room_is_told() {
        let (mut checks, _, folder) = checks(Duration::ZERO).await;
        checks.bounds.room = u64::MAX;
        assert_eq!(checks.wrong().await, [DATABASE_DISK, MEDIA_DISK]);
        checks.bounds.room = 0;
        checks.media_folder = folder.path().join("gone");
        assert_eq!(checks.wrong().await, [MEDIA_DISK]);
    }
}
