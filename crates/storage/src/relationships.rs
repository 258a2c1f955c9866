//! How members stand to others: all that is between two accounts, in one query.

use domain::follow::Relationship;
use domain::{AccountId, Timestamp};

use crate::db::Conn;
use crate::error::Result;
use crate::sql;
use crate::visible::shown;

macro_rules! relationships {
    ($which:expr) => {
        concat!(
            "SELECT a.id, f.id, coalesce(f.show_boosts, r.show_boosts), coalesce(f.notify, r.notify),
                coalesce(f.languages, r.languages), r.id, b.id, q.id, bl.id, bb.id, m.id,
                m.hide_notifications, d.id, n.note, m.expires_at
         FROM accounts a
         LEFT JOIN follows f ON f.account_id = $1 AND f.target_id = a.id
         LEFT JOIN follow_requests r ON r.account_id = $1 AND r.target_id = a.id
         LEFT JOIN follows b ON b.account_id = a.id AND b.target_id = $1
         LEFT JOIN follow_requests q ON q.account_id = a.id AND q.target_id = $1
         LEFT JOIN blocks bl ON bl.account_id = $1 AND bl.target_id = a.id
         LEFT JOIN blocks bb ON bb.account_id = a.id AND bb.target_id = $1
         LEFT JOIN mutes m ON m.account_id = $1 AND m.target_id = a.id
         LEFT JOIN account_domain_blocks d ON d.account_id = $1 AND d.domain = a.domain AND a.domain <> ''
         LEFT JOIN account_notes n ON n.account_id = $1 AND n.target_id = a.id
         WHERE ",
            $which
        )
    };
}

/// How a member stands to each of the others, as far as these may be seen, in their order; one query.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn many(conn: &mut Conn, me: AccountId, others: &[AccountId]) -> Result<Vec<Relationship>> {
    let rows = sql!(relationships!(concat!("a.id = ANY($2) AND ", shown!("a"))))
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
    let row = sql!(relationships!("a.id = $2 AND a.deleted_at IS NULL"))
        .bind(me)
        .bind(other)
        .one::<RelationshipRow>(conn)
        .await?;
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
