//! Where copies of members' posts are that nobody there may see any more: of whom an edit took out.
//!
//! Told of deletions, never of anything that is new. One row for each community and post, whoever was its reader, so
//! nobody there can make them many.

use domain::{AccountId, PostId};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// Before an edit takes everybody but these out of a post.
pub(crate) async fn taken_out(tx: &mut Tx, post: PostId, addressed: &[AccountId]) -> Result<()> {
    let now = tx.now();
    sql!(
        "INSERT INTO former_readers (author_id, post_id, domain, inbox_url, ended_at)
         SELECT p.account_id, p.id, a.domain, min(coalesce(a.shared_inbox_url, a.inbox_url)), $3
         FROM mentions m JOIN posts p ON p.id = m.post_id JOIN accounts a ON a.id = m.account_id
         WHERE m.post_id = $1 AND p.local AND a.domain <> '' AND a.inbox_url <> '' AND NOT m.account_id = ANY($2)
         GROUP BY p.account_id, p.id, a.domain
         ON CONFLICT (author_id, post_id, domain) DO UPDATE SET inbox_url = excluded.inbox_url,
            ended_at = excluded.ended_at"
    )
    .bind(post)
    .bind(addressed)
    .bind(now)
    .run(tx)
    .await?;
    Ok(())
}

/// Where a post's former readers are reached, but for suspended communities.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn inboxes(conn: &mut Conn, post: PostId) -> Result<Vec<String>> {
    let rows = sql!(
        "SELECT DISTINCT r.inbox_url FROM posts p JOIN former_readers r ON r.author_id = p.account_id AND r.post_id = p.id
         WHERE p.id = $1 AND NOT EXISTS (SELECT 1 FROM domain_policies dp WHERE dp.severity = 'suspend'
            AND (r.domain = dp.domain OR r.domain LIKE '%.' || dp.domain))"
    )
    .bind(post)
    .all::<(String,)>(conn)
    .await?;
    Ok(rows.into_iter().map(|(url,)| url).collect())
}
