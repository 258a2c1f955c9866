//! Members' views of private discussions: one per discussion and set of people. Written by `app::fanout` alone.

use std::collections::HashMap;

use domain::page::Page;
use domain::view::{ConversationView, PostView};
use domain::{AccountId, ConversationId, PostId, ThreadId, Timestamp, Viewer};

use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::hydrate;
use crate::record::record;
use crate::sql;
use crate::visible::visible;
use crate::walks::{Entry, Part, walk};

fn key(participants: &[AccountId]) -> String {
    let mut ids: Vec<i64> = participants.iter().map(|a| a.0).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// The author of post `p` blocks the member of conversation `k`, who is to notice nothing of it.
macro_rules! kept_from_member {
    () => {
        "EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = p.account_id AND b.target_id = k.account_id)"
    };
}

/// Where a post was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filed {
    pub conversation: ConversationId,
    /// The member is told. Not of what somebody wrote who blocks the member: it moves and marks nothing.
    pub told: bool,
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
) -> Result<Filed> {
    let (thread, post) = post;
    let (id, now): (ConversationId, _) = (tx.id(), tx.now());
    let kept = sql!(
        "SELECT b.id FROM posts p JOIN blocks b ON b.account_id = p.account_id WHERE p.id = $1 AND b.target_id = $2"
    );
    let told = !kept.bind(post).bind(owner).exists(tx).await?;
    let (id,) = sql!(
        "INSERT INTO conversations (id, account_id, thread_id, participants, unread, updated_at, last_post_id)
         VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $9 THEN $8 ELSE 0 END)
         ON CONFLICT (account_id, thread_id, participants) DO UPDATE SET
            unread = CASE WHEN $9 THEN $5 OR ($7 AND conversations.unread) ELSE conversations.unread END,
            updated_at = CASE WHEN $9 THEN $6 ELSE conversations.updated_at END,
            last_post_id = CASE WHEN conversations.last_post_id > excluded.last_post_id THEN conversations.last_post_id
                ELSE excluded.last_post_id END
         RETURNING id"
    )
    .bind(id)
    .bind(owner)
    .bind(thread)
    .bind(key(others))
    .bind(unread && told)
    .bind(now)
    .bind(moved)
    .bind(post)
    .bind(told)
    .one::<(i64,)>(tx)
    .await?;
    sql!("INSERT INTO conversation_posts (conversation_id, post_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(post)
        .run(tx)
        .await?;
    Ok(Filed { conversation: ConversationId(id), told })
}

/// A conversation that a post was taken out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub owner: AccountId,
    pub conversation: ConversationId,
    pub unread: bool,
    /// As [`Filed::told`].
    pub told: bool,
}

/// Takes a post out of every conversation; an emptied one goes with it. Whose changed.
///
/// # Errors
/// As [`Error`] says.
pub async fn remove_post(tx: &mut Tx, post: PostId) -> Result<Vec<Left>> {
    let touched = sql!(concat!(
        "SELECT k.account_id, k.id, k.unread, ",
        kept_from_member!(),
        " FROM conversation_posts cp JOIN conversations k ON k.id = cp.conversation_id JOIN posts p ON p.id = cp.post_id
          WHERE cp.post_id = $1"
    ))
    .bind(post)
    .all::<(i64, i64, bool, bool)>(tx)
    .await?;
    for (_, id, _, _) in &touched {
        sql!("DELETE FROM conversation_posts WHERE conversation_id = $1 AND post_id = $2")
            .bind(*id)
            .bind(post)
            .run(tx)
            .await?;
        sql!(concat!(
            "UPDATE conversations AS k SET last_post_id = coalesce((
                SELECT cp.post_id FROM conversation_posts cp JOIN posts p ON p.id = cp.post_id
                WHERE cp.conversation_id = k.id AND NOT ",
            kept_from_member!(),
            " ORDER BY cp.post_id DESC LIMIT 1), 0)
             WHERE id = $1 AND last_post_id = $2"
        ))
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
    let left = |(owner, id, unread, kept): (i64, i64, bool, bool)| Left {
        owner: AccountId(owner),
        conversation: ConversationId(id),
        unread,
        told: !kept,
    };
    Ok(touched.into_iter().map(left).collect())
}

record! {
    struct ConversationRow {
        id: i64,
        participants: String,
        /// The newest post of it that the member may see.
        shown_id: Option<i64>,
        unread: bool,
        updated_at: i64,
        last_post_id: i64,
    }
}

impl Entry for ConversationRow {
    fn cursor(&self) -> i64 {
        self.last_post_id
    }
}

/// The columns of a conversation `k`, for member `$1`.
macro_rules! columns {
    () => {
        concat!(
            "k.id, k.participants, (SELECT cp.post_id FROM conversation_posts cp JOIN posts p ON p.id = cp.post_id
                WHERE cp.conversation_id = k.id AND ",
            visible!("p"),
            " ORDER BY cp.post_id DESC LIMIT 1) AS shown_id, k.unread, k.updated_at, k.last_post_id"
        )
    };
}

/// The member may see a post of conversation `k`.
macro_rules! shows_something {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM conversation_posts cp JOIN posts p ON p.id = cp.post_id
                WHERE cp.conversation_id = k.id AND ",
            visible!("p"),
            ")"
        )
    };
}

/// Conversations that one statement looks at, and statements for a page.
const LOOKS: i64 = 200;
const TURNS: u32 = 4;

/// A member's conversations, the one with the newest post first. Pages by the id of that post, whether or not it may
/// be seen now. (What somebody writes who blocks the member moves nothing.)
///
/// # Errors
/// As [`Error`] says.
pub async fn list(conn: &mut Conn, me: AccountId, page: &Page) -> Result<Part<ConversationEntry>> {
    let walk = walk!(
        entries columns!(), "conversations" "k" on "k.account_id = $1 AND k.last_post_id = c.id";
        LOOKS, TURNS,
        "SELECT DISTINCT" "x.last_post_id" from "conversations x WHERE x.account_id = $1",
        shows_something!()
    );
    let part = walk.part::<ConversationRow>(conn, me.0, page, &[], &[]).await?;
    let (rows, reached) = part.split();
    let cursors: HashMap<i64, i64> = rows.iter().map(|row| (row.id, row.last_post_id)).collect();
    let views = views(conn, me, rows).await?;
    let entries = views
        .into_iter()
        .map(|view| ConversationEntry { cursor: cursors.get(&view.id.0).copied().unwrap_or_default(), view })
        .collect();
    Ok(Part::new(entries, reached))
}

/// A conversation in a list.
#[derive(Debug, Clone)]
pub struct ConversationEntry {
    pub view: ConversationView,
    cursor: i64,
}

impl Entry for ConversationEntry {
    fn cursor(&self) -> i64 {
        self.cursor
    }
}

/// # Errors
/// [`Error::NotFound`] when it is not hers, or she may see nothing of it any more.
pub async fn get(conn: &mut Conn, me: AccountId, id: ConversationId) -> Result<ConversationView> {
    let row = sql!(concat!("SELECT ", columns!(), " FROM conversations k WHERE k.account_id = $1 AND k.id = $2"))
        .bind(me)
        .bind(id)
        .one::<ConversationRow>(conn)
        .await?;
    views(conn, me, vec![row]).await?.pop().ok_or(Error::NotFound)
}

async fn views(conn: &mut Conn, me: AccountId, rows: Vec<ConversationRow>) -> Result<Vec<ConversationView>> {
    let participants = |text: &str| -> Vec<AccountId> { text.split(',').filter_map(|id| id.parse().ok()).collect() };
    let mut people: Vec<AccountId> = rows.iter().flat_map(|r| participants(&r.participants)).chain([me]).collect();
    people.sort();
    people.dedup();
    let accounts = hydrate::account_views(conn, &people).await?;
    let ids: Vec<PostId> = rows.iter().filter_map(|r| r.shown_id).map(PostId).collect();
    let posts: HashMap<PostId, PostView> =
        hydrate::posts(conn, Viewer::Account(me), &ids).await?.into_iter().map(|p| (p.id(), p)).collect();
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let others = participants(&row.participants);
            let mut shown: Vec<_> = others.iter().filter_map(|a| accounts.get(a).cloned()).collect();
            if shown.is_empty() {
                // As in Mastodon: apps show a conversation by its accounts.
                shown.extend(accounts.get(&me).cloned());
            }
            Some(ConversationView {
                id: ConversationId(row.id),
                unread: row.unread,
                accounts: shown,
                last_post: posts.get(&PostId(row.shown_id?))?.clone(),
                updated_at: Timestamp(row.updated_at),
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
