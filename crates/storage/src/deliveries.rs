//! What is to be sent to other servers: an activity's bytes once, a row for every inbox.
//!
//! Deliveries of one author to one inbox are claimed one after the other, so they arrive in their order, except that
//! deletions go first ([`Urgency`]); what a deletion takes back was dropped before ([`crate::withdrawn`]). Every host
//! has its turn; a host that does not answer is asked by a single delivery at growing intervals.

use domain::job;
use domain::{AccountId, ActivityId, DeliveryId, Host, PostId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
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
    sql!(
        sqlite: "INSERT INTO deliveries (id, activity_id, account_id, host, inbox_url, run_at, created_at)
                 SELECT json_extract(value, '$[0]'), $2, $3, json_extract(value, '$[1]'), json_extract(value, '$[2]'), $4, $4
                 FROM json_each($1)",
        postgres: "INSERT INTO deliveries (id, activity_id, account_id, host, inbox_url, run_at, created_at)
                 SELECT CAST(e->>0 AS bigint), $2, $3, e->>1, e->>2, $4, $4
                 FROM jsonb_array_elements(CAST($1 AS jsonb)) AS e",
    )
    .bind(sql::json(&rows)?)
    .bind(activity)
    .bind(author)
    .bind(now)
    .run(tx)
    .await?;
    tx.wake(crate::Queue::Deliveries);
    Ok(())
}

/// Takes up to `limit` due deliveries for this process alone, until `lease`; at most `per_host` to any host, one to
/// a host that failed last time, none to a host that is to be left alone for now or has deliveries under way. Hosts have
/// their turns in the order of their names, those after `after` (the last that had one) first; so are the deliveries.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn claim(tx: &mut Tx, lease: Timestamp, limit: i64, per_host: i64, after: &str) -> Result<Vec<Claimed>> {
    tx.one_claimer("deliveries").await?;
    let mut claimed = claim_after(tx, lease, limit, per_host, after).await?;
    let room = limit - i64::try_from(claimed.len()).unwrap_or(limit);
    if room > 0 && !after.is_empty() {
        claimed.extend(claim_after(tx, lease, room, per_host, "").await?);
    }
    Ok(claimed)
}

/// Of hosts whose names come after `after`, in the order of hosts and then in the order they were asked for.
async fn claim_after(tx: &mut Tx, lease: Timestamp, limit: i64, per_host: i64, after: &str) -> Result<Vec<Claimed>> {
    let (now, node) = (tx.now(), tx.node());
    let rows = sql!(
        "WITH RECURSIVE waiting (host) AS (
            SELECT min(host) FROM deliveries WHERE host > $6
            UNION ALL
            SELECT (SELECT min(d.host) FROM deliveries d WHERE d.host > w.host) FROM waiting w WHERE w.host IS NOT NULL)
         UPDATE deliveries SET leased_until = $2, leased_by = $5, attempts = attempts + 1 WHERE id IN (
            SELECT d.id FROM waiting w LEFT JOIN hosts k ON k.host = w.host JOIN deliveries d ON d.id IN (
                SELECT x.id FROM deliveries x
                WHERE x.host = w.host AND x.run_at <= $1 AND x.leased_until <= $1
                  AND NOT EXISTS (SELECT 1 FROM deliveries e
                    WHERE e.inbox_url = x.inbox_url AND e.account_id = x.account_id AND e.id < x.id)
                AND (coalesce(k.failures, 0) = 0 OR x.id = (SELECT min(m.id) FROM deliveries m
                    WHERE m.host = w.host AND m.run_at <= $1 AND m.leased_until <= $1))
                ORDER BY x.id LIMIT $4)
            WHERE coalesce(k.retry_at, 0) <= $1
              AND NOT EXISTS (SELECT 1 FROM deliveries b WHERE b.host = w.host AND b.leased_until > $1)
            LIMIT $3)
         RETURNING id, activity_id, account_id, host, inbox_url, attempts, created_at"
    )
    .bind(now)
    .bind(lease)
    .bind(limit)
    .bind(per_host)
    .bind(node)
    .bind(after)
    .all::<(i64, i64, i64, Host, String, i64, i64)>(tx)
    .await?;
    let mut claimed: Vec<Claimed> = rows
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
        .collect();
    claimed.sort_by(|a, b| (&a.host, a.id).cmp(&(&b.host, b.id)));
    Ok(claimed)
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
    tx.one_claimer("deliveries").await?;
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

pub(crate) async fn forget_activities(tx: &mut Tx, mut activities: Vec<ActivityId>) -> Result<()> {
    activities.sort();
    activities.dedup();
    sql!(
        "DELETE FROM outgoing_activities WHERE id = ANY($1)
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.activity_id = outgoing_activities.id)"
    )
    .bind(&activities)
    .run(tx)
    .await?;
    Ok(())
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
    let activities = sql!("DELETE FROM deliveries /* scan */ WHERE created_at < $1 RETURNING activity_id")
        .bind(before)
        .ids::<ActivityId>(tx)
        .await?;
    let n = activities.len();
    forget_activities(tx, activities).await?;
    Ok(n)
}

/// Drops every delivery to an inbox that said it is gone (410).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn drop_inbox(tx: &mut Tx, inbox_url: &str) -> Result<()> {
    let activities = sql!("DELETE FROM deliveries WHERE inbox_url = $1 RETURNING activity_id")
        .bind(inbox_url)
        .ids::<ActivityId>(tx)
        .await?;
    forget_activities(tx, activities).await
}

/// The host answered: whatever kept it back is over.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn host_answered(tx: &mut Tx, hosts: &[Host]) -> Result<()> {
    sql!("DELETE FROM hosts WHERE host = ANY($1)").bind(hosts).run(tx).await?;
    Ok(())
}

/// The host did not answer, or asked to be left alone until `retry_at`; how often in a row by now.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn host_failed(tx: &mut Tx, host: &Host, retry_at: Timestamp, error: &str) -> Result<()> {
    let now = tx.now();
    sql!(
        "INSERT INTO hosts (host, failures, failing_since, retry_at, last_error) VALUES ($1, 1, $2, $3, $4)
         ON CONFLICT (host) DO UPDATE SET failures = hosts.failures + 1, retry_at = excluded.retry_at,
            last_error = excluded.last_error"
    )
    .bind(host)
    .bind(now)
    .bind(retry_at)
    .bind(error)
    .run(tx)
    .await?;
    Ok(())
}

/// How often in a row these hosts failed; those that never did are missing.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn failing_hosts(conn: &mut Conn, hosts: &[Host]) -> Result<Vec<(Host, i64)>> {
    sql!("SELECT host, failures FROM hosts WHERE host = ANY($1)").bind(hosts).all(conn).await
}

/// How many deliveries wait, and to how many hosts.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn backlog(conn: &mut Conn) -> Result<(i64, i64)> {
    sql!("SELECT count(*), count(DISTINCT host) FROM deliveries").one(conn).await
}
