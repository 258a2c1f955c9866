//! Activities that were accepted (answered 202) and wait to be processed: each one once, those of one actor in
//! their order, every server in turn.

use std::collections::HashSet;
use std::time::Duration;

use domain::{AccountId, Host, IdGenerator, InboxItemId, Timestamp};

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
    /// Its actor had taken it back when it was claimed ([`crate::taken_back`]).
    pub taken_back: bool,
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
    /// By what its actor would take back what it brings: the ActivityPub id of the post, its own, or what it says where
    /// it has none.
    pub about: Option<&'a str>,
    /// See [`Claimed::forwarded`].
    pub forwarded: bool,
    /// It may be said again: it is kept though one with this fingerprint was accepted before.
    pub again: bool,
}

/// Keeps an activity to be processed. `false` when one with this fingerprint was accepted before, unless it may be said
/// again: then nothing happens.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn accept(tx: &mut Tx, item: New<'_>) -> Result<bool> {
    let (id, now): (InboxItemId, _) = (tx.id(), tx.now());
    // The embedded database writes no two tables by one statement.
    if tx.is_sqlite() && !mark(tx, item.fingerprint, now).await? && !item.again {
        return Ok(false);
    }
    let kept = sql!(
        sqlite: "INSERT INTO inbox_items (id, activity_uri, actor_id, host, body, forwarded, received_at, run_at, about)
                 SELECT $1, $2, $3, $4, $5, $6, $7, $7, $8 FROM received_activities
                 WHERE digest = $9 AND CAST($10 AS integer) IS NOT NULL",
        postgres: "WITH marked AS (
                    INSERT INTO received_activities (digest, received_at) VALUES ($9, $7)
                    ON CONFLICT DO NOTHING RETURNING 1)
                 INSERT INTO inbox_items (id, activity_uri, actor_id, host, body, forwarded, received_at, run_at, about)
                 SELECT $1, $2, $3, $4, $5, $6, $7, $7, $8 WHERE $10 OR EXISTS (SELECT 1 FROM marked)",
    )
    .bind(id)
    .bind(item.activity_uri)
    .bind(item.actor)
    .bind(item.host)
    .bind(item.body)
    .bind(item.forwarded)
    .bind(now)
    .bind(item.about)
    .bind(item.fingerprint.as_slice())
    .bind(item.again)
    .run(tx)
    .await?;
    if kept == 0 {
        return Ok(false);
    }
    tx.wake(crate::Queue::Inbox);
    Ok(true)
}

/// Was it not there?
async fn mark(tx: &mut Tx, fingerprint: [u8; 16], now: Timestamp) -> Result<bool> {
    let mark = sql!("INSERT INTO received_activities (digest, received_at) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    Ok(mark.bind(fingerprint.as_slice()).bind(now).run(tx).await? > 0)
}

/// What a claim gave.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// In the order they came.
    pub items: Vec<Claimed>,
    /// The last server that was looked at, if there may be others after it: the next claim goes on there.
    pub after: Option<String>,
}

/// Servers that a claim looks at, and activities that wait from each. So many servers that what came in a burst is
/// processed about in the order it came.
const TURNS: i64 = 256;
const LOOK: i64 = 128;
/// What has waited for less is taken as it came: a burst of many servers keeps its order, and where one server floods
/// the queue, others' activities have their turn after as long.
const PATIENT: Duration = Duration::from_secs(1);

/// Takes up to `limit` due activities for this process alone, until `lease`; at most `per_host` of any server, and none
/// of those that are `busy`. What an actor says is not taken while another process has something under way that the
/// same actor said before; what this one has under way, the caller puts it behind. Servers have their turns in the
/// order of their names, those after `after` first; where there is not room for all, each gets as much as the others,
/// of what has waited for [`PATIENT`]; what came since is taken in the order it came. What somebody passed on waits for
/// others' servers: what the same actor says does not wait for it.
///
/// What it costs depends on neither what waits nor what the database believes about that: each step names the columns
/// of the index that has its order, and stops after so many rows.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn claim(
    tx: &mut Tx,
    lease: Timestamp,
    limit: i64,
    per_host: i64,
    busy: &[Host],
    after: &str,
) -> Result<Claim> {
    tx.alone("inbox").await?;
    let hosts = sql!(
        sqlite: "WITH RECURSIVE turns (host, n) AS (
                SELECT (SELECT min(host) FROM inbox_items WHERE put_off = FALSE AND host > $1), 1
                UNION ALL
                SELECT (SELECT min(i.host) FROM inbox_items i WHERE i.put_off = FALSE AND i.host > t.host), t.n + 1
                FROM turns t WHERE t.host IS NOT NULL AND t.n < $2)
             SELECT host FROM turns WHERE host IS NOT NULL",
        postgres: "WITH RECURSIVE turns (host, n) AS (
                SELECT (SELECT host FROM inbox_items WHERE (put_off, host) > (FALSE, $1) AND NOT put_off
                        ORDER BY put_off, host, id LIMIT 1), 1
                UNION ALL
                SELECT (SELECT i.host FROM inbox_items i WHERE (i.put_off, i.host) > (FALSE, t.host) AND NOT i.put_off
                        ORDER BY i.put_off, i.host, i.id LIMIT 1), t.n + 1
                FROM turns t WHERE t.host IS NOT NULL AND t.n < $2)
             SELECT host FROM turns WHERE host IS NOT NULL",
    )
    .bind(after)
    .bind(TURNS)
    .all::<(Host,)>(tx)
    .await?;
    let full = hosts.len() >= usize::try_from(TURNS).unwrap_or(usize::MAX);
    let after = hosts.last().filter(|_| full).map(|(host,)| host.as_str().to_owned());
    let hosts: Vec<Host> = hosts.into_iter().map(|(host,)| host).filter(|host| !busy.contains(host)).collect();
    let mut items = take_from(tx, lease, limit, per_host, &hosts).await?;
    let room = limit - i64::try_from(items.len()).unwrap_or(limit);
    let taken_from: HashSet<&Host> = items.iter().map(|item| &item.host).collect();
    let idle: Vec<Host> = hosts.into_iter().filter(|host| !taken_from.contains(host)).collect();
    if room > 0 && have_more(tx, &idle).await? {
        items.extend(take_from_anybody(tx, lease, room, busy).await?);
    }
    items.sort_by_key(|item| item.id);
    Ok(Claim { items, after })
}

/// What an actor said before stands before it in what is looked at: all of it came from the one server. (The embedded
/// database has no other process.)
async fn take_from(tx: &mut Tx, lease: Timestamp, limit: i64, each: i64, hosts: &[Host]) -> Result<Vec<Claimed>> {
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let (now, node) = (tx.now(), tx.node());
    let rows = sql!(
        sqlite: "WITH due (id, turn) AS (
                SELECT i.id, row_number() OVER (PARTITION BY h.value ORDER BY i.id)
                FROM json_each($6) h JOIN inbox_items i ON i.id IN (
                    SELECT x.id FROM (SELECT id, leased_until FROM inbox_items
                        WHERE put_off = FALSE AND host = h.value ORDER BY id LIMIT $7) x
                    WHERE x.leased_until <= $1 ORDER BY x.id LIMIT $4))
             UPDATE inbox_items SET leased_until = $2, leased_by = $5, attempts = attempts + 1
             WHERE id IN (SELECT id FROM due ORDER BY max(id, $8), turn, id LIMIT $3)
             RETURNING id, actor_id, host, body, forwarded, attempts, EXISTS (SELECT 1 FROM taken_back t
                WHERE t.actor_id = inbox_items.actor_id AND t.about = inbox_items.about)",
        postgres: "WITH due AS MATERIALIZED (
                SELECT x.id, row_number() OVER (PARTITION BY h.host ORDER BY x.id) AS turn
                FROM unnest(CAST($6 AS text[])) AS h (host) CROSS JOIN LATERAL (
                    SELECT v.id FROM (
                        SELECT w.id, w.leased_until, bool_or(w.leased_until > $1 AND w.leased_by <> $5)
                            OVER (PARTITION BY w.actor_id, w.forwarded ORDER BY w.id) AS behind_others
                        FROM (SELECT id, actor_id, forwarded, leased_until, leased_by FROM inbox_items
                            WHERE NOT put_off AND host = h.host ORDER BY put_off, host, id LIMIT $7) w) v
                    WHERE v.leased_until <= $1 AND NOT v.behind_others
                    ORDER BY v.id LIMIT $4) x),
             free AS MATERIALIZED (
                SELECT id FROM inbox_items
                WHERE id = ANY(ARRAY(SELECT id FROM due ORDER BY greatest(id, $8), turn, id LIMIT $3))
                  AND leased_until <= $1
                FOR UPDATE SKIP LOCKED)
             UPDATE inbox_items SET leased_until = $2, leased_by = $5, attempts = attempts + 1
             WHERE id = ANY(ARRAY(SELECT id FROM free))
             RETURNING id, actor_id, host, body, forwarded, attempts, EXISTS (SELECT 1 FROM taken_back t
                WHERE t.actor_id = inbox_items.actor_id AND t.about = inbox_items.about)",
    )
    .bind(now)
    .bind(lease)
    .bind(limit)
    .bind(each)
    .bind(node)
    .bind(hosts)
    .bind(LOOK)
    .bind(IdGenerator::first_at::<i64>(now.minus(PATIENT)))
    .all(tx)
    .await?;
    Ok(claimed(rows))
}

fn claimed(rows: Vec<(i64, i64, Host, String, bool, i64, bool)>) -> Vec<Claimed> {
    let claimed = |(id, actor, host, body, forwarded, attempts, taken_back)| Claimed {
        id: InboxItemId(id),
        actor_id: AccountId(actor),
        host,
        body,
        forwarded,
        attempts: attempts - 1,
        taken_back,
    };
    rows.into_iter().map(claimed).collect()
}

/// Does more wait from one of these servers than a claim looks at?
async fn have_more(tx: &mut Tx, hosts: &[Host]) -> Result<bool> {
    if hosts.is_empty() {
        return Ok(false);
    }
    sql!(
        sqlite: "SELECT 1 FROM json_each($1) h
                 WHERE (SELECT id FROM inbox_items WHERE put_off = FALSE AND host = h.value
                    ORDER BY id LIMIT 1 OFFSET $2) IS NOT NULL LIMIT 1",
        postgres: "SELECT CAST(1 AS bigint) FROM unnest(CAST($1 AS text[])) AS h (host)
                 WHERE (SELECT id FROM inbox_items WHERE NOT put_off AND host = h.host
                    ORDER BY put_off, host, id LIMIT 1 OFFSET $2) IS NOT NULL LIMIT 1",
    )
    .bind(hosts)
    .bind(LOOK)
    .exists(tx)
    .await
}

/// An actor has more waiting than a claim looks at, or all of it is under way: what others of that server say stands
/// behind it. So a few actors are picked, whoever they are, and the first activity of each is taken: of one server up
/// to 64 beside what `per_host` allows.
async fn take_from_anybody(tx: &mut Tx, lease: Timestamp, limit: i64, busy: &[Host]) -> Result<Vec<Claimed>> {
    let (now, node) = (tx.now(), tx.node());
    // Anywhere among the ids there are; those before it come after those behind it.
    let id: i64 = tx.id();
    let anywhere = now.0.wrapping_mul(0x5851_F42D_4C95_7F2D).rem_euclid(id.max(1));
    let mut items = Vec::new();
    for (from, to) in [(anywhere, i64::MAX), (i64::MIN, anywhere)] {
        let room = limit - i64::try_from(items.len()).unwrap_or(limit);
        if room < 1 {
            break;
        }
        let rows = sql!(
            sqlite: "WITH RECURSIVE actors (id, n) AS (
                    SELECT (SELECT min(actor_id) FROM inbox_items
                        WHERE put_off = FALSE AND actor_id > $6 AND actor_id <= $7), 1
                    UNION ALL
                    SELECT (SELECT min(i.actor_id) FROM inbox_items i
                        WHERE i.put_off = FALSE AND i.actor_id > a.id AND i.actor_id <= $7), a.n + 1
                    FROM actors a WHERE a.id IS NOT NULL AND a.n < $3)
                 UPDATE inbox_items SET leased_until = $2, leased_by = $4, attempts = attempts + 1
                 WHERE leased_until <= $1 AND NOT (host IN (SELECT value FROM json_each($5))) AND id IN (
                    SELECT (SELECT i.id FROM inbox_items i
                        WHERE i.put_off = FALSE AND i.actor_id = a.id AND i.forwarded = FALSE ORDER BY i.id LIMIT 1)
                    FROM actors a WHERE a.id IS NOT NULL)
                 RETURNING id, actor_id, host, body, forwarded, attempts, EXISTS (SELECT 1 FROM taken_back t
                WHERE t.actor_id = inbox_items.actor_id AND t.about = inbox_items.about)",
            postgres: "WITH RECURSIVE actors (id, n) AS (
                    SELECT (SELECT actor_id FROM inbox_items WHERE NOT put_off AND actor_id > $6 AND actor_id <= $7
                        ORDER BY put_off, actor_id, forwarded, id LIMIT 1), 1
                    UNION ALL
                    SELECT (SELECT i.actor_id FROM inbox_items i
                        WHERE NOT i.put_off AND i.actor_id > a.id AND i.actor_id <= $7
                        ORDER BY i.put_off, i.actor_id, i.forwarded, i.id LIMIT 1), a.n + 1
                    FROM actors a WHERE a.id IS NOT NULL AND a.n < $3),
                 first AS MATERIALIZED (
                    SELECT (SELECT i.id FROM inbox_items i
                        WHERE NOT i.put_off AND i.actor_id = a.id AND NOT i.forwarded
                        ORDER BY i.put_off, i.actor_id, i.forwarded, i.id LIMIT 1) AS id
                    FROM actors a WHERE a.id IS NOT NULL),
                 free AS MATERIALIZED (
                    SELECT id FROM inbox_items WHERE id = ANY(ARRAY(SELECT id FROM first)) AND leased_until <= $1
                       AND NOT (host = ANY($5)) FOR UPDATE SKIP LOCKED)
                 UPDATE inbox_items SET leased_until = $2, leased_by = $4, attempts = attempts + 1
                 WHERE id = ANY(ARRAY(SELECT id FROM free))
                 RETURNING id, actor_id, host, body, forwarded, attempts, EXISTS (SELECT 1 FROM taken_back t
                WHERE t.actor_id = inbox_items.actor_id AND t.about = inbox_items.about)",
        )
        .bind(now)
        .bind(lease)
        .bind(room.min(32))
        .bind(node)
        .bind(busy)
        .bind(from)
        .bind(to)
        .all(tx)
        .await?;
        items.extend(claimed(rows));
    }
    Ok(items)
}

/// What was put off until now is looked at again. To be called about once a second; at most 5,000 at a time.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn bring_back(tx: &mut Tx) -> Result<u64> {
    let now = tx.now();
    sql!(
        sqlite: "UPDATE inbox_items SET put_off = FALSE WHERE id IN (
                SELECT id FROM inbox_items WHERE put_off AND run_at <= $1 ORDER BY run_at, id LIMIT 5000)",
        postgres: "UPDATE inbox_items SET put_off = FALSE WHERE id = ANY(ARRAY(
                SELECT id FROM inbox_items WHERE put_off AND run_at <= $1 ORDER BY run_at, id LIMIT 5000
                FOR UPDATE SKIP LOCKED))",
    )
    .bind(now)
    .run(tx)
    .await
}

/// Frees what this process holds but for `known`: of a claim whose end it did not hear of.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn free_all_but(tx: &mut Tx, known: &[InboxItemId]) -> Result<u64> {
    // Where the claim is being made still, this comes after it.
    tx.alone("inbox").await?;
    let node = tx.node();
    sql!(
        "UPDATE inbox_items /* scan */ SET leased_until = 0
         WHERE leased_until > 0 AND leased_by = $1 AND NOT (id = ANY($2))"
    )
    .bind(node)
    .bind(known)
    .run(tx)
    .await
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
    sql!("UPDATE inbox_items SET put_off = TRUE, run_at = $2, leased_until = 0, last_error = $3 WHERE id = $1")
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

/// The actor takes something back by what came as `by`: what waits of it since before is dropped. (A failure may have
/// put it off.) What came later is said anew.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw(tx: &mut Tx, actor: AccountId, about: &str, by: InboxItemId) -> Result<u64> {
    let now = tx.now();
    sql!("DELETE FROM inbox_items WHERE actor_id = $1 AND about = $2 AND leased_until <= $3 AND id < $4")
        .bind(actor)
        .bind(about)
        .bind(now)
        .bind(by)
        .run(tx)
        .await
}

/// The actor is gone: everything of theirs that waits is dropped.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw_actor(tx: &mut Tx, actor: AccountId) -> Result<u64> {
    let now = tx.now();
    let theirs =
        sql!("DELETE FROM inbox_items WHERE put_off IN (FALSE, TRUE) AND actor_id = $1 AND leased_until <= $2");
    theirs.bind(actor).bind(now).run(tx).await
}

/// One with this fingerprint was accepted, at the latest now.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn note_accepted(tx: &mut Tx, fingerprint: [u8; 16]) -> Result<()> {
    let now = tx.now();
    mark(tx, fingerprint, now).await.map(drop)
}

/// Was one with this fingerprint accepted before `than`?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn was_accepted_before(conn: &mut crate::Conn, fingerprint: [u8; 16], than: InboxItemId) -> Result<bool> {
    let first = sql!("SELECT received_at FROM received_activities WHERE digest = $1")
        .bind(fingerprint.as_slice())
        .maybe::<(i64,)>(conn)
        .await?;
    Ok(first.is_some_and(|(at,)| IdGenerator::first_at::<InboxItemId>(Timestamp(at)).0 < than.0))
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
