//! What a member did with posts: favourited, boosted, bookmarked, pinned them, or muted their discussion.
//!
//! A page shows it beside every post. It is kept from page to page, by a number in the member's row that grows
//! whenever she does any of it: whoever writes such a row calls [`changed`] in the same transaction.

use domain::view::PostFlags;
use domain::{AccountId, PostId};
use foldhash::{HashMap, HashMapExt as _};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

/// What this member did with these posts; posts she did nothing with may be missing.
///
/// # Errors
/// As [`crate::Error`] says.
pub(crate) async fn of(conn: &mut Conn, me: AccountId, ids: &[PostId]) -> Result<HashMap<PostId, PostFlags>> {
    // A transaction reads its own changes, which may never come to be.
    if !conn.is_settled() {
        return read(conn, me, ids).await;
    }
    // Others than members have no such number, and rarely look.
    let number = sql!("SELECT marks FROM members WHERE account_id = $1").bind(me).maybe::<(i64,)>(conn).await?;
    let Some((version,)) = number else { return read(conn, me, ids).await };
    let kept = conn.kept.marks(me, version);
    let (mut found, missing) = kept.look(ids);
    if !missing.is_empty() {
        let mut fresh = read(conn, me, &missing).await?;
        for id in &missing {
            fresh.entry(*id).or_default();
        }
        kept.keep(&fresh);
        found.extend(fresh);
    }
    Ok(found)
}

/// She did something with a post, or took it back.
///
/// # Errors
/// As [`crate::Error`] says.
pub(crate) async fn changed(tx: &mut Tx, account: AccountId) -> Result<()> {
    sql!("UPDATE members SET marks = marks + 1 WHERE account_id = $1").bind(account).run(tx).await.map(drop)
}

/// What was done with posts `$2`, by whom `$members` says of `$1`: the kind, the member, the post.
macro_rules! done {
    ($members:literal) => {
        concat!(
            "SELECT CAST(1 AS BIGINT), account_id, post_id FROM favourites WHERE account_id ",
            $members,
            " AND post_id = ANY($2)
             UNION ALL SELECT CAST(2 AS BIGINT), account_id, boost_of_id FROM posts WHERE account_id ",
            $members,
            " AND boost_of_id = ANY($2) AND boost_of_id IS NOT NULL AND deleted_at IS NULL
             UNION ALL SELECT CAST(3 AS BIGINT), account_id, post_id FROM bookmarks WHERE account_id ",
            $members,
            " AND post_id = ANY($2)
             UNION ALL SELECT CAST(4 AS BIGINT), account_id, post_id FROM pins WHERE account_id ",
            $members,
            " AND post_id = ANY($2)
             UNION ALL SELECT CAST(5 AS BIGINT), tm.account_id, p.id
                FROM thread_mutes tm JOIN posts p ON p.thread_id = tm.thread_id WHERE tm.account_id ",
            $members,
            " AND p.id = ANY($2)"
        )
    };
}

type DoneRow = (i64, i64, i64);

/// What each of these members did with these posts, where they did anything.
///
/// # Errors
/// As [`crate::Error`] says.
pub(crate) async fn of_each(
    conn: &mut Conn,
    members: &[AccountId],
    ids: &[PostId],
) -> Result<HashMap<(AccountId, PostId), PostFlags>> {
    let rows = sql!(done!("= ANY($1)")).bind(members).bind(ids).all::<DoneRow>(conn).await?;
    Ok(flags(rows))
}

async fn read(conn: &mut Conn, me: AccountId, ids: &[PostId]) -> Result<HashMap<PostId, PostFlags>> {
    let rows = sql!(done!("= $1")).bind(me).bind(ids).all::<DoneRow>(conn).await?;
    Ok(flags(rows).into_iter().map(|((_, post), flags)| (post, flags)).collect())
}

fn flags(rows: Vec<DoneRow>) -> HashMap<(AccountId, PostId), PostFlags> {
    let mut each: HashMap<(AccountId, PostId), PostFlags> = HashMap::new();
    for (kind, member, post) in rows {
        let flags = each.entry((AccountId(member), PostId(post))).or_default();
        match kind {
            1 => flags.favourited = true,
            2 => flags.boosted = true,
            3 => flags.bookmarked = true,
            4 => flags.pinned = true,
            _ => flags.muted = true,
        }
    }
    each
}
