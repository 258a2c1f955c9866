//! Members' lists of accounts. Everything asks whose list it is: nobody else's is ever found.

use domain::list::{List, RepliesPolicy};
use domain::page::Page;
use domain::{AccountId, ListId};

use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::record::record;
use crate::sql;
use crate::visible::{paged, shown};

record! {
    struct ListRow {
        id: i64,
        account_id: i64,
        title: String,
        replies_policy: String,
        exclusive: bool,
    }
}

impl From<ListRow> for List {
    fn from(r: ListRow) -> Self {
        Self {
            id: ListId(r.id),
            account_id: AccountId(r.account_id),
            title: r.title,
            replies_policy: RepliesPolicy::parse(&r.replies_policy).unwrap_or_default(),
            exclusive: r.exclusive,
        }
    }
}

/// Her lists, oldest first.
///
/// # Errors
/// As [`Error`] says.
pub async fn of(conn: &mut Conn, owner: AccountId) -> Result<Vec<List>> {
    let rows =
        sql!("SELECT id, account_id, title, replies_policy, exclusive FROM lists WHERE account_id = $1 ORDER BY id")
            .bind(owner)
            .all::<ListRow>(conn)
            .await?;
    Ok(rows.into_iter().map(List::from).collect())
}

/// Those of her lists that the account is on.
///
/// # Errors
/// As [`Error`] says.
pub async fn with(conn: &mut Conn, owner: AccountId, member: AccountId) -> Result<Vec<List>> {
    let rows = sql!(
        "SELECT l.id, l.account_id, l.title, l.replies_policy, l.exclusive
         FROM lists l JOIN list_members m ON m.list_id = l.id
         WHERE l.account_id = $1 AND m.account_id = $2 ORDER BY l.id"
    )
    .bind(owner)
    .bind(member)
    .all::<ListRow>(conn)
    .await?;
    Ok(rows.into_iter().map(List::from).collect())
}

/// # Errors
/// [`Error::NotFound`] when she has no such list.
pub async fn get(conn: &mut Conn, owner: AccountId, id: ListId) -> Result<List> {
    sql!("SELECT id, account_id, title, replies_policy, exclusive FROM lists WHERE id = $2 AND account_id = $1")
        .bind(owner)
        .bind(id)
        .one::<ListRow>(conn)
        .await
        .map(List::from)
}

/// How many lists she has.
///
/// # Errors
/// As [`Error`] says.
pub async fn count(conn: &mut Conn, owner: AccountId) -> Result<i64> {
    sql!("SELECT count(*) FROM lists WHERE account_id = $1").bind(owner).count(conn).await
}

/// # Errors
/// As [`Error`] says.
pub async fn insert(tx: &mut Tx, list: &List) -> Result<()> {
    sql!("INSERT INTO lists (id, account_id, title, replies_policy, exclusive) VALUES ($1, $2, $3, $4, $5)")
        .bind(list.id)
        .bind(list.account_id)
        .bind(&list.title)
        .bind(list.replies_policy.as_str())
        .bind(list.exclusive)
        .run(tx)
        .await?;
    Ok(())
}

/// # Errors
/// [`Error::NotFound`] when its owner has no such list.
pub async fn update(tx: &mut Tx, list: &List) -> Result<()> {
    let n = sql!("UPDATE lists SET title = $3, replies_policy = $4, exclusive = $5 WHERE id = $2 AND account_id = $1")
        .bind(list.account_id)
        .bind(list.id)
        .bind(&list.title)
        .bind(list.replies_policy.as_str())
        .bind(list.exclusive)
        .run(tx)
        .await?;
    if n == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// # Errors
/// [`Error::NotFound`] when she has no such list.
pub async fn delete(tx: &mut Tx, owner: AccountId, id: ListId) -> Result<()> {
    get(tx, owner, id).await?;
    sql!("DELETE FROM list_members WHERE list_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM lists WHERE id = $1").bind(id).run(tx).await?;
    Ok(())
}

/// Puts accounts on a list; those that are on it stay.
///
/// # Errors
/// As [`Error`] says.
pub async fn add(tx: &mut Tx, id: ListId, accounts: &[AccountId]) -> Result<()> {
    for account in accounts {
        sql!("INSERT INTO list_members (list_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(*account)
            .run(tx)
            .await?;
    }
    Ok(())
}

/// Takes accounts off a list.
///
/// # Errors
/// As [`Error`] says.
pub async fn remove(tx: &mut Tx, id: ListId, accounts: &[AccountId]) -> Result<()> {
    sql!("DELETE FROM list_members WHERE list_id = $1 AND account_id = ANY($2)")
        .bind(id)
        .bind(accounts)
        .run(tx)
        .await?;
    Ok(())
}

/// Takes an account off every list of hers: she follows it no more.
///
/// # Errors
/// As [`Error`] says.
pub async fn remove_everywhere(tx: &mut Tx, owner: AccountId, member: AccountId) -> Result<()> {
    sql!("DELETE FROM list_members WHERE account_id = $2 AND list_id IN (SELECT id FROM lists WHERE account_id = $1)")
        .bind(owner)
        .bind(member)
        .run(tx)
        .await?;
    Ok(())
}

/// Who is on the list, newest account first; pages by account id.
///
/// # Errors
/// As [`Error`] says.
pub async fn members(conn: &mut Conn, id: ListId, page: &Page) -> Result<Vec<AccountId>> {
    let query = paged!(
        page,
        concat!(
            "SELECT m.account_id FROM list_members m JOIN accounts a ON a.id = m.account_id WHERE m.list_id = $1 AND ",
            shown!("a")
        ),
        "m.account_id"
    );
    let ids: Vec<AccountId> = query.bind(id).bind(page.below()).bind(page.above()).bind(page.limit).ids(conn).await?;
    let ids = page.newest_first(ids);
    Ok(ids)
}

/// Everybody on the list.
///
/// # Errors
/// As [`Error`] says.
pub async fn all_members(conn: &mut Conn, id: ListId) -> Result<Vec<AccountId>> {
    sql!("SELECT account_id FROM list_members WHERE list_id = $1").bind(id).ids(conn).await
}

/// Which of the accounts may be put on her lists: those she follows, and herself.
///
/// # Errors
/// As [`Error`] says.
pub async fn followed_among(conn: &mut Conn, owner: AccountId, accounts: &[AccountId]) -> Result<Vec<AccountId>> {
    sql!(
        "SELECT id FROM accounts WHERE id = ANY($2) AND deleted_at IS NULL AND (id = $1
            OR id IN (SELECT target_id FROM follows WHERE account_id = $1)
            OR id IN (SELECT target_id FROM follow_requests WHERE account_id = $1))"
    )
    .bind(owner)
    .bind(accounts)
    .ids(conn)
    .await
}
