//! The job queue: claimed by lease, tried again with growing pauses, in the order they were asked for.

use domain::job::Job;
use domain::{JobId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;
use crate::sql::json;

/// A job that this process holds until its lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: JobId,
    pub job: Job,
    /// How often it was begun before.
    pub attempts: i64,
}

/// Keeps a job, to be done at once; one that tells of a deletion comes before all others.
pub(crate) async fn insert(conn: &mut Conn, id: JobId, job: &Job, now: Timestamp) -> Result<()> {
    let run_at = if job.deletes() { Timestamp(0) } else { now };
    sql!("INSERT INTO jobs (id, payload, run_at, created_at, subject, line) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id)
        .bind(json(job)?)
        .bind(run_at)
        .bind(now)
        .bind(job.subject())
        .bind(job.line())
        .run(conn)
        .await?;
    Ok(())
}

/// Drops the jobs with this subject that nobody has begun, and gives them.
pub(crate) async fn withdraw(tx: &mut Tx, subject: &str) -> Result<Vec<Job>> {
    let now = tx.now();
    let dropped = sql!("DELETE FROM jobs WHERE subject = $1 AND attempts = 0 AND leased_until <= $2 RETURNING payload")
        .bind(subject)
        .bind(now)
        .all::<(String,)>(tx)
        .await?;
    Ok(dropped.into_iter().filter_map(|(payload,)| serde_json::from_str(&payload).ok()).collect())
}

/// How often a job may fail before the rest of its line goes on without it.
pub const PATIENCE: i64 = 3;
/// Due jobs that a claim looks at: those of a line that is under way may be the first of all.
const LOOK: i64 = 1024;

/// Takes up to `limit` due jobs for this process alone, until `lease`. Those of one line ([`Job::line`]) are to be done
/// one after the other: none is given while an earlier one is under way elsewhere, or failed and is to be tried again
/// (but at most [`PATIENCE`] times). A job whose payload cannot be read (made by a newer version) is left for a process
/// that can.
///
/// What it costs depends on neither what waits nor what the database believes about that.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn claim(tx: &mut Tx, lease: Timestamp, limit: i64) -> Result<Vec<Claimed>> {
    let (now, node) = (tx.now(), tx.node());
    let rows = sql!(
        sqlite: "UPDATE jobs SET leased_until = $2, leased_by = $4, attempts = attempts + 1 WHERE id IN (
                    SELECT w.id FROM (SELECT id, line, run_at FROM jobs
                        WHERE run_at <= $1 AND leased_until <= $1
                        ORDER BY run_at, id LIMIT $6) w
                    WHERE NOT EXISTS (SELECT 1 FROM jobs e WHERE e.line = w.line AND e.id < w.id
                        AND (e.leased_until > $1 OR e.attempts BETWEEN 1 AND $5))
                    ORDER BY w.run_at, w.id LIMIT $3)
                 RETURNING id, payload, attempts",
        // What another claimer takes at this moment is due here, but not free: what comes after it is left, too.
        postgres: "WITH due AS MATERIALIZED (
                    SELECT w.id, w.line, w.run_at FROM (SELECT id, line, run_at FROM jobs
                        WHERE run_at <= $1 AND leased_until <= $1
                        ORDER BY run_at, id LIMIT $6) w
                    WHERE (SELECT e.id FROM jobs e
                        WHERE (e.line, e.id) >= (w.line, 0) AND (e.line, e.id) < (w.line, w.id)
                            AND (e.leased_until > $1 OR e.attempts BETWEEN 1 AND $5)
                        ORDER BY e.line, e.id LIMIT 1) IS NULL
                    ORDER BY w.run_at, w.id LIMIT $3),
                 free AS MATERIALIZED (
                    SELECT id, line FROM jobs WHERE id = ANY(ARRAY(SELECT id FROM due)) AND leased_until <= $1
                    FOR UPDATE SKIP LOCKED)
                 UPDATE jobs SET leased_until = $2, leased_by = $4, attempts = attempts + 1
                 WHERE id = ANY(ARRAY(SELECT f.id FROM free f WHERE NOT EXISTS (
                    SELECT 1 FROM due d WHERE d.line = f.line AND d.id < f.id AND d.id NOT IN (SELECT id FROM free))))
                 RETURNING id, payload, attempts",
    )
    .bind(now)
    .bind(lease)
    .bind(limit)
    .bind(node)
    .bind(PATIENCE)
    .bind(LOOK)
    .all::<(i64, String, i64)>(tx)
    .await?;
    let mut claimed: Vec<Claimed> = rows
        .into_iter()
        .filter_map(|(id, payload, attempts)| match serde_json::from_str(&payload) {
            Ok(job) => Some(Claimed { id: JobId(id), job, attempts: attempts - 1 }),
            Err(e) => {
                tracing::error!(job = id, error = %e, "a job cannot be read by this version");
                None
            }
        })
        .collect();
    claimed.sort_by_key(|c| c.id);
    Ok(claimed)
}

/// Frees what this process holds but for `known`: of a claim whose end it did not hear of, and what it cannot settle.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn free_all_but(tx: &mut Tx, known: &[JobId]) -> Result<u64> {
    let node = tx.node();
    sql!(
        "UPDATE jobs /* scan */ SET leased_until = 0
         WHERE leased_until > 0 AND leased_by = $1 AND NOT (id = ANY($2))"
    )
    .bind(node)
    .bind(known)
    .run(tx)
    .await
}

/// The job is done: it is forgotten.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn finish(conn: &mut Conn, id: JobId) -> Result<()> {
    sql!("DELETE FROM jobs WHERE id = $1").bind(id).run(conn).await?;
    Ok(())
}

/// The job failed: it is to be tried again at `run_at`, and what waits behind it in its line is not looked at before.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn retry(conn: &mut Conn, id: JobId, run_at: Timestamp, error: &str) -> Result<()> {
    let failed =
        sql!("UPDATE jobs SET run_at = $2, leased_until = 0, last_error = $3 WHERE id = $1 RETURNING attempts, line")
            .bind(id)
            .bind(run_at)
            .bind(error)
            .maybe::<(i64, Option<i64>)>(conn)
            .await?;
    if let Some((1..=PATIENCE, Some(line))) = failed {
        sql!("UPDATE jobs SET run_at = $3 WHERE line = $1 AND id > $2 AND run_at < $3 AND leased_until = 0")
            .bind(line)
            .bind(id)
            .bind(run_at)
            .run(conn)
            .await?;
    }
    Ok(())
}

/// How many wait, and when the oldest was asked for.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn backlog(conn: &mut Conn) -> Result<(i64, Option<Timestamp>)> {
    let (n, oldest) =
        sql!("SELECT count(*), min(created_at) FROM jobs /* scan */").one::<(i64, Option<i64>)>(conn).await?;
    Ok((n, oldest.map(Timestamp)))
}

/// Since when the job has been due that is due longest and that nobody works on. One that was put before all others
/// has been due since it was asked for.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn oldest_due(conn: &mut Conn, now: Timestamp) -> Result<Option<Timestamp>> {
    let (due,) = sql!(
        "SELECT min(CASE WHEN run_at = 0 THEN created_at ELSE run_at END) FROM jobs
         WHERE run_at <= $1 AND leased_until <= $1"
    )
    .bind(now)
    .one::<(Option<i64>,)>(conn)
    .await?;
    Ok(due.map(Timestamp))
}
