//! What is to be sent to other servers: an activity's bytes once, a row for every inbox.
//!
//! Deliveries of one author to one inbox are claimed one after the other, so they arrive in their order, except that
//! deletions go first ([`Urgency`]); what a deletion takes back was dropped before ([`crate::withdrawn`]). Every host
//! has its turn ([`crate::hosts`]); a host that does not answer is asked by a single delivery at growing intervals.
//!
//! Who changes several deliveries locks them in the order of their ids, and before any host: several processes work on
//! the queue, and none waits for one that waits for it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::job;
use domain::{AccountId, ActivityId, DeliveryId, Host, PostId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::hosts::{self, Turn};
use crate::recipients::urls;
use crate::sql;

/// A delivery that this process holds until its lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: DeliveryId,
    pub activity_id: ActivityId,
    /// Whose key signs it.
    pub account_id: AccountId,
    pub host: Host,
    pub inbox_url: String,
    /// How often it was begun before.
    pub attempts: i64,
    pub created_at: Timestamp,
}

/// An inbox and the host it belongs to (with the port, where it is not the scheme's own).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inbox {
    pub host: Host,
    pub url: String,
}

/// What an activity does, where the queue must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Brings what no server was sent before.
    Create,
    /// Brings a post that some servers may have been sent before.
    CreateAgain,
    Update,
    #[default]
    Other,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::CreateAgain => "create_again",
            Self::Update => "update",
            Self::Other => "other",
        }
    }
}

/// Which deliveries of a host go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Urgency {
    #[default]
    Usual,
    /// Takes back what others can read.
    Deletion,
    /// Takes back all of an account.
    AccountDeletion,
}

impl Urgency {
    /// A delivery's id is its place in the queue of its host, and among its author's to an inbox. Ids are made from
    /// the time and are below 2^62 until the year 4199: what goes first gets one below zero.
    fn place(self, id: i64) -> i64 {
        match self {
            Self::Usual => id,
            Self::Deletion => id - (1 << 62),
            Self::AccountDeletion => id.wrapping_add(i64::MIN),
        }
    }

    /// Since when it is due: longer than all that goes after it.
    fn run_at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Usual => now,
            Self::Deletion => Timestamp(1),
            Self::AccountDeletion => Timestamp(0),
        }
    }
}

/// An activity to be sent.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    pub author: AccountId,
    pub body: &'a str,
    /// What it brings, by which it can be dropped while it waits ([`domain::job::Job::subject`]); `None` for what takes
    /// something back.
    pub subject: Option<&'a str>,
    pub kind: Kind,
    pub urgency: Urgency,
}

/// Keeps an activity for every inbox. Nothing is kept when there is none.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn enqueue(tx: &mut Tx, new: New<'_>, inboxes: &[Inbox]) -> Result<()> {
    if inboxes.is_empty() {
        return Ok(());
    }
    let (activity, author, now): (ActivityId, _, _) = (tx.id(), new.author, tx.now());
    sql!(
        "INSERT INTO outgoing_activities (id, account_id, body, created_at, subject, kind)
         VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(activity)
    .bind(author)
    .bind(new.body)
    .bind(now)
    .bind(new.subject)
    .bind(new.kind.as_str())
    .run(tx)
    .await?;
    let rows: Vec<(i64, &str, &str)> =
        inboxes.iter().map(|inbox| (new.urgency.place(tx.id()), inbox.host.as_str(), inbox.url.as_str())).collect();
    let run_at = new.urgency.run_at(now);
    sql!(
        sqlite: "INSERT INTO deliveries (id, activity_id, account_id, host, inbox_url, run_at, created_at)
                 SELECT json_extract(value, '$[0]'), $2, $3, json_extract(value, '$[1]'), json_extract(value, '$[2]'), $5, $4
                 FROM json_each($1)",
        postgres: "INSERT INTO deliveries (id, activity_id, account_id, host, inbox_url, run_at, created_at)
                 SELECT CAST(e->>0 AS bigint), $2, $3, e->>1, e->>2, $5, $4
                 FROM jsonb_array_elements(CAST($1 AS jsonb)) AS e",
    )
    .bind(sql::json(&rows)?)
    .bind(activity)
    .bind(author)
    .bind(now)
    .bind(run_at)
    .run(tx)
    .await?;
    for inbox in inboxes {
        tx.call_host(&inbox.host);
    }
    tx.wake(crate::Queue::Deliveries);
    Ok(())
}

/// What a claim gave.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// In the order they were asked for.
    pub deliveries: Vec<Claimed>,
    /// Other hosts may have their turns now, too.
    pub more: bool,
}

/// Hosts that a claim looks at.
const TURNS: i64 = 64;

/// Takes up to `limit` due deliveries for this process alone, until `lease`; at most `per_host` to any host, one to a
/// host that failed last time, none to a host that is to be left alone for now or has deliveries under way. Hosts have
/// their turns by how long they have waited for them. Once nothing is under way to a host any more, it is to be freed
/// ([`hosts::settle`]); otherwise its next turn is when the lease ends.
///
/// What it costs depends on neither what waits nor what the database believes about that: see [`take_from`].
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn claim(tx: &mut Tx, lease: Timestamp, limit: i64, per_host: i64) -> Result<Claim> {
    tx.call_hosts().await?;
    let turns = hosts::take_turns(tx, TURNS).await?;
    if turns.is_empty() {
        return Ok(Claim::default());
    }
    let (well, failing): (Vec<_>, Vec<_>) = turns.iter().partition(|turn| turn.failures == 0);
    let mut claimed = take_from(tx, lease, &well, per_host, limit).await?;
    let room = limit - number(claimed.len());
    claimed.extend(take_from(tx, lease, &failing, 1, room).await?);
    let busy: BTreeSet<&Host> = claimed.iter().map(|delivery| &delivery.host).collect();
    let idle: Vec<Host> = turns.iter().map(|turn| &turn.host).filter(|host| !busy.contains(host)).cloned().collect();
    let busy: Vec<Host> = busy.into_iter().cloned().collect();
    hosts::occupy(tx, &busy, lease).await?;
    let full = number(claimed.len()) >= limit;
    // Where there was no room for all, those without a delivery may have had no turn.
    if !full && !idle.is_empty() {
        let now = tx.now();
        // What could neither be taken nor put off is being written by somebody: not again at once.
        let again = if put_off(tx, &idle).await? { now } else { now.plus(Duration::from_secs(1)) };
        hosts::free(tx, &idle, again).await?;
    }
    claimed.sort_by_key(|delivery| delivery.id);
    Ok(Claim { more: full || number(turns.len()) == TURNS, deliveries: claimed })
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Takes what is due of these hosts, which this transaction holds: of the first [`LOOK`] of each, those that nothing of
/// the same author to the same inbox comes before. What somebody else is writing now is left for the next turn.
///
/// A planner that is told what a queue held an hour ago, or nothing, must not choose another way: so each step names
/// the columns of the one index that has its order (`deliveries_by_host`, `deliveries_by_inbox`), what comes before is
/// the row before in that index, and rows are fetched by lists of ids.
async fn take_from(tx: &mut Tx, lease: Timestamp, turns: &[&Turn], each: i64, limit: i64) -> Result<Vec<Claimed>> {
    if turns.is_empty() || limit < 1 {
        return Ok(Vec::new());
    }
    let (now, node) = (tx.now(), tx.node());
    let rows = sql!(
        sqlite: "UPDATE deliveries SET leased_until = $2, leased_by = $6, attempts = attempts + 1 WHERE id IN (
                SELECT d.id FROM json_each($3) h JOIN deliveries d ON d.id IN (
                    SELECT w.id FROM (SELECT id, inbox_url, account_id, run_at FROM deliveries
                        WHERE host = h.value AND run_at <= $1 AND leased_until <= $1
                        ORDER BY run_at, id LIMIT $7) w
                    WHERE NOT EXISTS (SELECT 1 FROM deliveries e
                        WHERE e.inbox_url = w.inbox_url AND e.account_id = w.account_id AND e.id < w.id)
                    ORDER BY w.run_at, w.id LIMIT $4)
                LIMIT $5)
             RETURNING id, activity_id, account_id, host, inbox_url, attempts, created_at",
        postgres: "WITH due AS MATERIALIZED (
                SELECT x.id FROM unnest(CAST($3 AS text[])) WITH ORDINALITY AS h (host, turn) CROSS JOIN LATERAL (
                    SELECT w.id FROM (SELECT id, inbox_url, account_id, run_at FROM deliveries
                        WHERE host = h.host AND run_at <= $1 AND leased_until <= $1
                        ORDER BY host, run_at, id LIMIT $7) w
                    WHERE coalesce((SELECT (e.inbox_url, e.account_id) <> (w.inbox_url, w.account_id) FROM deliveries e
                        WHERE (e.inbox_url, e.account_id, e.id) < (w.inbox_url, w.account_id, w.id)
                        ORDER BY e.inbox_url DESC, e.account_id DESC, e.id DESC LIMIT 1), TRUE)
                    ORDER BY w.run_at, w.id LIMIT $4) x
                ORDER BY h.turn LIMIT $5),
             free AS MATERIALIZED (
                SELECT id FROM deliveries WHERE id = ANY(ARRAY(SELECT id FROM due)) AND leased_until <= $1
                FOR UPDATE SKIP LOCKED)
             UPDATE deliveries SET leased_until = $2, leased_by = $6, attempts = attempts + 1
             WHERE id = ANY(ARRAY(SELECT id FROM free))
             RETURNING id, activity_id, account_id, host, inbox_url, attempts, created_at",
    )
    .bind(now)
    .bind(lease)
    .bind(turns.iter().map(|turn| turn.host.as_str().to_owned()).collect::<Vec<_>>())
    .bind(each)
    .bind(limit)
    .bind(node)
    .bind(LOOK)
    .all::<(i64, i64, i64, Host, String, i64, i64)>(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, activity, account, host, inbox_url, attempts, created_at)| Claimed {
            id: DeliveryId(id),
            activity_id: ActivityId(activity),
            account_id: AccountId(account),
            host,
            inbox_url,
            attempts: attempts - 1,
            created_at: Timestamp(created_at),
        })
        .collect())
}

/// Deliveries of a host that are looked at in a turn.
const LOOK: i64 = 128;
/// How long what waits for another is put off at most: the other may be taken back at any time.
const PUT_OFF: Duration = Duration::from_secs(10 * 60);

/// Nothing of these hosts could be taken: what is due there waits for something of the same author to the same inbox.
/// It is put off until that is due, so that it is not looked at in vain each time. Was there any?
async fn put_off(tx: &mut Tx, hosts: &[Host]) -> Result<bool> {
    let (now, at_most) = (tx.now(), tx.now().plus(PUT_OFF));
    let changed = sql!(
        sqlite: "UPDATE deliveries SET run_at = min($2, (
                SELECT e.run_at FROM deliveries e
                WHERE e.inbox_url = deliveries.inbox_url AND e.account_id = deliveries.account_id
                ORDER BY e.id LIMIT 1))
             WHERE id IN (SELECT d.id FROM json_each($3) h JOIN deliveries d ON d.id IN (
                SELECT id FROM deliveries WHERE host = h.value AND run_at <= $1 AND leased_until <= $1
                ORDER BY run_at, id LIMIT $4))
             RETURNING run_at",
        postgres: "UPDATE deliveries SET run_at = least($2, (
                SELECT e.run_at FROM deliveries e
                WHERE (e.inbox_url, e.account_id, e.id)
                    >= (deliveries.inbox_url, deliveries.account_id, CAST(-9223372036854775808 AS bigint))
                ORDER BY e.inbox_url, e.account_id, e.id LIMIT 1))
             WHERE id = ANY(ARRAY(SELECT d.id FROM deliveries d WHERE d.id = ANY(ARRAY(
                    SELECT x.id FROM unnest(CAST($3 AS text[])) AS h (host) CROSS JOIN LATERAL (
                        SELECT id FROM deliveries WHERE host = h.host AND run_at <= $1 AND leased_until <= $1
                        ORDER BY host, run_at, id LIMIT $4) x))
                FOR UPDATE SKIP LOCKED))
             RETURNING run_at",
    )
    .bind(now)
    .bind(at_most)
    .bind(hosts)
    .bind(LOOK)
    .all::<(i64,)>(tx)
    .await?;
    Ok(changed.iter().any(|(run_at,)| *run_at > now.0))
}

/// The bytes of these activities; those that were withdrawn have none.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn bodies(conn: &mut Conn, ids: &[ActivityId]) -> Result<Vec<(ActivityId, String)>> {
    let rows = sql!("SELECT id, body FROM outgoing_activities WHERE id = ANY($1) AND body <> ''")
        .bind(ids)
        .all::<(i64, String)>(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, body)| (ActivityId(id), body)).collect())
}

/// A post was edited: what waits of it says what the post says now. Updates that are not under way are dropped, since
/// the new one goes to all. Gives the inboxes that wait for the post itself and were never sent it.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn rewrite(tx: &mut Tx, post: PostId, create: &str, update: &str) -> Result<Vec<String>> {
    let waiting = sql!("SELECT id, kind FROM outgoing_activities WHERE subject = $1 AND kind <> 'other'")
        .bind(job::subject_of_post(post))
        .all::<(i64, String)>(tx)
        .await?;
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<ActivityId> = waiting.iter().map(|(id, _)| ActivityId(*id)).collect();
    hold(tx, &all).await?;
    let now = tx.now();
    let of = |wanted: Kind| -> Vec<ActivityId> {
        waiting.iter().filter(|(_, kind)| kind == wanted.as_str()).map(|(id, _)| ActivityId(*id)).collect()
    };
    let (first, updates) = (of(Kind::Create), of(Kind::Update));
    let creates = [first.as_slice(), of(Kind::CreateAgain).as_slice()].concat();
    for (activities, body) in [(&creates, create), (&updates, update)] {
        sql!("UPDATE outgoing_activities SET body = $2 WHERE id = ANY($1) AND body <> ''")
            .bind(activities)
            .bind(body)
            .run(tx)
            .await?;
    }
    sql!("DELETE FROM deliveries WHERE activity_id = ANY($1) AND leased_until <= $2")
        .bind(&updates)
        .bind(now)
        .run(tx)
        .await?;
    forget_activities(tx, updates).await?;
    let unsent = sql!(
        "SELECT DISTINCT inbox_url FROM deliveries WHERE activity_id = ANY($1) AND attempts = 0 AND leased_until <= $2"
    );
    urls(unsent.bind(&first).bind(now), tx).await
}

/// Nobody claims or drops what waits of these activities until this transaction ends. What is under way is not held:
/// whoever settles it waits for nobody.
pub(crate) async fn hold(tx: &mut Tx, activities: &[ActivityId]) -> Result<()> {
    let now = tx.now();
    sql!("SELECT id FROM deliveries WHERE activity_id = ANY($1) AND leased_until <= $2 ORDER BY id FOR UPDATE")
        .bind(activities)
        .bind(now)
        .lock(tx)
        .await
}

/// These hosts answer again: deletions that failed meanwhile go before what waits with them.
pub(crate) async fn deletions_first(tx: &mut Tx, hosts: &[Host]) -> Result<()> {
    if hosts.is_empty() {
        return Ok(());
    }
    sql!(
        sqlite: "UPDATE deliveries SET run_at = 1 WHERE host = ANY($1) AND id < 0 AND run_at > 1",
        postgres: "UPDATE deliveries SET run_at = 1 WHERE id = ANY(ARRAY(
                    SELECT id FROM deliveries WHERE host = ANY($1) AND id < 0 AND run_at > 1 FOR UPDATE SKIP LOCKED))",
    )
    .bind(hosts)
    .run(tx)
    .await?;
    Ok(())
}

/// To be asked for before these end or are put off, if they are several.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn hold_these(tx: &mut Tx, ids: &[DeliveryId]) -> Result<()> {
    sql!("SELECT id FROM deliveries WHERE id = ANY($1) ORDER BY id FOR UPDATE").bind(ids).lock(tx).await
}

/// These ended, delivered or refused for good; activities with no delivery left are forgotten with them.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn finish(tx: &mut Tx, ended: &[DeliveryId]) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let activities = sql!("DELETE FROM deliveries WHERE id = ANY($1) RETURNING activity_id")
        .bind(ended)
        .ids::<ActivityId>(tx)
        .await?;
    forget_activities(tx, activities).await
}

/// Drops these, whether they are under way or not; how many there were.
pub(crate) async fn drop_all(tx: &mut Tx, mut ids: Vec<DeliveryId>) -> Result<usize> {
    ids.sort();
    ids.dedup();
    hold_these(tx, &ids).await?;
    finish(tx, &ids).await?;
    Ok(ids.len())
}

/// Two transactions that end the last deliveries of an activity at the same moment each see the other's: then it is
/// forgotten by [`forget_sent`].
pub(crate) async fn forget_activities(tx: &mut Tx, mut activities: Vec<ActivityId>) -> Result<()> {
    activities.sort();
    activities.dedup();
    sql!(
        sqlite: "DELETE FROM outgoing_activities WHERE id = ANY($1)
                   AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.activity_id = outgoing_activities.id)",
        postgres: "DELETE FROM outgoing_activities WHERE id = ANY(ARRAY(
                    SELECT o.id FROM outgoing_activities o WHERE o.id = ANY($1)
                       AND (SELECT d.id FROM deliveries d WHERE d.activity_id = o.id LIMIT 1) IS NULL
                    FOR UPDATE SKIP LOCKED))",
    )
    .bind(&activities)
    .run(tx)
    .await?;
    Ok(())
}

/// Forgets activities from before `before` that no delivery waits for.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn forget_sent(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    sql!(
        "DELETE FROM outgoing_activities /* scan */ WHERE created_at < $1
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.activity_id = outgoing_activities.id)"
    )
    .bind(before)
    .run(tx)
    .await
}

/// To be tried again at `run_at`.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn retry(tx: &mut Tx, id: DeliveryId, run_at: Timestamp, error: &str) -> Result<()> {
    sql!("UPDATE deliveries SET run_at = $2, leased_until = 0, last_error = $3 WHERE id = $1")
        .bind(id)
        .bind(run_at)
        .bind(error)
        .run(tx)
        .await?;
    Ok(())
}

/// Given back untried: the process stops.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn release(tx: &mut Tx, ids: &[DeliveryId]) -> Result<()> {
    sql!("UPDATE deliveries SET leased_until = 0, attempts = attempts - 1 WHERE id = ANY($1)")
        .bind(ids)
        .run(tx)
        .await?;
    Ok(())
}

/// Drops what nobody took since `before`; how many there were.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn give_up_before(tx: &mut Tx, before: Timestamp) -> Result<usize> {
    let old = sql!("SELECT id FROM deliveries /* scan */ WHERE created_at < $1").bind(before).ids(tx).await?;
    drop_all(tx, old).await
}

/// Drops every delivery to an inbox that said it is gone (410).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn drop_inbox(tx: &mut Tx, inbox_url: &str) -> Result<()> {
    // What somebody else is changing is dropped when it is answered like this, too.
    let waiting = sql!(
        sqlite: "SELECT id FROM deliveries WHERE inbox_url = $1",
        postgres: "SELECT id FROM deliveries WHERE inbox_url = $1 FOR UPDATE SKIP LOCKED",
    );
    let waiting = waiting.bind(inbox_url).ids::<DeliveryId>(tx).await?;
    finish(tx, &waiting).await
}

/// How many deliveries wait, and to how many hosts.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn backlog(conn: &mut Conn) -> Result<(i64, i64)> {
    sql!("SELECT count(*), count(DISTINCT host) FROM deliveries").one(conn).await
}
