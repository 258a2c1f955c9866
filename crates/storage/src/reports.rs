//! Reports: kept until those who run the community have looked at them, and after that.

use domain::report::{Report, ReportCategory};
use domain::{AccountId, Host, PostId, ReportId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::record::record;
use crate::sql;
use crate::sql::json;

record! {
    struct ReportRow {
        id: i64,
        uri: String,
        account_id: i64,
        target_id: i64,
        post_ids: String,
        comment: String,
        category: String,
        rules: String,
        host: String,
        forwarded: bool,
        created_at: i64,
        resolved_at: Option<i64>,
        resolved_by: Option<i64>,
    }
}

macro_rules! columns {
    () => {
        "r.id, r.uri, r.account_id, r.target_id, r.post_ids, r.comment, r.category, r.rules, r.host, r.forwarded,
            r.created_at, r.resolved_at, r.resolved_by"
    };
}

fn report(row: ReportRow) -> Result<Report> {
    Ok(Report {
        id: ReportId(row.id),
        uri: row.uri,
        account_id: AccountId(row.account_id),
        target_id: AccountId(row.target_id),
        posts: serde_json::from_str::<Vec<PostId>>(&row.post_ids)?,
        comment: row.comment,
        category: ReportCategory::parse(&row.category).unwrap_or_default(),
        rules: serde_json::from_str(&row.rules)?,
        host: Host::parse(&row.host).ok(),
        forwarded: row.forwarded,
        created_at: Timestamp(row.created_at),
        resolved_at: row.resolved_at.map(Timestamp),
        resolved_by: row.resolved_by.map(AccountId),
    })
}

/// Keeps a report. `false` when one with its ActivityPub id is kept already.
///
/// # Errors
/// As [`Error`] says.
pub async fn insert(tx: &mut Tx, r: &Report) -> Result<bool> {
    let n = sql!(
        "INSERT INTO reports (id, uri, account_id, target_id, post_ids, comment, category, rules, host, forwarded,
            created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (uri) DO NOTHING"
    )
    .bind(r.id)
    .bind(&r.uri)
    .bind(r.account_id)
    .bind(r.target_id)
    .bind(json(&r.posts)?)
    .bind(&r.comment)
    .bind(r.category.as_str())
    .bind(json(&r.rules)?)
    .bind(r.host.as_ref().map_or("", Host::as_str))
    .bind(r.forwarded)
    .bind(r.created_at)
    .run(tx)
    .await?;
    Ok(n > 0)
}

/// How many came from a server since then.
///
/// # Errors
/// As [`Error`] says.
pub async fn count_from(conn: &mut Conn, host: &Host, since: Timestamp) -> Result<i64> {
    sql!("SELECT count(*) FROM reports WHERE host = $1 AND created_at > $2").bind(host).bind(since).count(conn).await
}

/// How many an account wrote since then.
///
/// # Errors
/// As [`Error`] says.
pub async fn count_by(conn: &mut Conn, reporter: AccountId, since: Timestamp) -> Result<i64> {
    sql!("SELECT count(*) FROM reports WHERE account_id = $1 AND created_at > $2")
        .bind(reporter)
        .bind(since)
        .count(conn)
        .await
}

/// One report.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(conn: &mut Conn, id: ReportId) -> Result<Report> {
    let row = sql!(concat!("SELECT ", columns!(), " FROM reports r WHERE r.id = $1"))
        .bind(id)
        .maybe::<ReportRow>(conn)
        .await?;
    row.map_or(Err(Error::NotFound), report)
}

/// Several reports, in no order; those that are not there are left out.
///
/// # Errors
/// As [`Error`] says.
pub async fn many(conn: &mut Conn, ids: &[ReportId]) -> Result<Vec<Report>> {
    let rows = sql!(concat!("SELECT ", columns!(), " FROM reports r WHERE r.id = ANY($1)"))
        .bind(ids)
        .all::<ReportRow>(conn)
        .await?;
    rows.into_iter().map(report).collect()
}

/// The newest reports, those of which nobody has said that they were dealt with.
///
/// # Errors
/// As [`Error`] says.
pub async fn open(conn: &mut Conn, limit: i64) -> Result<Vec<Report>> {
    let rows = sql!(concat!(
        "SELECT ",
        columns!(),
        " FROM reports r /* scan */ WHERE r.resolved_at IS NULL ORDER BY r.id DESC LIMIT $1"
    ));
    rows.bind(limit).all::<ReportRow>(conn).await?.into_iter().map(report).collect()
}

/// The newest reports, dealt with or not.
///
/// # Errors
/// As [`Error`] says.
pub async fn all(conn: &mut Conn, limit: i64) -> Result<Vec<Report>> {
    let rows = sql!(concat!("SELECT ", columns!(), " FROM reports r /* scan */ ORDER BY r.id DESC LIMIT $1"));
    rows.bind(limit).all::<ReportRow>(conn).await?.into_iter().map(report).collect()
}

/// The reports about an account, newest first.
///
/// # Errors
/// As [`Error`] says.
pub async fn about(conn: &mut Conn, target: AccountId, limit: i64) -> Result<Vec<Report>> {
    let rows =
        sql!(concat!("SELECT ", columns!(), " FROM reports r WHERE r.target_id = $1 ORDER BY r.id DESC LIMIT $2"));
    rows.bind(target).bind(limit).all::<ReportRow>(conn).await?.into_iter().map(report).collect()
}

/// It was dealt with: now, by this member, or by the operator. `false` when that was said before.
///
/// # Errors
/// As [`Error`] says.
pub async fn resolve(tx: &mut Tx, id: ReportId, by: Option<AccountId>) -> Result<bool> {
    let now = tx.now();
    let n = sql!("UPDATE reports SET resolved_at = $2, resolved_by = $3 WHERE id = $1 AND resolved_at IS NULL")
        .bind(id)
        .bind(now)
        .bind(by)
        .run(tx)
        .await?;
    Ok(n > 0)
}

/// It is to be looked at again. `false` when it is open.
///
/// # Errors
/// As [`Error`] says.
pub async fn reopen(tx: &mut Tx, id: ReportId) -> Result<bool> {
    let n = sql!("UPDATE reports SET resolved_at = NULL, resolved_by = NULL WHERE id = $1 AND resolved_at IS NOT NULL")
        .bind(id)
        .run(tx)
        .await?;
    Ok(n > 0)
}
