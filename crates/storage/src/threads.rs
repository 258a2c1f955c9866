//! Discussions: what a post answers, what answers it, and answers that came before what they answer.

use std::collections::HashMap;

use domain::post::Post;
use domain::{PostId, Viewer};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::posts::{PostRow, post_columns};
use crate::sql;
use crate::visible::{visible, wanted};

/// Posts that are looked at for one discussion, seen or not, at most: what a page costs whoever fills a discussion.
const WALK: i64 = 5_000;
/// Steps up that are looked at.
const CLIMB: i64 = 2_048;
/// Answers that came before a post and are hung under it, at most.
const ORPHANS: i64 = 1_000;

/// Posts that answer something unknown, which is this post; the oldest first. What the post itself answers, at whatever
/// distance, is not among them: it would hang under itself.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn orphans(conn: &mut Conn, parent: &Post) -> Result<Vec<Post>> {
    sql!(concat!(
        "SELECT ",
        post_columns!(),
        " FROM posts p WHERE p.in_reply_to_uri = $1 AND p.in_reply_to_id IS NULL AND p.in_reply_to_uri IS NOT NULL
           AND p.deleted_at IS NULL AND p.thread_id <> $2 ORDER BY p.id LIMIT $3"
    ))
    .bind(&parent.uri)
    .bind(parent.thread_id)
    .bind(ORPHANS)
    .all::<PostRow>(conn)
    .await?
    .into_iter()
    .map(Post::try_from)
    .collect()
}

/// Hangs a post under what it answers, which arrived after it. Their discussions become one. The counter is the
/// caller's to move.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn adopt(tx: &mut Tx, orphan: &Post, parent: &Post) -> Result<()> {
    sql!("UPDATE posts SET version = version + 1, in_reply_to_id = $2, in_reply_to_account_id = $3 WHERE id = $1")
        .bind(orphan.id)
        .bind(parent.id)
        .bind(parent.account_id)
        .run(tx)
        .await?;
    sql!("UPDATE posts SET version = version + 1, thread_id = $2 WHERE thread_id = $1 AND boost_of_id IS NULL")
        .bind(orphan.thread_id)
        .bind(parent.thread_id)
        .run(tx)
        .await?;
    Ok(())
}

/// What the post answers, and what that answers, as far as the viewer may see it and wants to: the nearest `limit`, the
/// start of the discussion first. What the viewer does not see takes nobody's place.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn ancestors(conn: &mut Conn, viewer: Viewer, id: PostId, limit: i64) -> Result<Vec<PostId>> {
    let mut ids: Vec<PostId> = sql!(concat!(
        "WITH RECURSIVE up (id, parent, depth) AS (
            SELECT id, in_reply_to_id, CAST(0 AS BIGINT) FROM posts WHERE id = $2
            UNION ALL
            SELECT p.id, p.in_reply_to_id, up.depth + 1 FROM posts p JOIN up ON p.id = up.parent WHERE up.depth < $4)
         SELECT p.id FROM (SELECT id, min(depth) AS depth FROM up WHERE depth > 0 GROUP BY id) AS climbed
            JOIN posts p ON p.id = climbed.id JOIN accounts a ON a.id = p.account_id
         WHERE ",
        visible!("p" by "a"),
        " AND ",
        wanted!("a"),
        " ORDER BY climbed.depth LIMIT $3"
    ))
    .bind(viewer.raw())
    .bind(id)
    .bind(limit)
    .bind(CLIMB)
    .ids(conn)
    .await?;
    ids.reverse();
    Ok(ids)
}

/// What answers the post, and what answers that, as far as the viewer may see it and wants to: the nearest `limit`, as
/// a tree read depth first. Each answer is followed by its own answers, oldest first. What answers something that the
/// viewer does not see stands where that would; what the viewer does not see takes nobody's place.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn descendants(conn: &mut Conn, viewer: Viewer, id: PostId, limit: i64) -> Result<Vec<PostId>> {
    // `below` is the nearest post above that is seen, `seen` the post itself or, where it is not seen, that one.
    let rows = sql!(concat!(
        "WITH RECURSIVE down (id, below, seen, depth) AS (
            SELECT id, id, id, CAST(0 AS BIGINT) FROM posts WHERE id = $2
            UNION ALL
            SELECT p.id, down.seen, CASE WHEN ",
        visible!("p" by "a"),
        " AND ",
        wanted!("a"),
        " THEN p.id ELSE down.seen END, down.depth + 1
            FROM down JOIN posts p ON p.in_reply_to_id = down.id JOIN accounts a ON a.id = p.account_id
            WHERE down.depth < 100)
         SELECT id, below FROM (SELECT id, below, seen, depth FROM down LIMIT $4) AS walked
         WHERE depth > 0 AND seen = id ORDER BY depth, id LIMIT $3"
    ))
    .bind(viewer.raw())
    .bind(id)
    .bind(limit)
    .bind(WALK)
    .all::<(i64, i64)>(conn)
    .await?;
    let mut children: HashMap<i64, Vec<i64>> = HashMap::new();
    for (id, below) in rows {
        children.entry(below).or_default().push(id);
    }
    for answers in children.values_mut() {
        answers.sort_unstable();
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
