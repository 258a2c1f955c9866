//! Reports: kept until those who run the community have looked at them.

use domain::report::Report;
use domain::{AccountId, Host, PostId, ReportId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;
use crate::sql::json;

/// Keeps a report. `false` when one with its ActivityPub id is kept already.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn insert(tx: &mut Tx, r: &Report) -> Result<bool> {
    let n = sql!(
        "INSERT INTO reports (id, uri, account_id, target_id, post_ids, comment, host, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (uri) DO NOTHING"
    )
    .bind(r.id)
    .bind(&r.uri)
    .bind(r.account_id)
    .bind(r.target_id)
    .bind(json(&r.posts)?)
    .bind(&r.comment)
    .bind(&r.host)
    .bind(r.created_at)
    .run(tx)
    .await?;
    Ok(n > 0)
}

/// How many came from a server since then.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn count_from(conn: &mut Conn, host: &Host, since: Timestamp) -> Result<i64> {
    sql!("SELECT count(*) FROM reports WHERE host = $1 AND created_at > $2").bind(host).bind(since).count(conn).await
}

/// The reports about a member, newest first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn about(conn: &mut Conn, target: AccountId, limit: i64) -> Result<Vec<Report>> {
    let rows = sql!(
        "SELECT id, uri, account_id, target_id, post_ids, comment, host, created_at FROM reports
         WHERE target_id = $1 ORDER BY id DESC LIMIT $2"
    )
    .bind(target)
    .bind(limit)
    .all::<(i64, String, i64, i64, String, String, Host, i64)>(conn)
    .await?;
    rows.into_iter()
        .map(|(id, uri, account, target, posts, comment, host, at)| {
            Ok(Report {
                id: ReportId(id),
                uri,
                account_id: AccountId(account),
                target_id: AccountId(target),
                posts: serde_json::from_str::<Vec<PostId>>(&posts)?,
                comment,
                host,
                created_at: Timestamp(at),
            })
        })
        .collect()
}
