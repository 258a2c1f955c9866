//! Members' views of private discussions: one per discussion and set of people. Written by `app::fanout` alone.

use std::collections::HashMap;

use domain::page::Page;
use domain::view::{ConversationView, PostView};
use domain::{AccountId, ConversationId, PostId, ThreadId, Timestamp, Viewer};

use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::hydrate;
use crate::sql;
use crate::visible::{paged, visible};

fn key(participants: &[AccountId]) -> String {
    let mut ids: Vec<i64> = participants.iter().map(|a| a.0).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// Adds a post to a member's conversation with these others (and makes it, if there is none). One that was `moved`
/// there leaves unread what is unread.
///
/// # Errors
/// As [`Error`] says.
pub async fn add_post(
    tx: &mut Tx,
    owner: AccountId,
    others: &[AccountId],
    post: (ThreadId, PostId),
    unread: bool,
    moved: bool,
) -> Result<ConversationId> {
    let (thread, post) = post;
    let (id, now): (ConversationId, _) = (tx.id(), tx.now());
    let (id,) = sql!(
        "INSERT INTO conversations (id, account_id, thread_id, participants, unread, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, thread_id, participants) DO UPDATE SET
            unread = excluded.unread OR ($7 AND conversations.unread), updated_at = excluded.updated_at
         RETURNING id"
    )
    .bind(id)
    .bind(owner)
    .bind(thread)
    .bind(key(others))
    .bind(unread)
    .bind(now)
    .bind(moved)
    .one::<(i64,)>(tx)
    .await?;
    sql!("INSERT INTO conversation_posts (conversation_id, post_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(post)
        .run(tx)
        .await?;
    Ok(ConversationId(id))
}

/// A conversation that a post was taken out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub owner: AccountId,
    pub conversation: ConversationId,
    pub unread: bool,
}

/// Takes a post out of every conversation; an emptied one goes with it. Whose changed.
///
/// # Errors
/// As [`Error`] says.
pub async fn remove_post(tx: &mut Tx, post: PostId) -> Result<Vec<Left>> {
    let touched = sql!(
        "SELECT c.account_id, c.id, c.unread FROM conversation_posts cp JOIN conversations c ON c.id = cp.conversation_id
         WHERE cp.post_id = $1"
    )
    .bind(post)
    .all::<(i64, i64, bool)>(tx)
    .await?;
    for (_, id, _) in &touched {
        sql!("DELETE FROM conversation_posts WHERE conversation_id = $1 AND post_id = $2")
            .bind(*id)
            .bind(post)
            .run(tx)
            .await?;
        sql!(
            "DELETE FROM conversations WHERE id = $1
               AND NOT EXISTS (SELECT 1 FROM conversation_posts cp WHERE cp.conversation_id = $1)"
        )
        .bind(*id)
        .run(tx)
        .await?;
    }
    let left = |(owner, id, unread)| Left { owner: AccountId(owner), conversation: ConversationId(id), unread };
    Ok(touched.into_iter().map(left).collect())
}

type ConversationRow = (i64, String, i64, bool, i64);

/// The conversations of `$1` in which she may see a post, with the newest that she may see.
macro_rules! conversations {
    () => {
        concat!(
            "SELECT c.id, c.participants, c.last_id, c.unread, c.updated_at FROM (
                SELECT x.id, x.participants, x.unread, x.updated_at, (
                    SELECT cp.post_id FROM conversation_posts cp JOIN posts p ON p.id = cp.post_id
                    WHERE cp.conversation_id = x.id AND ",
            visible!("p"),
            " ORDER BY cp.post_id DESC LIMIT 1) AS last_id
                FROM conversations x WHERE x.account_id = $1) AS c
             WHERE c.last_id IS NOT NULL"
        )
    };
}

/// Her conversations, the one with the newest post first. Pages by the id of the last post.
///
/// # Errors
/// As [`Error`] says.
pub async fn list(conn: &mut Conn, me: AccountId, page: &Page) -> Result<Vec<ConversationView>> {
    let query = paged!(page, conversations!(), "c.last_id");
    let rows =
        query.bind(me).bind(page.below()).bind(page.above()).bind(page.limit).all::<ConversationRow>(conn).await?;
    let rows = page.newest_first(rows);
    views(conn, me, rows).await
}

/// # Errors
/// [`Error::NotFound`] when it is not hers, or she may see nothing of it any more.
pub async fn get(conn: &mut Conn, me: AccountId, id: ConversationId) -> Result<ConversationView> {
    let row = sql!(concat!(conversations!(), " AND c.id = $2")).bind(me).bind(id).one::<ConversationRow>(conn).await?;
    views(conn, me, vec![row]).await?.pop().ok_or(Error::NotFound)
}

async fn views(conn: &mut Conn, me: AccountId, rows: Vec<ConversationRow>) -> Result<Vec<ConversationView>> {
    let participants = |text: &str| -> Vec<AccountId> { text.split(',').filter_map(|id| id.parse().ok()).collect() };
    let mut people: Vec<AccountId> = rows.iter().flat_map(|r| participants(&r.1)).collect();
    people.sort();
    people.dedup();
    let accounts = hydrate::account_views(conn, &people).await?;
    let ids: Vec<PostId> = rows.iter().map(|r| PostId(r.2)).collect();
    let posts: HashMap<PostId, PostView> =
        hydrate::posts(conn, Viewer::Account(me), &ids).await?.into_iter().map(|p| (p.id(), p)).collect();
    Ok(rows
        .into_iter()
        .filter_map(|(id, people, last, unread, at)| {
            Some(ConversationView {
                id: ConversationId(id),
                unread,
                accounts: participants(&people).iter().filter_map(|a| accounts.get(a).cloned()).collect(),
                last_post: posts.get(&PostId(last))?.clone(),
                updated_at: Timestamp(at),
            })
        })
        .collect())
}

/// # Errors
/// [`Error::NotFound`] when it is not hers.
pub async fn mark_read(tx: &mut Tx, me: AccountId, id: ConversationId) -> Result<()> {
    let n = sql!("UPDATE conversations SET unread = FALSE WHERE id = $1 AND account_id = $2")
        .bind(id)
        .bind(me)
        .run(tx)
        .await?;
    if n == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Forgets a conversation; the posts stay.
///
/// # Errors
/// [`Error::NotFound`] when it is not hers.
pub async fn remove(tx: &mut Tx, me: AccountId, id: ConversationId) -> Result<()> {
    let mine =
        sql!("SELECT id FROM conversations WHERE id = $1 AND account_id = $2").bind(id).bind(me).exists(tx).await?;
    if !mine {
        return Err(Error::NotFound);
    }
    sql!("DELETE FROM conversation_posts WHERE conversation_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM conversations WHERE id = $1").bind(id).run(tx).await?;
    Ok(())
}
