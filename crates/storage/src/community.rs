//! Numbers and names that a community tells of itself: `instance`, NodeInfo, the about page.

use std::sync::Arc;

use domain::instance::DomainPolicy;
use domain::{AccountId, Host, IdGenerator, PostId, Timestamp};

use crate::db::Conn;
use crate::domains;
use crate::error::Result;
use crate::posts;
use crate::sql;

const DAY_MS: i64 = 86_400_000;
const WEEK_MS: i64 = 7 * DAY_MS;
/// 1970-01-01 was a Thursday: Mondays come four days later.
const MONDAY_MS: i64 = 4 * DAY_MS;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Members who can sign in.
    pub members: i64,
    /// Members who did something in the last 30 days.
    pub active_month: i64,
    /// Posts of members that anybody may see.
    pub posts: i64,
    /// Other communities that are known here.
    pub domains: i64,
}

/// As they were at most a few seconds ago.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn totals(conn: &mut Conn, now: Timestamp) -> Result<Totals> {
    if let Some(totals) = conn.kept.totals.get(&()) {
        return Ok(totals);
    }
    let (posts, members) = posts::local_totals(conn).await?;
    let active = sql!("SELECT count(*) FROM members /* scan */ WHERE last_active_at > $1 AND disabled_at IS NULL");
    let active_month = active.bind(now.0 - 30 * DAY_MS).count(conn).await?;
    let domains = i64::try_from(known(conn).await?.len()).unwrap_or(i64::MAX);
    let totals = Totals { members, active_month, posts, domains };
    conn.kept.totals.insert((), totals);
    Ok(totals)
}

/// Whom to write to: the first owner.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn contact(conn: &mut Conn) -> Result<Option<AccountId>> {
    let ids = sql!(
        "SELECT m.account_id FROM members m JOIN accounts a ON a.id = m.account_id
         WHERE m.role <> 'member' AND m.role = 'owner' AND m.disabled_at IS NULL AND a.deleted_at IS NULL AND a.suspended_at IS NULL
         ORDER BY m.account_id LIMIT 1"
    )
    .ids(conn)
    .await?;
    Ok(ids.into_iter().next())
}

/// Other communities whose accounts are known here, but for those that are shut out. Who came to be known in the last
/// minutes may be missing.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn peers(conn: &mut Conn) -> Result<Vec<Host>> {
    let known = known(conn).await?;
    let policies = domains::policies(conn).await?;
    Ok(known.iter().filter(|domain| !DomainPolicy::suspend(&policies, domain)).cloned().collect())
}

/// Every other community of which an account is known: from one name to the next in the index, whatever lies between.
async fn known(conn: &mut Conn) -> Result<Arc<Vec<Host>>> {
    if let Some(known) = conn.kept.known.get(&()) {
        return Ok(known);
    }
    let rows = sql!(
        "WITH RECURSIVE known (domain) AS (
            SELECT (SELECT min(a.domain) FROM accounts a WHERE a.domain > '')
            UNION ALL
            SELECT (SELECT min(a.domain) FROM accounts a WHERE a.domain > known.domain) FROM known
            WHERE known.domain IS NOT NULL)
         SELECT domain FROM known WHERE domain IS NOT NULL
            AND EXISTS (SELECT 1 FROM accounts a WHERE a.domain = known.domain AND a.deleted_at IS NULL)"
    )
    .all::<(Host,)>(conn)
    .await?;
    let known = Arc::new(rows.into_iter().map(|(domain,)| domain).collect::<Vec<_>>());
    if conn.is_settled() {
        conn.kept.known.insert((), Arc::clone(&known));
    }
    Ok(known)
}

/// One week, from Monday, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    pub begins: Timestamp,
    pub posts: i64,
    /// Members whose last visit was in this week.
    pub active: i64,
    pub joined: i64,
}

/// The last weeks, this one first. Posts that not everybody may see are not counted. What is told of weeks that are over may be a few
/// minutes old.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn weeks(conn: &mut Conn, now: Timestamp, count: i64) -> Result<Vec<Week>> {
    let this = (now.0 - MONDAY_MS).div_euclid(WEEK_MS);
    let mut weeks = count_weeks(conn, this, this).await?;
    let past = match conn.kept.past_weeks.get(&(this, count)) {
        Some(past) => past,
        None => {
            let past = Arc::new(count_weeks(conn, this - count + 1, this - 1).await?);
            conn.kept.past_weeks.insert((this, count), Arc::clone(&past));
            past
        }
    };
    weeks.extend(past.iter().copied());
    Ok(weeks)
}

/// From one week to another, counted since the first Monday of 1970; the last one first.
async fn count_weeks(conn: &mut Conn, first: i64, last: i64) -> Result<Vec<Week>> {
    let begin = |week| Timestamp(week * WEEK_MS + MONDAY_MS);
    let (from, to) = (begin(first), begin(last + 1));
    let posts = sql!(
        "SELECT (created_at - 345600000) / 604800000, count(*) FROM posts
         WHERE id >= $1 AND id < $2 AND created_at >= $3 AND created_at < $4
           AND local AND visibility IN ('public', 'unlisted') AND deleted_at IS NULL
         GROUP BY 1"
    )
    .bind(IdGenerator::first_at::<PostId>(from))
    .bind(IdGenerator::first_at::<PostId>(to))
    .bind(from)
    .bind(to)
    .all::<(i64, i64)>(conn)
    .await?;
    let active = sql!(
        "SELECT /* scan */ (last_active_at - 345600000) / 604800000, count(*) FROM members
         WHERE last_active_at >= $1 AND last_active_at < $2 GROUP BY 1"
    )
    .bind(from)
    .bind(to)
    .all::<(i64, i64)>(conn)
    .await?;
    let joined = sql!(
        "SELECT /* scan */ (created_at - 345600000) / 604800000, count(*) FROM members
         WHERE created_at >= $1 AND created_at < $2 GROUP BY 1"
    )
    .bind(from)
    .bind(to)
    .all::<(i64, i64)>(conn)
    .await?;
    let of = |rows: &[(i64, i64)], week| rows.iter().find(|r| r.0 == week).map_or(0, |r| r.1);
    Ok((first..=last)
        .rev()
        .map(|week| Week {
            begins: begin(week),
            posts: of(&posts, week),
            active: of(&active, week),
            joined: of(&joined, week),
        })
        .collect())
}
