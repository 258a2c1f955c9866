//! Discussions: what a post answers, what answers it, and answers that came before what they answer.
//!
//! Gives ids only, visible or not: [`crate::hydrate`] keeps what the viewer may see.

use std::collections::HashMap;

use domain::post::Post;
use domain::{PostId, Visibility};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// Hangs posts that answered something unknown under it, now that it arrived. Their discussions become one. How many
/// of them count as replies: private messages do not.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn adopt_orphans(tx: &mut Tx, parent: &Post) -> Result<i64> {
    let orphans = sql!(
        "SELECT id, thread_id, visibility FROM posts
         WHERE in_reply_to_uri = $1 AND in_reply_to_id IS NULL AND in_reply_to_uri IS NOT NULL AND deleted_at IS NULL"
    )
    .bind(&parent.uri)
    .all::<(i64, i64, String)>(tx)
    .await?;
    let mut adopted = 0;
    for (id, thread, visibility) in orphans {
        if id == parent.id.0 {
            continue;
        }
        sql!("UPDATE posts SET version = version + 1, in_reply_to_id = $2, in_reply_to_account_id = $3 WHERE id = $1")
            .bind(id)
            .bind(parent.id)
            .bind(parent.account_id)
            .run(tx)
            .await?;
        sql!("UPDATE posts SET version = version + 1, thread_id = $2 WHERE thread_id = $1 AND boost_of_id IS NULL")
            .bind(thread)
            .bind(parent.thread_id)
            .run(tx)
            .await?;
        adopted += i64::from(visibility != Visibility::Direct.as_str());
    }
    Ok(adopted)
}

/// What the post answers, and what that answers, up to `limit`: the start of the discussion first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn ancestors(conn: &mut Conn, id: PostId, limit: i64) -> Result<Vec<PostId>> {
    let mut ids: Vec<PostId> = sql!(
        "WITH RECURSIVE up (id, parent, depth) AS (
            SELECT id, in_reply_to_id, CAST(0 AS BIGINT) FROM posts WHERE id = $1
            UNION ALL
            SELECT p.id, p.in_reply_to_id, up.depth + 1 FROM posts p JOIN up ON p.id = up.parent WHERE up.depth < $2)
         SELECT id FROM up WHERE depth > 0 ORDER BY depth"
    )
    .bind(id)
    .bind(limit)
    .ids(conn)
    .await?;
    ids.reverse();
    Ok(ids)
}

/// What answers the post, and what answers that, up to `limit`, as a tree read depth first: each answer is
/// followed by its own answers, oldest first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn descendants(conn: &mut Conn, id: PostId, limit: i64) -> Result<Vec<PostId>> {
    let rows = sql!(
        "WITH RECURSIVE down (id, parent, depth) AS (
            SELECT id, in_reply_to_id, CAST(0 AS BIGINT) FROM posts WHERE id = $1
            UNION ALL
            SELECT p.id, p.in_reply_to_id, down.depth + 1 FROM posts p JOIN down ON p.in_reply_to_id = down.id
            WHERE down.depth < 100)
         SELECT id, parent FROM down WHERE depth > 0 ORDER BY depth, id LIMIT $2"
    )
    .bind(id)
    .bind(limit)
    .all::<(i64, Option<i64>)>(conn)
    .await?;
    let mut children: HashMap<i64, Vec<i64>> = HashMap::new();
    for (id, parent) in rows {
        children.entry(parent.unwrap_or_default()).or_default().push(id);
    }
    let mut ordered = Vec::new();
    let mut stack = vec![id.0];
    while let Some(next) = stack.pop() {
        if next != id.0 {
            ordered.push(PostId(next));
        }
        if let Some(answers) = children.remove(&next) {
            stack.extend(answers.into_iter().rev());
        }
    }
    Ok(ordered)
}
