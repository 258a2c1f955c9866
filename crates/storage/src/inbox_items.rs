//! Activities that were accepted (answered 202) and wait to be processed: each one once, those of one actor in
//! their order, every server in turn.

use domain::{AccountId, Host, InboxItemId, Timestamp};

use crate::db::Tx;
use crate::error::Result;
use crate::sql;

/// Accepted, and held by this process until its lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: InboxItemId,
    /// Whose key signed it.
    pub actor_id: AccountId,
    /// The server it came from.
    pub host: Host,
    pub body: String,
    /// Its actor is somebody else than `actor_id`: not to be believed, its origin is to be asked.
    pub forwarded: bool,
    /// How often it was begun before.
    pub attempts: i64,
}

/// An activity to be kept.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// A hash of what it is known by.
    pub fingerprint: [u8; 16],
    /// Its id, or nothing.
    pub activity_uri: &'a str,
    /// Whose key signed it.
    pub actor: AccountId,
    pub host: &'a Host,
    pub body: &'a str,
    /// The ActivityPub id by which its actor would take back what it brings: of the post, or its own.
    pub about: Option<&'a str>,
    /// See [`Claimed::forwarded`].
    pub forwarded: bool,
}

/// Keeps an activity to be processed. `false` when one with this fingerprint was accepted before: then nothing happens.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn accept(tx: &mut Tx, item: New<'_>) -> Result<bool> {
    let (id, now): (InboxItemId, _) = (tx.id(), tx.now());
    let new = sql!("INSERT INTO received_activities (digest, received_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(item.fingerprint.as_slice())
        .bind(now)
        .run(tx)
        .await?;
    if new == 0 {
        return Ok(false);
    }
    sql!(
        "INSERT INTO inbox_items (id, activity_uri, actor_id, host, body, forwarded, received_at, run_at, about)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)"
    )
    .bind(id)
    .bind(item.activity_uri)
    .bind(item.actor)
    .bind(item.host)
    .bind(item.body)
    .bind(item.forwarded)
    .bind(now)
    .bind(item.about)
    .run(tx)
    .await?;
    tx.wake(crate::Queue::Inbox);
    Ok(true)
}

/// Takes up to `limit` due activities for this process alone, until `lease`; at most `per_host` of any server, and
/// none whose actor has an earlier one in work elsewhere, and none of the `busy` servers. When there is not room for all,
/// the oldest of every server, then the second of every server, and so on: a server that sends much delays nobody, and
/// a burst from many is processed about in the order it came. What somebody passed on waits for others' servers: what she
/// says herself does not wait for it.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn claim(tx: &mut Tx, lease: Timestamp, limit: i64, per_host: i64, busy: &[Host]) -> Result<Vec<Claimed>> {
    let (now, node) = (tx.now(), tx.node());
    tx.one_claimer("inbox").await?;
    let rows = sql!(
        "WITH RECURSIVE hosts (host) AS (
            SELECT min(host) FROM inbox_items
            UNION ALL
            SELECT (SELECT min(i.host) FROM inbox_items i WHERE i.host > h.host) FROM hosts h WHERE h.host IS NOT NULL),
         due (id, turn) AS (
            SELECT i.id, row_number() OVER (PARTITION BY h.host ORDER BY i.id)
            FROM hosts h JOIN inbox_items i ON i.id IN (
                SELECT x.id FROM inbox_items x
                WHERE x.host = h.host AND x.run_at <= $1 AND x.leased_until <= $1
                  AND NOT EXISTS (SELECT 1 FROM inbox_items e
                    WHERE e.actor_id = x.actor_id AND e.forwarded = x.forwarded AND e.id < x.id AND e.leased_until > $1)
                ORDER BY x.id LIMIT $4)
            WHERE NOT (h.host = ANY($6)))
         UPDATE inbox_items SET leased_until = $2, leased_by = $5, attempts = attempts + 1
         WHERE id IN (SELECT id FROM due ORDER BY turn, id LIMIT $3)
         RETURNING id, actor_id, host, body, forwarded, attempts"
    )
    .bind(now)
    .bind(lease)
    .bind(limit)
    .bind(per_host)
    .bind(node)
    .bind(busy)
    .all::<(i64, i64, Host, String, bool, i64)>(tx)
    .await?;
    let mut claimed: Vec<Claimed> = rows
        .into_iter()
        .map(|(id, actor, host, body, forwarded, attempts)| Claimed {
            id: InboxItemId(id),
            actor_id: AccountId(actor),
            host,
            body,
            forwarded,
            attempts: attempts - 1,
        })
        .collect();
    claimed.sort_by_key(|c| c.id);
    Ok(claimed)
}

/// Processed, or found to be of no use: forgotten (its fingerprint stays).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn finish(tx: &mut Tx, ids: &[InboxItemId]) -> Result<()> {
    sql!("DELETE FROM inbox_items WHERE id = ANY($1)").bind(ids).run(tx).await?;
    Ok(())
}

/// To be tried again at `run_at`.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn retry(tx: &mut Tx, id: InboxItemId, run_at: Timestamp, error: &str) -> Result<()> {
    sql!("UPDATE inbox_items SET run_at = $2, leased_until = 0, last_error = $3 WHERE id = $1")
        .bind(id)
        .bind(run_at)
        .bind(error)
        .run(tx)
        .await?;
    Ok(())
}

/// Does something of this actor wait that `about` would take back?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn is_waiting(conn: &mut crate::Conn, actor: AccountId, about: &str) -> Result<bool> {
    sql!("SELECT id FROM inbox_items WHERE actor_id = $1 AND about = $2").bind(actor).bind(about).exists(conn).await
}

/// The actor takes something back: what waits of it is dropped. (A failure may have put off what came before.)
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw(tx: &mut Tx, actor: AccountId, about: &str) -> Result<u64> {
    let now = tx.now();
    sql!("DELETE FROM inbox_items WHERE actor_id = $1 AND about = $2 AND leased_until <= $3")
        .bind(actor)
        .bind(about)
        .bind(now)
        .run(tx)
        .await
}

/// The actor is gone: everything of theirs that waits is dropped.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw_actor(tx: &mut Tx, actor: AccountId) -> Result<u64> {
    let now = tx.now();
    sql!("DELETE FROM inbox_items WHERE actor_id = $1 AND leased_until <= $2").bind(actor).bind(now).run(tx).await
}

/// Forgets fingerprints older than `before`; what comes again after that is found by the ids of what it made.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn forget_before(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    sql!("DELETE FROM received_activities WHERE received_at < $1").bind(before).run(tx).await
}

/// How many wait.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn backlog(conn: &mut crate::Conn) -> Result<i64> {
    sql!("SELECT count(*) FROM inbox_items").count(conn).await
}

/// Since when the first activity has been due that is due and that nobody works on.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn oldest_due(conn: &mut crate::Conn, now: Timestamp) -> Result<Option<Timestamp>> {
    // In the order of ids, which is that of arrival, and only up to the first.
    let row =
        sql!("SELECT run_at FROM inbox_items /* scan */ WHERE run_at <= $1 AND leased_until <= $1 ORDER BY id LIMIT 1")
            .bind(now)
            .maybe::<(i64,)>(conn)
            .await?;
    Ok(row.map(|(due,)| Timestamp(due)))
}
