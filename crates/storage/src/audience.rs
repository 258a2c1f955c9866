//! Asked for many members at once: who of them may see a post, who wants to, on whose lists its author is.

use domain::{AccountId, ListId, PostId};

use crate::db::Conn;
use crate::error::Result;
use crate::sql;
use crate::visible::{meant, visible, wanted};

/// Those of these members who may see the post, and what it boosts.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn seen_by(conn: &mut Conn, id: PostId, among: &[AccountId]) -> Result<Vec<AccountId>> {
    sql!(concat!(
        "SELECT m.account_id FROM members m JOIN posts p ON p.id = $1 WHERE m.account_id = ANY($2) AND ",
        visible!("p" to "m.account_id"),
        " AND (p.boost_of_id IS NULL OR EXISTS (SELECT 1 FROM posts o WHERE o.id = p.boost_of_id AND ",
        visible!("o" to "m.account_id"),
        "))"
    ))
    .bind(id)
    .bind(among)
    .ids(conn)
    .await
}

/// Those of these members who may not see the post.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn hidden_from(conn: &mut Conn, id: PostId, among: &[AccountId]) -> Result<Vec<AccountId>> {
    sql!(concat!(
        "SELECT m.account_id FROM members m JOIN posts p ON p.id = $1 WHERE m.account_id = ANY($2) AND NOT ",
        visible!("p" to "m.account_id")
    ))
    .bind(id)
    .bind(among)
    .ids(conn)
    .await
}

/// Those of these members who had a deleted post, wherever it stood: it was for them, and neither they nor its author
/// block the other.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn had(conn: &mut Conn, id: PostId, among: &[AccountId]) -> Result<Vec<AccountId>> {
    sql!(concat!(
        "SELECT m.account_id FROM members m JOIN posts p ON p.id = $1 WHERE m.account_id = ANY($2) AND ",
        meant!("p" to "m.account_id"),
        " AND NOT EXISTS (
            SELECT 1 FROM blocks b WHERE b.account_id = m.account_id AND b.target_id = p.account_id LIMIT 1 OFFSET 0)"
    ))
    .bind(id)
    .bind(among)
    .ids(conn)
    .await
}

/// Those of these members who find on public timelines what an account says to all: it does not block them, and they
/// want to see it.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn wanted_by(conn: &mut Conn, author: AccountId, among: &[AccountId]) -> Result<Vec<AccountId>> {
    sql!(concat!(
        "SELECT m.account_id FROM members m JOIN accounts a ON a.id = $1 WHERE m.account_id = ANY($2)
           AND NOT EXISTS (
                SELECT 1 FROM blocks b WHERE b.account_id = $1 AND b.target_id = m.account_id LIMIT 1 OFFSET 0)
           AND ",
        wanted!("a" to "m.account_id")
    ))
    .bind(author)
    .bind(among)
    .ids(conn)
    .await
}

/// Those of the lists that the account is on.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn lists_with(conn: &mut Conn, account: AccountId, among: &[ListId]) -> Result<Vec<ListId>> {
    sql!("SELECT list_id FROM list_members WHERE account_id = $1 AND list_id = ANY($2)")
        .bind(account)
        .bind(among)
        .ids(conn)
        .await
}
