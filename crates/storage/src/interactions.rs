//! What people do with posts: favourite, bookmark, pin, and mute a discussion.

use domain::page::Page;
use domain::{AccountId, PostId, ThreadId, Viewer};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::former_readers;
use crate::marks;
use crate::sql;
use crate::visible::{listed, paged, visible};

/// An entry of a list of posts and the id it pages by.
pub type PostEntry = (i64, PostId);

/// Writes a favourite; `true` when it is new: then the counter is due.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn favourite(
    tx: &mut Tx,
    id: i64,
    account: AccountId,
    by_member: bool,
    post: PostId,
    uri: &str,
) -> Result<bool> {
    let now = tx.now();
    let n = sql!(
        "INSERT INTO favourites (id, account_id, post_id, uri, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (post_id, account_id) DO NOTHING"
    )
    .bind(id)
    .bind(account)
    .bind(post)
    .bind(uri)
    .bind(now)
    .run(tx)
    .await?;
    if n > 0 && by_member {
        marks::changed(tx, account).await?;
    }
    Ok(n > 0)
}

/// Takes a favourite back; the `Like` activity's id when there was one: then the counter is due.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn unfavourite(tx: &mut Tx, account: AccountId, post: PostId) -> Result<Option<String>> {
    former_readers::of_favourite(tx, account, post).await?;
    let row = sql!("DELETE FROM favourites WHERE account_id = $1 AND post_id = $2 RETURNING uri")
        .bind(account)
        .bind(post)
        .maybe::<(String,)>(tx)
        .await?;
    if row.is_some() {
        marks::changed(tx, account).await?;
    }
    Ok(row.map(|(uri,)| uri))
}

/// The post that a `Like` with this id is about, for an `Undo` that names only the id.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn favourite_by_uri(conn: &mut Conn, account: AccountId, uri: &str) -> Result<Option<PostId>> {
    let row = sql!("SELECT post_id FROM favourites WHERE account_id = $1 AND uri = $2 LIMIT 1")
        .bind(account)
        .bind(uri)
        .maybe::<(i64,)>(conn)
        .await?;
    Ok(row.map(|(id,)| PostId(id)))
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn bookmark(tx: &mut Tx, account: AccountId, post: PostId) -> Result<bool> {
    let id: i64 = tx.id();
    let n = sql!(
        "INSERT INTO bookmarks (id, account_id, post_id) VALUES ($1, $2, $3) ON CONFLICT (post_id, account_id) DO NOTHING"
    )
    .bind(id)
    .bind(account)
    .bind(post)
    .run(tx)
    .await?;
    if n > 0 {
        marks::changed(tx, account).await?;
    }
    Ok(n > 0)
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn unbookmark(tx: &mut Tx, account: AccountId, post: PostId) -> Result<bool> {
    let n =
        sql!("DELETE FROM bookmarks WHERE account_id = $1 AND post_id = $2").bind(account).bind(post).run(tx).await?;
    if n > 0 {
        marks::changed(tx, account).await?;
    }
    Ok(n > 0)
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn pin(tx: &mut Tx, account: AccountId, post: PostId) -> Result<bool> {
    let id: i64 = tx.id();
    let n = sql!(
        "INSERT INTO pins (id, account_id, post_id) VALUES ($1, $2, $3) ON CONFLICT (post_id, account_id) DO NOTHING"
    )
    .bind(id)
    .bind(account)
    .bind(post)
    .run(tx)
    .await?;
    if n > 0 {
        marks::changed(tx, account).await?;
    }
    Ok(n > 0)
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn unpin(tx: &mut Tx, account: AccountId, post: PostId) -> Result<bool> {
    let n = sql!("DELETE FROM pins WHERE account_id = $1 AND post_id = $2").bind(account).bind(post).run(tx).await?;
    if n > 0 {
        marks::changed(tx, account).await?;
    }
    Ok(n > 0)
}

/// Is a post pinned by this account?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn is_pinned(conn: &mut Conn, account: AccountId, post: PostId) -> Result<bool> {
    sql!("SELECT id FROM pins WHERE account_id = $1 AND post_id = $2").bind(account).bind(post).exists(conn).await
}

/// How many posts an account has pinned.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn pins(conn: &mut Conn, account: AccountId) -> Result<i64> {
    sql!("SELECT count(*) FROM pins WHERE account_id = $1").bind(account).count(conn).await
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn mute_thread(tx: &mut Tx, account: AccountId, thread: ThreadId) -> Result<()> {
    sql!("INSERT INTO thread_mutes (account_id, thread_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(account)
        .bind(thread)
        .run(tx)
        .await?;
    marks::changed(tx, account).await
}

/// `true` when it was muted.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn unmute_thread(tx: &mut Tx, account: AccountId, thread: ThreadId) -> Result<bool> {
    let n = sql!("DELETE FROM thread_mutes WHERE account_id = $1 AND thread_id = $2")
        .bind(account)
        .bind(thread)
        .run(tx)
        .await?;
    if n > 0 {
        marks::changed(tx, account).await?;
    }
    Ok(n > 0)
}

fn newest_first<T: From<i64>>(page: &Page, rows: Vec<(i64, i64)>) -> Vec<(i64, T)> {
    page.newest_first(rows).into_iter().map(|(id, other)| (id, T::from(other))).collect()
}

/// What she favourited, paged by the favourite's id.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn favourites_of(conn: &mut Conn, me: AccountId, page: &Page) -> Result<Vec<PostEntry>> {
    let query = paged!(
        page,
        concat!(
            "SELECT i.id, i.post_id FROM favourites i JOIN posts p ON p.id = i.post_id WHERE i.account_id = $1 AND ",
            visible!("p")
        ),
        "i.id"
    );
    let rows = query.bind(me).bind(page.below()).bind(page.above()).bind(page.limit).all(conn).await?;
    Ok(newest_first(page, rows))
}

/// What she bookmarked, paged by the bookmark's id.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn bookmarks_of(conn: &mut Conn, me: AccountId, page: &Page) -> Result<Vec<PostEntry>> {
    let query = paged!(
        page,
        concat!(
            "SELECT i.id, i.post_id FROM bookmarks i JOIN posts p ON p.id = i.post_id WHERE i.account_id = $1 AND ",
            visible!("p")
        ),
        "i.id"
    );
    let rows = query.bind(me).bind(page.below()).bind(page.above()).bind(page.limit).all(conn).await?;
    Ok(newest_first(page, rows))
}

/// Who favourited a post, paged by the favourite's id. The caller has checked that the viewer may see the post;
/// accounts she blocks, or that block her, are left out.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn favourited_by(
    conn: &mut Conn,
    viewer: Viewer,
    post: PostId,
    page: &Page,
) -> Result<Vec<(i64, AccountId)>> {
    let query = paged!(
        page,
        concat!(
            "SELECT i.id, i.account_id FROM favourites i JOIN accounts a ON a.id = i.account_id WHERE i.post_id = $5 AND ",
            listed!("a"),
            " AND NOT EXISTS (SELECT 1 FROM blocks b WHERE (b.account_id = $1 AND b.target_id = a.id)
             OR (b.account_id = a.id AND b.target_id = $1))"
        ),
        "i.id"
    );
    let rows =
        query.bind(viewer.raw()).bind(page.below()).bind(page.above()).bind(page.limit).bind(post).all(conn).await?;
    Ok(newest_first(page, rows))
}

/// Who boosted a post for everybody, paged by the boost's id: those whom the counter counts. Boosts that the viewer may
/// not see are left out, and so are those for followers, also for a follower, as in Mastodon.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn boosted_by(conn: &mut Conn, viewer: Viewer, post: PostId, page: &Page) -> Result<Vec<(i64, AccountId)>> {
    let query = paged!(
        page,
        concat!(
            "SELECT p.id, p.account_id FROM posts p WHERE p.boost_of_id = $5 AND p.boost_of_id IS NOT NULL
               AND p.deleted_at IS NULL AND p.visibility IN ('public', 'unlisted')
               AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $1 AND b.target_id = p.account_id) AND ",
            visible!("p")
        ),
        "p.id"
    );
    let rows =
        query.bind(viewer.raw()).bind(page.below()).bind(page.above()).bind(page.limit).bind(post).all(conn).await?;
    Ok(newest_first(page, rows))
}
