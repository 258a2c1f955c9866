//! Hosts that something is to be sent to: when each has its turn, and how it answered.
//!
//! A host has a row while deliveries wait for it, or while it is in trouble. Its `due_at` may be too early, which costs
//! a look in vain; it is never too late. So hosts are found by an index in the order of their turns, however many
//! others there are and however much waits for them, and several processes take turns at once, each its own hosts.
//!
//! **Rows of hosts are locked last, and in the order of their names**: those that a transaction calls are called when
//! it commits ([`Tx::call_host`]). Only a claim locks them first, and a claim waits for no lock.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Host, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::{deliveries, sql};

/// A host whose turn it is, held by this transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    pub host: Host,
    /// How often in a row it did not answer.
    pub failures: i64,
}

/// Something waits for these hosts: they have a turn now, or when they are free and to be asked again. Called in order.
pub(crate) async fn call(conn: &mut Conn, hosts: &[Host], now: Timestamp) -> Result<()> {
    sql!(
        sqlite: "INSERT INTO hosts (host, due_at) SELECT value, $2 FROM json_each($1) WHERE TRUE
                 ON CONFLICT (host) DO UPDATE SET
                    due_at = max(min(coalesce(hosts.due_at, $2), $2), hosts.retry_at, hosts.busy_until)",
        postgres: "INSERT INTO hosts (host, due_at) SELECT unnest(CAST($1 AS text[])), $2
                 ON CONFLICT (host) DO UPDATE SET
                    due_at = greatest(least(hosts.due_at, $2), hosts.retry_at, hosts.busy_until)",
    )
    .bind(hosts)
    .bind(now)
    .run(conn)
    .await?;
    Ok(())
}

/// The hosts that have waited longest for their turns. No other transaction is given them before this one ends.
pub(crate) async fn take_turns(tx: &mut Tx, most: i64) -> Result<Vec<Turn>> {
    let now = tx.now();
    let turns = sql!(
        sqlite: "SELECT host, failures FROM hosts WHERE due_at <= $1 ORDER BY due_at, host LIMIT $2",
        postgres: "SELECT host, failures FROM hosts WHERE due_at <= $1 ORDER BY due_at, host LIMIT $2
                   FOR UPDATE SKIP LOCKED",
    )
    .bind(now)
    .bind(most)
    .all::<(Host, i64)>(tx)
    .await?;
    Ok(turns.into_iter().map(|(host, failures)| Turn { host, failures }).collect())
}

/// Deliveries to these hosts are under way: they have no other turn until `lease`, or until they are free
/// ([`settle`]).
pub(crate) async fn occupy(tx: &mut Tx, hosts: &[Host], lease: Timestamp) -> Result<()> {
    if hosts.is_empty() {
        return Ok(());
    }
    sql!("UPDATE hosts SET due_at = $2, busy_until = $2 WHERE host = ANY($1)").bind(hosts).bind(lease).run(tx).await?;
    Ok(())
}

/// Nothing is under way to these hosts any more, which this transaction holds: each has its next turn when something is
/// due, not before `earliest`. What nothing waits for, and is not in trouble, is forgotten.
pub(crate) async fn free(tx: &mut Tx, hosts: &[Host], earliest: Timestamp) -> Result<()> {
    if hosts.is_empty() {
        return Ok(());
    }
    sql!(
        sqlite: "UPDATE hosts SET busy_until = 0, due_at = (
                    SELECT max(min(d.run_at), hosts.retry_at, $2) FROM deliveries d WHERE d.host = hosts.host)
                 WHERE host = ANY($1)",
        postgres: "UPDATE hosts SET busy_until = 0, due_at = (
                    SELECT greatest(d.run_at, hosts.retry_at, $2) FROM deliveries d WHERE d.host = hosts.host
                    ORDER BY d.host, d.run_at, d.id LIMIT 1)
                 WHERE host = ANY($1)",
    )
    .bind(hosts)
    .bind(earliest)
    .run(tx)
    .await?;
    sql!("DELETE FROM hosts WHERE host = ANY($1) AND due_at IS NULL AND failures = 0").bind(hosts).run(tx).await?;
    Ok(())
}

/// Waits for those who write these rows, in the order of names.
async fn lock(tx: &mut Tx, hosts: &[Host]) -> Result<()> {
    sql!("SELECT 1 FROM hosts WHERE host = ANY($1) ORDER BY host FOR UPDATE").bind(hosts).lock(tx).await
}

/// How a host answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// Whatever kept it back is over.
    Well,
    /// It did not answer, or asked to be left alone until then.
    Not { retry_at: Timestamp, error: String },
}

/// Writes down how hosts answered, and that nothing is under way any more to those that are `free`: each has its next
/// turn when something is due.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn settle(tx: &mut Tx, answers: &BTreeMap<Host, Answered>, free: &[Host]) -> Result<()> {
    let now = tx.now();
    let well: Vec<Host> = answers.iter().filter(|(_, a)| **a == Answered::Well).map(|(host, _)| host.clone()).collect();
    let recovered: Vec<Host> = failing(tx, &well).await?.into_iter().map(|(host, _)| host).collect();
    deliveries::deletions_first(tx, &recovered).await?;
    let all: BTreeSet<&Host> = answers.keys().chain(free).collect();
    lock(tx, &all.into_iter().cloned().collect::<Vec<_>>()).await?;
    sql!(
        "UPDATE hosts SET failures = 0, failing_since = NULL, retry_at = 0, last_error = NULL
         WHERE host = ANY($1) AND failures > 0"
    )
    .bind(well.as_slice())
    .run(tx)
    .await?;
    for (host, answer) in answers {
        if let Answered::Not { retry_at, error } = answer {
            failed(tx, host, *retry_at, error).await?;
        }
    }
    // After those that wait for their turns now.
    self::free(tx, free, now).await
}

async fn failed(tx: &mut Tx, host: &Host, retry_at: Timestamp, error: &str) -> Result<()> {
    let now = tx.now();
    sql!(
        "INSERT INTO hosts (host, failures, failing_since, retry_at, last_error) VALUES ($1, 1, $2, $3, $4)
         ON CONFLICT (host) DO UPDATE SET failures = hosts.failures + 1, retry_at = excluded.retry_at,
            failing_since = coalesce(hosts.failing_since, excluded.failing_since), last_error = excluded.last_error"
    )
    .bind(host)
    .bind(now)
    .bind(retry_at)
    .bind(error)
    .run(tx)
    .await?;
    Ok(())
}

/// How often in a row these hosts failed; those that answered last time are missing.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn failing(conn: &mut Conn, hosts: &[Host]) -> Result<Vec<(Host, i64)>> {
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    sql!("SELECT host, failures FROM hosts WHERE host = ANY($1) AND failures > 0").bind(hosts).all(conn).await
}

/// Hosts that something waits for and that have no turn get one: a version that knew of no turns served beside this
/// one.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn call_forgotten(tx: &mut Tx) -> Result<()> {
    let forgotten = sql!(
        "SELECT DISTINCT d.host FROM deliveries d
         WHERE NOT EXISTS (SELECT 1 FROM hosts h WHERE h.host = d.host AND h.due_at IS NOT NULL)"
    );
    for (host,) in forgotten.all::<(Host,)>(tx).await? {
        tx.call_host(&host);
    }
    Ok(())
}

/// Whatever waits, for whichever host, is looked at anew: rows were changed behind the queue's back.
pub(crate) async fn call_all(tx: &mut Tx) -> Result<()> {
    let hosts = sql!("SELECT DISTINCT host FROM deliveries").all::<(Host,)>(tx).await?;
    let hosts: Vec<Host> = hosts.into_iter().map(|(host,)| host).collect();
    sql!("UPDATE hosts /* scan */ SET busy_until = 0").run(tx).await?;
    let now = tx.now();
    call(tx, &hosts, now).await
}
