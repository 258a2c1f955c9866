//! Work that was promised: jobs, received activities, deliveries. Claimed by lease, so that several processes share
//! one queue and a crash loses nothing.
//!
//! A job without a handler does not compile: `federation::jobs` names every one.

use std::collections::HashMap;
use std::time::Duration;

use domain::JobId;
use domain::job::Job;
use federation::Federation;
use storage::jobs::{self, Claimed};
use storage::{Era, Queue, Tx};
use tokio::task::{self, JoinSet};
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

/// A job that was run, in which era, and what came of it.
struct Ended {
    job: Claimed,
    era: Era,
    result: app::Result<()>,
}

async fn work_off_jobs(federation: Federation, stop: CancellationToken) {
    let mut running: JoinSet<Vec<Ended>> = JoinSet::new();
    let mut ended: Vec<Ended> = Vec::new();
    let mut under_way: HashMap<task::Id, Vec<JobId>> = HashMap::new();
    // This process may hold others than those under way, which it does not know of.
    let mut lost_count = false;
    let mut look = true;
    while !stop.is_cancelled() {
        let room = JOBS_AT_ONCE.saturating_sub(running.len());
        if (look && room > 0) || !ended.is_empty() {
            let known: Vec<JobId> = under_way.values().flatten().copied().collect();
            match settle_and_claim(&federation, &ended, room, &known, lost_count).await {
                Ok(claimed) => {
                    ended.clear();
                    lost_count = false;
                    // A full hand: there may be more.
                    look = claimed.len() == room;
                    // What is under way already came again by a clock that jumped.
                    let new = claimed.into_iter().filter(|claimed| !known.contains(&claimed.id));
                    for line in by_lines(new) {
                        let (ids, federation) = (line.iter().map(|job| job.id).collect(), federation.clone());
                        let task = running.spawn(async move { run_line(&federation, line).await });
                        under_way.insert(task.id(), ids);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "jobs could not be settled or claimed; it is tried again");
                    (lost_count, look) = (true, true);
                    if !matches!(error, storage::Error::Unavailable(_) | storage::Error::TooLong) {
                        // One that cannot be settled keeps the others from nothing: all of these run again.
                        ended.clear();
                    }
                    stop.run_until_cancelled(tokio::time::sleep(LOOK_AGAIN)).await;
                    continue;
                }
            }
        }
        tokio::select! {
            Some(first) = running.join_next_with_id() => {
                // Whatever else has ended is settled in the same transaction.
                for one in std::iter::once(first).chain(std::iter::from_fn(|| running.try_join_next_with_id())) {
                    under_way.remove(&one.as_ref().map_or_else(task::JoinError::id, |(task, _)| *task));
                    // One that panicked is not settled: it runs again when its lease ends.
                    ended.extend(one.into_iter().flat_map(|(_, ended)| ended));
                }
            }
            () = federation.app.db.hub().wait(Queue::Jobs, LOOK_AGAIN), if !look => look = true,
            () = stop.cancelled() => {}
        }
    }
    while let Some(last) = running.join_next().await {
        ended.extend(last.into_iter().flatten());
    }
    if let Err(error) = settle_and_claim(&federation, &ended, 0, &[], false).await {
        tracing::error!(%error, "jobs could not be settled; they run again when the server starts");
    }
}

/// Jobs of one line ([`Job::line`]) together, the others each alone.
fn by_lines(claimed: impl Iterator<Item = Claimed>) -> Vec<Vec<Claimed>> {
    let mut lines: Vec<Vec<Claimed>> = Vec::new();
    for job in claimed {
        let line = job.job.line();
        match lines.iter_mut().find(|earlier| line.is_some() && earlier[0].job.line() == line) {
            Some(earlier) => earlier.push(job),
            None => lines.push(vec![job]),
        }
    }
    lines
}

/// One after the other. While the database is away none goes before one that failed.
async fn run_line(federation: &Federation, line: Vec<Claimed>) -> Vec<Ended> {
    let mut ended: Vec<Ended> = Vec::with_capacity(line.len());
    for job in line {
        match ended.last() {
            Some(Ended { era, result: Err(app::Error::Unavailable(why)), .. }) => {
                let (era, result) = (*era, Err(app::Error::Unavailable(why.clone())));
                ended.push(Ended { job, era, result });
            }
            _ => ended.push(run_job(federation, job).await),
        }
    }
    ended
}

async fn run_job(federation: &Federation, claimed: Claimed) -> Ended {
    let (name, era) = (claimed.job.name(), federation.app.db.era());
    let started = std::time::Instant::now();
    let result = handle(federation, &claimed.job, claimed.attempts > 0).await;
    metrics::histogram!("porchlight_job_seconds", "job" => name).record(started.elapsed().as_secs_f64());
    if result.is_err() {
        metrics::counter!("porchlight_job_failures_total", "job" => name).increment(1);
    }
    Ended { job: claimed, era, result }
}

/// Writes what came of jobs, and takes up to `room` others, in one transaction. What was done in an era that is over
/// may be lost: it is not settled. Then, and where it is asked for, all that this process holds is freed but `known`.
async fn settle_and_claim(
    federation: &Federation,
    ended: &[Ended],
    room: usize,
    known: &[JobId],
    lost_count: bool,
) -> storage::Result<Vec<Claimed>> {
    let mut tx = federation.app.db.write_repeatable().await?;
    let (mut changed, mut free) = (!ended.is_empty(), lost_count);
    for Ended { job, era, result } in ended {
        if tx.is_of(*era) {
            settle(&mut tx, job, result).await?;
        } else {
            free = true;
        }
    }
    if free {
        changed |= jobs::free_all_but(&mut tx, known).await? > 0;
    }
    let claimed = match i64::try_from(room) {
        Ok(room) if room > 0 => {
            let lease = tx.now().plus(LEASE);
            jobs::claim(&mut tx, lease, room).await?
        }
        _ => Vec::new(),
    };
    if changed || !claimed.is_empty() {
        tx.commit().await?;
    }
    Ok(claimed)
}

async fn settle(tx: &mut Tx, claimed: &Claimed, result: &app::Result<()>) -> storage::Result<()> {
    let name = claimed.job.name();
    match result {
        Ok(()) => jobs::finish(tx, claimed.id).await,
        Err(app::Error::NotFound) => {
            tracing::debug!(job = name, "what the job was about is gone");
            jobs::finish(tx, claimed.id).await
        }
        Err(error) if claimed.attempts + 1 >= ATTEMPTS => {
            tracing::error!(job = name, payload = ?claimed.job, %error, "a job was given up");
            jobs::finish(tx, claimed.id).await
        }
        Err(error) => {
            tracing::warn!(job = name, attempt = claimed.attempts + 1, %error, "a job failed and is tried again");
            let at = tx.now().plus(pause(claimed.attempts));
            jobs::retry(tx, claimed.id, at, &error.to_string()).await
        }
    }
}

/// Federation knows its own jobs, every one of them; these are left.
async fn handle(federation: &Federation, job: &Job, again: bool) -> app::Result<()> {
    match job {
        Job::PurgeAccount { account } => app::accounts::purge::purge(&federation.app, *account).await,
        Job::ForgetDomain { domain } => app::moderation::domains::forget::forget(&federation.app, domain).await,
        Job::DeleteMedia { keys } => app::attachments::clean::delete_files(&federation.app, keys).await,
        job => federation.run_job(job, again).await.map(drop),
    }
}

/// The pause after the nth failure (from 0): 5 s, then twice as long each time, at most 6 hours.
fn pause(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(0, 13)).unwrap_or(0);
    Duration::from_secs((5u64 << doublings).min(6 * 60 * 60))
}
