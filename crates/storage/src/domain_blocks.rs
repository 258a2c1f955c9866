//! Communities that a member wants to see nothing of: exactly these domains, not those below them. Her decision alone,
//! for her alone; what the community decided is in [`crate::domains`]. Lists of posts leave them out by `visible`.

use domain::page::Page;
use domain::{AccountId, Host};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;
use crate::visible::paged;

/// Her blocked domains, the latest first, with the ids that the list pages by.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn list(conn: &mut Conn, me: AccountId, page: &Page) -> Result<Vec<(i64, Host)>> {
    let query = paged!(page, "SELECT d.id, d.domain FROM account_domain_blocks d WHERE d.account_id = $1", "d.id");
    let rows = query.bind(me).bind(page.below()).bind(page.above()).bind(page.limit).all::<(i64, Host)>(conn).await?;
    Ok(page.newest_first(rows))
}

/// `true` when it is new.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn insert(tx: &mut Tx, me: AccountId, domain: &Host) -> Result<bool> {
    let id: i64 = tx.id();
    let n =
        sql!("INSERT INTO account_domain_blocks (account_id, domain, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(me)
            .bind(domain)
            .bind(id)
            .run(tx)
            .await?;
    Ok(n > 0)
}

/// `true` when there was one.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove(tx: &mut Tx, me: AccountId, domain: &Host) -> Result<bool> {
    let n = sql!("DELETE FROM account_domain_blocks WHERE account_id = $1 AND domain = $2")
        .bind(me)
        .bind(domain)
        .run(tx)
        .await?;
    Ok(n > 0)
}

/// Does she want to see nothing of the domain?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn is_blocked(conn: &mut Conn, me: AccountId, domain: &Host) -> Result<bool> {
    sql!("SELECT id FROM account_domain_blocks WHERE account_id = $1 AND domain = $2")
        .bind(me)
        .bind(domain)
        .exists(conn)
        .await
}

/// Those of a domain who follow her, or asked to, with the `Follow`'s id.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn followers_at(conn: &mut Conn, me: AccountId, domain: &Host) -> Result<Vec<(AccountId, String)>> {
    let rows = sql!(
        "SELECT f.account_id, f.uri FROM follows f JOIN accounts a ON a.id = f.account_id
         WHERE f.target_id = $1 AND a.domain = $2
         UNION SELECT r.account_id, r.uri FROM follow_requests r JOIN accounts a ON a.id = r.account_id
         WHERE r.target_id = $1 AND a.domain = $2"
    )
    .bind(me)
    .bind(domain)
    .all::<(i64, String)>(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, uri)| (AccountId(id), uri)).collect())
}

/// Those of a domain whom she follows, or asked to.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn followed_at(conn: &mut Conn, me: AccountId, domain: &Host) -> Result<Vec<AccountId>> {
    sql!(
        "SELECT f.target_id FROM follows f JOIN accounts a ON a.id = f.target_id
         WHERE f.account_id = $1 AND a.domain = $2
         UNION SELECT r.target_id FROM follow_requests r JOIN accounts a ON a.id = r.target_id
         WHERE r.account_id = $1 AND a.domain = $2"
    )
    .bind(me)
    .bind(domain)
    .ids(conn)
    .await
}

/// Takes what she was told of accounts of a domain away.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn clear_notifications(tx: &mut Tx, me: AccountId, domain: &Host) -> Result<()> {
    sql!(
        "DELETE FROM notifications WHERE account_id = $1
           AND from_account_id IN (SELECT id FROM accounts WHERE domain = $2)"
    )
    .bind(me)
    .bind(domain)
    .run(tx)
    .await?;
    Ok(())
}
