//! Discussions: what a post answers, what answers it, and answers that came before what they answer.

use std::collections::{HashMap, HashSet};

use domain::post::Post;
use domain::{PostId, Viewer};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::posts::{PostRow, post_columns};
use crate::sql;
use crate::visible::{visible, wanted};

/// Posts that are looked at for one discussion, seen or not, at most: what a page costs whoever fills a discussion.
const WALK: i64 = 5_000;
/// Of these, how many are looked at together.
const LOOK: usize = 500;
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
/// caller's to move; `false` when somebody else did it at the same time.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn adopt(tx: &mut Tx, orphan: &Post, parent: &Post) -> Result<bool> {
    let hung = sql!(
        "UPDATE posts SET version = version + 1, in_reply_to_id = $2, in_reply_to_account_id = $3
         WHERE id = $1 AND in_reply_to_id IS NULL"
    )
    .bind(orphan.id)
    .bind(parent.id)
    .bind(parent.account_id)
    .run(tx)
    .await?;
    if hung == 0 {
        return Ok(false);
    }
    sql!("UPDATE posts SET version = version + 1, thread_id = $2 WHERE thread_id = $1 AND boost_of_id IS NULL")
        .bind(orphan.thread_id)
        .bind(parent.thread_id)
        .run(tx)
        .await?;
    Ok(true)
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
    let all: Vec<(i64, i64)> = sql!(
        "WITH RECURSIVE down (id, parent, depth) AS (
            SELECT id, id, CAST(0 AS BIGINT) FROM posts WHERE id = $1
            UNION ALL
            SELECT p.id, p.in_reply_to_id, down.depth + 1 FROM down JOIN posts p ON p.in_reply_to_id = down.id
            WHERE down.depth < 100)
         SELECT id, parent FROM (SELECT id, parent, depth FROM down LIMIT $2) AS walked
         WHERE depth > 0 ORDER BY depth, id"
    )
    .bind(id)
    .bind(WALK)
    .all(conn)
    .await?;
    // The nearest first, as many as are wanted. Where each stands: itself, or what is seen above it.
    let mut stands: HashMap<i64, i64> = HashMap::from([(id.0, id.0)]);
    let mut children: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut left = limit;
    for some in all.chunks(LOOK) {
        if left <= 0 {
            break;
        }
        let seen = seen(conn, viewer, some).await?;
        for (answer, parent) in some {
            let Some(above) = stands.get(parent).copied() else { continue };
            if !seen.contains(answer) {
                stands.insert(*answer, above);
            } else if left > 0 {
                stands.insert(*answer, *answer);
                children.entry(above).or_default().push(*answer);
                left -= 1;
            }
        }
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

/// Those of the posts that the viewer may see and wants to.
async fn seen(conn: &mut Conn, viewer: Viewer, posts: &[(i64, i64)]) -> Result<HashSet<i64>> {
    let ids: Vec<i64> = posts.iter().map(|(id, _)| *id).collect();
    let seen: Vec<i64> = sql!(concat!(
        "SELECT p.id FROM posts p JOIN accounts a ON a.id = p.account_id WHERE p.id = ANY($2) AND ",
        visible!("p" by "a"),
        " AND ",
        wanted!("a")
    ))
    .bind(viewer.raw())
    .bind(ids)
    .ids(conn)
    .await?;
    Ok(seen.into_iter().collect())
}
