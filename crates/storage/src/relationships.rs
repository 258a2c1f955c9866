//! How members stand to others: all that is between two accounts, in one query.

use domain::follow::Relationship;
use domain::{AccountId, Timestamp};

use crate::db::Conn;
use crate::error::Result;
use crate::sql;
use crate::visible::shown;

macro_rules! sqlite {
    ($table:literal $row:literal where $key:literal) => {
        concat!(" LEFT JOIN ", $table, " ", $row, " ON ", $key)
    };
}

/// One row by the table's index, whatever is believed of the table: PostgreSQL else reads all follows of the member,
/// to say it of forty.
macro_rules! postgres {
    ($table:literal $row:literal where $key:literal) => {
        concat!(
            " LEFT JOIN LATERAL (SELECT ",
            $row,
            ".* FROM ",
            $table,
            " ",
            $row,
            " WHERE ",
            $key,
            " LIMIT 1 OFFSET 0) AS ",
            $row,
            " ON TRUE"
        )
    };
}

macro_rules! relationships {
    ($which:expr) => {{
        macro_rules! text {
            ($joined:ident) => {
                concat!(
                    "SELECT a.id, f.id, coalesce(f.show_boosts, r.show_boosts), coalesce(f.notify, r.notify),
                        coalesce(f.languages, r.languages), r.id, b.id, q.id, bl.id, bb.id, m.id,
                        m.hide_notifications, d.id, n.note, m.expires_at
                     FROM accounts a",
                    $joined!("follows" "f" where "f.account_id = $1 AND f.target_id = a.id"),
                    $joined!("follow_requests" "r" where "r.account_id = $1 AND r.target_id = a.id"),
                    $joined!("follows" "b" where "b.account_id = a.id AND b.target_id = $1"),
                    $joined!("follow_requests" "q" where "q.account_id = a.id AND q.target_id = $1"),
                    $joined!("blocks" "bl" where "bl.account_id = $1 AND bl.target_id = a.id"),
                    $joined!("blocks" "bb" where "bb.account_id = a.id AND bb.target_id = $1"),
                    $joined!("mutes" "m" where "m.account_id = $1 AND m.target_id = a.id"),
                    $joined!("account_domain_blocks" "d" where
                        "d.account_id = $1 AND d.domain = a.domain AND a.domain <> ''"),
                    $joined!("account_notes" "n" where "n.account_id = $1 AND n.target_id = a.id"),
                    " WHERE ",
                    $which
                )
            };
        }
        sql!(sqlite: text!(sqlite), postgres: text!(postgres))
    }};
}

/// How a member stands to each of the others, as far as these may be seen, in their order; one query.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn many(conn: &mut Conn, me: AccountId, others: &[AccountId]) -> Result<Vec<Relationship>> {
    let rows = relationships!(concat!("a.id = ANY($2) AND ", shown!("a")))
        .bind(me)
        .bind(others)
        .all::<RelationshipRow>(conn)
        .await?;
    Ok(others.iter().filter_map(|id| rows.iter().find(|r| r.0 == id.0)).map(relationship).collect())
}

/// How a member stands to another who may not be seen: the answer to what was done about them.
///
/// # Errors
/// [`crate::Error::NotFound`] when there is no such account, or it was deleted.
pub async fn even_hidden(conn: &mut Conn, me: AccountId, other: AccountId) -> Result<Relationship> {
    let row =
        relationships!("a.id = $2 AND a.deleted_at IS NULL").bind(me).bind(other).one::<RelationshipRow>(conn).await?;
    Ok(relationship(&row))
}

fn relationship(r: &RelationshipRow) -> Relationship {
    Relationship {
        target: Some(AccountId(r.0)),
        following: r.1.is_some(),
        showing_boosts: r.2.unwrap_or(false),
        notifying: r.3.unwrap_or(false),
        languages: r.4.as_deref().and_then(|l| serde_json::from_str(l).ok()).unwrap_or_default(),
        requested: r.5.is_some(),
        followed_by: r.6.is_some(),
        requested_by: r.7.is_some(),
        blocking: r.8.is_some(),
        blocked_by: r.9.is_some(),
        muting: r.10.is_some(),
        muting_notifications: r.11.unwrap_or(false),
        domain_blocking: r.12.is_some(),
        note: r.13.clone().unwrap_or_default(),
        muting_until: r.14.map(Timestamp),
    }
}

type RelationshipRow = (
    i64,
    Option<i64>,
    Option<bool>,
    Option<bool>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<bool>,
    Option<i64>,
    Option<String>,
    Option<i64>,
);
