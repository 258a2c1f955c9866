//! Work that was promised: jobs, received activities, deliveries. Claimed by lease, so that several processes share
//! one queue and a crash loses nothing.
//!
//! A job without a handler does not compile: `federation::jobs` names every one.

use std::time::Duration;

use domain::job::Job;
use federation::Federation;
use storage::{Queue, jobs};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long nothing is looked for when nobody calls: leases and pauses end unannounced.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a claim holds; longer than any job can take.
const LEASE: Duration = Duration::from_secs(5 * 60);
const JOBS_AT_ONCE: usize = 16;
/// A job that failed so often is given up, loudly. With the pauses below: after about two days.
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
        f.process_until(s).await;
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

/// Federation knows its own jobs, every one of them; these are left.
async fn handle(federation: &Federation, job: &Job) -> app::Result<()> {
    match job {
        Job::PurgeAccount { account } => app::accounts::purge::purge(&federation.app, *account).await,
        Job::ForgetDomain { domain } => app::moderation::domains::forget::forget(&federation.app, domain).await,
        Job::DeleteMedia { keys } => app::attachments::clean::delete_files(&federation.app, keys).await,
        job => federation.run_job(job).await.map(drop),
    }
}

/// The pause after the nth failure (from 0): 5 s, then twice as long each time, at most 6 hours.
fn pause(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(0, 13)).unwrap_or(0);
    Duration::from_secs((5u64 << doublings).min(6 * 60 * 60))
}
