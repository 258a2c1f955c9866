//! Work that was promised: jobs, received activities, deliveries. Claimed by lease, so that several processes share
//! one queue and a crash loses nothing.
//!
//! A job without a handler does not compile: `federation::jobs` names every one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::AccountId;
use domain::account::Account;
use domain::job::Job;
use federation::Federation;
use federation::inbound::Verdict;
use storage::inbox_items::{self, Claimed};
use storage::{Queue, accounts, jobs};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long nothing is looked for when nobody calls: leases and pauses end unannounced.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a claim holds; longer than any job or activity can take.
const LEASE: Duration = Duration::from_secs(5 * 60);
const JOBS_AT_ONCE: usize = 16;
const ACTORS_AT_ONCE: usize = 16;
const INBOX_BATCH: i64 = 128;
const INBOX_PER_HOST: i64 = 32;
/// A job or activity that failed so often is given up, loudly. With the pauses below: after about two days.
const ATTEMPTS: i64 = 20;

/// Starts every worker; they end soon after `stop`, with what they have begun.
pub fn start(federation: &Federation, stop: &CancellationToken, tasks: &mut JoinSet<anyhow::Result<()>>) {
    let (f, s) = (federation.clone(), stop.clone());
    tasks.spawn(async move {
        work_off_jobs(f, s).await;
        Ok(())
    });
    let (f, s) = (federation.clone(), stop.clone());
    tasks.spawn(async move {
        work_off_inbox(f, s).await;
        Ok(())
    });
    let (f, s) = (federation.clone(), stop.clone());
    tasks.spawn(async move {
        f.deliver_until(s).await;
        Ok(())
    });
}

async fn work_off_jobs(federation: Federation, stop: CancellationToken) {
    let mut running: JoinSet<()> = JoinSet::new();
    while !stop.is_cancelled() {
        let room = JOBS_AT_ONCE.saturating_sub(running.len());
        let claimed = if room == 0 { Ok(Vec::new()) } else { claim_jobs(&federation, room).await };
        let claimed = claimed.unwrap_or_else(|error| {
            tracing::error!(%error, "jobs could not be claimed");
            Vec::new()
        });
        let full = claimed.len() == room;
        for claimed in claimed {
            let federation = federation.clone();
            running.spawn(async move { run_job(&federation, claimed).await });
        }
        tokio::select! {
            Some(_) = running.join_next() => {}
            () = federation.app.db.hub().wait(Queue::Jobs, LOOK_AGAIN), if !full => {}
            () = stop.cancelled() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

async fn claim_jobs(federation: &Federation, room: usize) -> storage::Result<Vec<jobs::Claimed>> {
    let now = federation.app.now();
    let mut tx = federation.app.db.write().await?;
    let claimed = jobs::claim(&mut tx, now.plus(LEASE), i64::try_from(room).unwrap_or(1)).await?;
    if !claimed.is_empty() {
        tx.commit().await?;
    }
    Ok(claimed)
}

async fn run_job(federation: &Federation, claimed: jobs::Claimed) {
    let name = claimed.job.name();
    let started = std::time::Instant::now();
    let result = handle(federation, &claimed.job).await;
    metrics::histogram!("porchlight_job_seconds", "job" => name).record(started.elapsed().as_secs_f64());
    let settled = match result {
        Ok(()) => settle_job(federation, &claimed, None).await,
        Err(error) => {
            metrics::counter!("porchlight_job_failures_total", "job" => name).increment(1);
            settle_job(federation, &claimed, Some(error)).await
        }
    };
    if let Err(error) = settled {
        tracing::error!(job = name, %error, "a job could not be settled; it runs again when its lease ends");
    }
}

async fn settle_job(
    federation: &Federation,
    claimed: &jobs::Claimed,
    error: Option<app::Error>,
) -> storage::Result<()> {
    let name = claimed.job.name();
    let mut tx = federation.app.db.write().await?;
    match error {
        None => jobs::finish(&mut tx, claimed.id).await?,
        Some(app::Error::NotFound) => {
            tracing::debug!(job = name, "what the job was about is gone");
            jobs::finish(&mut tx, claimed.id).await?;
        }
        Some(error) if claimed.attempts + 1 >= ATTEMPTS => {
            tracing::error!(job = name, payload = ?claimed.job, %error, "a job was given up");
            jobs::finish(&mut tx, claimed.id).await?;
        }
        Some(error) => {
            tracing::warn!(job = name, attempt = claimed.attempts + 1, %error, "a job failed and is tried again");
            let at = federation.app.now().plus(pause(claimed.attempts));
            jobs::retry(&mut tx, claimed.id, at, &error.to_string()).await?;
        }
    }
    tx.commit().await
}

/// Federation knows its own jobs, every one of them; these two are left.
async fn handle(federation: &Federation, job: &Job) -> app::Result<()> {
    match job {
        Job::PurgeAccount { account } => app::accounts::purge::purge(&federation.app, *account).await,
        Job::DeleteMedia { keys } => app::attachments::clean::delete_files(&federation.app, keys).await,
        job => federation.run_job(job).await.map(drop),
    }
}

async fn work_off_inbox(federation: Federation, stop: CancellationToken) {
    let at_once = Arc::new(Semaphore::new(ACTORS_AT_ONCE));
    while !stop.is_cancelled() {
        let claimed = claim_inbox(&federation).await.unwrap_or_else(|error| {
            tracing::error!(%error, "received activities could not be claimed");
            Vec::new()
        });
        if claimed.is_empty() {
            tokio::select! {
                () = federation.app.db.hub().wait(Queue::Inbox, LOOK_AGAIN) => {}
                () = stop.cancelled() => {}
            }
            continue;
        }
        // One actor's activities in their order, different actors' side by side.
        let mut by_actor: BTreeMap<AccountId, Vec<Claimed>> = BTreeMap::new();
        for item in claimed {
            by_actor.entry(item.actor_id).or_default().push(item);
        }
        let mut running = JoinSet::new();
        for (actor, items) in by_actor {
            let (federation, at_once) = (federation.clone(), Arc::clone(&at_once));
            running.spawn(async move {
                let _permit = at_once.acquire_owned().await;
                process_actor(&federation, actor, items).await;
            });
        }
        while running.join_next().await.is_some() {}
    }
}

async fn claim_inbox(federation: &Federation) -> storage::Result<Vec<Claimed>> {
    let mut tx = federation.app.db.write().await?;
    let lease = federation.app.now().plus(LEASE);
    let claimed = inbox_items::claim(&mut tx, lease, INBOX_BATCH, INBOX_PER_HOST).await?;
    if !claimed.is_empty() {
        tx.commit().await?;
    }
    Ok(claimed)
}

async fn process_actor(federation: &Federation, actor: AccountId, items: Vec<Claimed>) {
    let actor = async {
        let mut conn = federation.app.db.read().await?;
        match accounts::get(&mut conn, actor).await {
            Ok(actor) => Ok(Some(actor)),
            Err(storage::Error::NotFound) => Ok(None),
            Err(e) => Err(e),
        }
    };
    let actor = match actor.await {
        Ok(actor) => actor,
        Err(error) => {
            tracing::error!(%error, "received activities wait: their sender could not be read");
            return;
        }
    };
    let mut ended = Vec::with_capacity(items.len());
    for item in items {
        let verdict = match &actor {
            Some(actor) => process_item(federation, actor, &item.body).await,
            None => Verdict::Ignored("its sender is gone"),
        };
        match verdict {
            Verdict::Done => ended.push(item.id),
            Verdict::Ignored(why) | Verdict::Rejected(why) => {
                tracing::debug!(why, "a received activity had no effect");
                ended.push(item.id);
            }
            Verdict::RetryLater(why) if item.attempts + 1 >= ATTEMPTS => {
                tracing::info!(%why, "a received activity was given up");
                ended.push(item.id);
            }
            Verdict::RetryLater(why) => {
                tracing::debug!(%why, "a received activity is tried again");
                let at = federation.app.now().plus(pause(item.attempts));
                if let Err(error) = retry_item(federation, &item, at, &why).await {
                    tracing::error!(%error, "a received activity could not be put back");
                }
            }
        }
    }
    if let Err(error) = finish_items(federation, &ended).await {
        tracing::error!(%error, "received activities could not be settled; they run again when their lease ends");
    }
}

async fn process_item(federation: &Federation, actor: &Account, body: &str) -> Verdict {
    match serde_json::from_str(body) {
        Ok(activity) => federation.process(actor, &activity).await,
        Err(_) => Verdict::Rejected("no JSON"),
    }
}

async fn retry_item(federation: &Federation, item: &Claimed, at: domain::Timestamp, why: &str) -> storage::Result<()> {
    let mut tx = federation.app.db.write().await?;
    inbox_items::retry(&mut tx, item.id, at, why).await?;
    tx.commit().await
}

async fn finish_items(federation: &Federation, ids: &[domain::InboxItemId]) -> storage::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut tx = federation.app.db.write().await?;
    inbox_items::finish(&mut tx, ids).await?;
    tx.commit().await
}

/// The pause after the nth failure (from 0): 5 s, then twice as long each time, at most 6 hours.
fn pause(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(0, 13)).unwrap_or(0);
    Duration::from_secs((5u64 << doublings).min(6 * 60 * 60))
}
