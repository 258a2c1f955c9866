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
    let (active_month, domains) = sql!(
        "SELECT /* scan */ (SELECT count(*) FROM members WHERE last_active_at > $1 AND disabled_at IS NULL),
                (SELECT count(DISTINCT domain) FROM accounts WHERE domain <> '' AND deleted_at IS NULL)"
    )
    .bind(now.0 - 30 * DAY_MS)
    .one::<(i64, i64)>(conn)
    .await?;
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

/// Other communities whose accounts are known here, but for those that are shut out.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn peers(conn: &mut Conn) -> Result<Vec<Host>> {
    let rows = sql!(
        "SELECT DISTINCT a.domain FROM accounts a WHERE a.domain <> '' AND a.deleted_at IS NULL ORDER BY a.domain"
    )
    .all::<(Host,)>(conn)
    .await?;
    let policies = domains::policies(conn).await?;
    Ok(rows.into_iter().map(|(domain,)| domain).filter(|domain| !DomainPolicy::suspend(&policies, domain)).collect())
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
