//! Who follows whom, who asked to, who blocks and mutes whom.

use domain::account::Account;
use domain::follow::FollowOptions;
use domain::page::Page;
use domain::{AccountId, FollowId, Host, Timestamp, Viewer};

use crate::accounts::{AccountRow, account_columns};
use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::former_readers;
use crate::record::record;
use crate::sql;
use crate::sql::json;
use crate::visible::{listed, paged, shown};

/// A follow, or the request for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    pub id: FollowId,
    /// Who follows.
    pub account_id: AccountId,
    /// Who is followed.
    pub target_id: AccountId,
    /// The `Follow` activity's id.
    pub uri: String,
    pub options: FollowOptions,
    pub created_at: Timestamp,
}

record! {
    struct FollowRow {
        id: i64,
        account_id: i64,
        target_id: i64,
        uri: String,
        show_boosts: bool,
        notify: bool,
        languages: String,
        created_at: i64,
    }
}

impl From<FollowRow> for Follow {
    fn from(r: FollowRow) -> Self {
        Self {
            id: FollowId(r.id),
            account_id: AccountId(r.account_id),
            target_id: AccountId(r.target_id),
            uri: r.uri,
            options: FollowOptions {
                show_boosts: r.show_boosts,
                notify: r.notify,
                languages: serde_json::from_str(&r.languages).unwrap_or_default(),
            },
            created_at: Timestamp(r.created_at),
        }
    }
}

macro_rules! follow_columns {
    () => {
        "id, account_id, target_id, uri, show_boosts, notify, languages, created_at"
    };
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn find(conn: &mut Conn, account: AccountId, target: AccountId) -> Result<Option<Follow>> {
    let row = sql!(concat!("SELECT ", follow_columns!(), " FROM follows WHERE account_id = $1 AND target_id = $2"))
        .bind(account)
        .bind(target)
        .maybe::<FollowRow>(conn)
        .await?;
    Ok(row.map(Follow::from))
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn find_request(conn: &mut Conn, account: AccountId, target: AccountId) -> Result<Option<Follow>> {
    let row =
        sql!(concat!("SELECT ", follow_columns!(), " FROM follow_requests WHERE account_id = $1 AND target_id = $2"))
            .bind(account)
            .bind(target)
            .maybe::<FollowRow>(conn)
            .await?;
    Ok(row.map(Follow::from))
}

/// A follow by the id of its activity.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn by_uri(conn: &mut Conn, uri: &str) -> Result<Option<Follow>> {
    let row = sql!(concat!("SELECT ", follow_columns!(), " FROM follows WHERE uri = $1 LIMIT 1"))
        .bind(uri)
        .maybe::<FollowRow>(conn)
        .await?;
    Ok(row.map(Follow::from))
}

/// A request by the id of its activity.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn request_by_uri(conn: &mut Conn, uri: &str) -> Result<Option<Follow>> {
    let row = sql!(concat!("SELECT ", follow_columns!(), " FROM follow_requests WHERE uri = $1 LIMIT 1"))
        .bind(uri)
        .maybe::<FollowRow>(conn)
        .await?;
    Ok(row.map(Follow::from))
}

/// Follows and requests have the same columns but one: `by_member` lets the followers here of somebody who is followed
/// by thousands elsewhere be found without a look at the others. Writes one into `$table`, or its options and uri
/// where it exists.
macro_rules! write_follow {
    ($tx:expr, $f:expr, $table:literal, $column:literal, $value:literal) => {{
        let (tx, f): (&mut Tx, &Follow) = ($tx, $f);
        let languages = json(&f.options.languages)?;
        let inserted = sql!(concat!(
            "INSERT INTO ",
            $table,
            " (id, account_id, target_id, uri, show_boosts, notify, languages, created_at",
            $column,
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8",
            $value,
            ") ON CONFLICT (account_id, target_id) DO NOTHING"
        ))
        .bind(f.id)
        .bind(f.account_id)
        .bind(f.target_id)
        .bind(&f.uri)
        .bind(f.options.show_boosts)
        .bind(f.options.notify)
        .bind(languages.clone())
        .bind(f.created_at)
        .run(tx)
        .await?;
        if inserted == 0 {
            sql!(concat!(
                "UPDATE ",
                $table,
                " SET uri = $3, show_boosts = $4, notify = $5, languages = $6 WHERE account_id = $1 AND target_id = $2"
            ))
            .bind(f.account_id)
            .bind(f.target_id)
            .bind(&f.uri)
            .bind(f.options.show_boosts)
            .bind(f.options.notify)
            .bind(languages)
            .run(tx)
            .await?;
        }
        Ok(inserted > 0)
    }};
}

/// Writes a follow; when it exists, its options and uri. `true` when it is new: then both counters are due.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn insert(tx: &mut Tx, f: &Follow) -> Result<bool> {
    write_follow!(tx, f, "follows", ", by_member", ", EXISTS (SELECT 1 FROM members WHERE account_id = $2)")
}

/// Writes a request; when it exists, its options and uri. `true` when it is new.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn insert_request(tx: &mut Tx, f: &Follow) -> Result<bool> {
    write_follow!(tx, f, "follow_requests", "", "")
}

/// Ends a follow; `true` when there was one: then both counters are due. Where the follower's copies are is kept.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove(tx: &mut Tx, account: AccountId, target: AccountId) -> Result<bool> {
    former_readers::of_follow(tx, account, target).await?;
    let n =
        sql!("DELETE FROM follows WHERE account_id = $1 AND target_id = $2").bind(account).bind(target).run(tx).await?;
    Ok(n > 0)
}

/// Takes a request back, or answers it; `true` when there was one.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_request(tx: &mut Tx, account: AccountId, target: AccountId) -> Result<bool> {
    let n = sql!("DELETE FROM follow_requests WHERE account_id = $1 AND target_id = $2")
        .bind(account)
        .bind(target)
        .run(tx)
        .await?;
    Ok(n > 0)
}

/// An entry of a list of accounts and the id it pages by.
pub type AccountEntry = (i64, AccountId);

fn newest_first(page: &Page, rows: Vec<(i64, i64)>) -> Vec<AccountEntry> {
    page.newest_first(rows).into_iter().map(|(id, account)| (id, AccountId(account))).collect()
}

macro_rules! account_list {
    ($conn:expr, $owner:expr, $page:expr, $head:expr, $id:literal) => {{
        let page: &Page = $page;
        let query = paged!(page, $head, $id);
        let rows =
            query.bind($owner).bind(page.below()).bind(page.above()).bind(page.limit).all::<(i64, i64)>($conn).await?;
        Ok(newest_first(page, rows))
    }};
}

/// Who follows her. Paged by the follow's id, which comes first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn followers(conn: &mut Conn, of: AccountId, page: &Page) -> Result<Vec<AccountEntry>> {
    account_list!(
        conn,
        of,
        page,
        concat!(
            "SELECT f.id, f.account_id FROM follows f JOIN accounts a ON a.id = f.account_id
             WHERE f.target_id = $1 AND ",
            listed!("a")
        ),
        "f.id"
    )
}

/// Whom she follows. Paged by the follow's id, which comes first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn following(conn: &mut Conn, of: AccountId, page: &Page) -> Result<Vec<AccountEntry>> {
    account_list!(
        conn,
        of,
        page,
        concat!(
            "SELECT f.id, f.target_id FROM follows f JOIN accounts a ON a.id = f.target_id
             WHERE f.account_id = $1 AND ",
            listed!("a")
        ),
        "f.id"
    )
}

/// Who asked to follow her and waits.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn requests_to(conn: &mut Conn, target: AccountId, page: &Page) -> Result<Vec<AccountEntry>> {
    account_list!(
        conn,
        target,
        page,
        concat!(
            "SELECT f.id, f.account_id FROM follow_requests f JOIN accounts a ON a.id = f.account_id
             WHERE f.target_id = $1 AND ",
            listed!("a")
        ),
        "f.id"
    )
}

/// Accounts of other servers that a member asked to follow and that did not answer, and the `Follow`s' ids.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn requests_elsewhere(conn: &mut Conn, account: AccountId) -> Result<Vec<(AccountId, String)>> {
    let rows = sql!(
        "SELECT r.target_id, r.uri FROM follow_requests r JOIN accounts a ON a.id = r.target_id
         WHERE r.account_id = $1 AND a.domain <> '' ORDER BY r.id"
    )
    .bind(account)
    .all::<(i64, String)>(conn)
    .await?;
    Ok(rows.into_iter().map(|(target, uri)| (AccountId(target), uri)).collect())
}

/// Whom she blocks.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn blocked_by(conn: &mut Conn, me: AccountId, page: &Page) -> Result<Vec<AccountEntry>> {
    account_list!(
        conn,
        me,
        page,
        concat!(
            "SELECT b.id, b.target_id FROM blocks b JOIN accounts a ON a.id = b.target_id WHERE b.account_id = $1 AND ",
            shown!("a")
        ),
        "b.id"
    )
}

/// Whom she mutes, with when the mute ends.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn muted_by(conn: &mut Conn, me: AccountId, page: &Page) -> Result<Vec<AccountEntry>> {
    account_list!(
        conn,
        me,
        page,
        concat!(
            "SELECT m.id, m.target_id FROM mutes m JOIN accounts a ON a.id = m.target_id WHERE m.account_id = $1 AND ",
            shown!("a")
        ),
        "m.id"
    )
}

/// When her mutes of these accounts end; `None` = never.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn mute_expiries(
    conn: &mut Conn,
    me: AccountId,
    targets: &[AccountId],
) -> Result<Vec<(AccountId, Option<Timestamp>)>> {
    let rows = sql!("SELECT target_id, expires_at FROM mutes WHERE account_id = $1 AND target_id = ANY($2)")
        .bind(me)
        .bind(targets)
        .all::<(i64, Option<i64>)>(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, at)| (AccountId(id), at.map(Timestamp))).collect())
}

/// Is the viewer a follower of the account, accepted?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn is_following(conn: &mut Conn, viewer: Viewer, target: AccountId) -> Result<bool> {
    let Some(me) = viewer.account() else { return Ok(false) };
    sql!("SELECT id FROM follows WHERE account_id = $1 AND target_id = $2").bind(me).bind(target).exists(conn).await
}

/// Followers that are looked through one by one; of who has more, the accounts of a domain are.
const MANY: i64 = 1_000;

/// Does any account of a domain follow the account? (May that server fetch what is for followers?)
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn has_follower_at(conn: &mut Conn, target: AccountId, domain: &Host) -> Result<bool> {
    let few = sql!("SELECT count(*) FROM (SELECT 1 FROM follows f WHERE f.target_id = $1 LIMIT $2) AS few");
    let query = if few.bind(target).bind(MANY).count(conn).await? < MANY {
        sql!(
            "SELECT f.id FROM (SELECT id, account_id FROM follows WHERE target_id = $1 LIMIT $3) AS f
             WHERE EXISTS (SELECT 1 FROM accounts a WHERE a.id = f.account_id AND a.domain = $2) LIMIT 1"
        )
        .bind(target)
        .bind(domain)
        .bind(MANY)
    } else {
        sql!(
            "SELECT a.id FROM accounts a WHERE a.domain = $2
               AND EXISTS (SELECT 1 FROM follows f WHERE f.account_id = a.id AND f.target_id = $1) LIMIT 1"
        )
        .bind(target)
        .bind(domain)
    };
    query.exists(conn).await
}

/// Does `account` block `target`?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn is_blocking(conn: &mut Conn, account: AccountId, target: AccountId) -> Result<bool> {
    sql!("SELECT id FROM blocks WHERE account_id = $1 AND target_id = $2").bind(account).bind(target).exists(conn).await
}

/// Who hears of an account's posts beside those they name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Members asked to hear of each ([`crate::notifications::watchers`]).
    pub is_watched: bool,
    /// Somebody elsewhere follows it.
    pub is_elsewhere: bool,
}

/// Who hears of an account's posts?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn reach(conn: &mut Conn, of: AccountId) -> Result<Reach> {
    let (is_watched, is_elsewhere) = sql!(
        "SELECT EXISTS (SELECT 1 FROM follows WHERE target_id = $1 AND by_member AND notify),
            EXISTS (SELECT 1 FROM follows WHERE target_id = $1 AND NOT by_member)"
    )
    .bind(of)
    .one::<(bool, bool)>(conn)
    .await?;
    Ok(Reach { is_watched, is_elsewhere })
}

/// Does `account` want nothing from `other`: does she block it, or its whole community?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn keeps_away(conn: &mut Conn, account: AccountId, other: AccountId) -> Result<bool> {
    sql!(
        "SELECT id FROM blocks WHERE account_id = $1 AND target_id = $2
         UNION ALL SELECT d.id FROM account_domain_blocks d JOIN accounts a ON a.domain = d.domain
            WHERE d.account_id = $1 AND a.id = $2 LIMIT 1"
    )
    .bind(account)
    .bind(other)
    .exists(conn)
    .await
}

/// Does either of the two block the other?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn is_blocked_either_way(conn: &mut Conn, a: AccountId, b: AccountId) -> Result<bool> {
    sql!("SELECT id FROM blocks WHERE (account_id = $1 AND target_id = $2) OR (account_id = $2 AND target_id = $1) LIMIT 1")
        .bind(a)
        .bind(b)
        .exists(conn)
        .await
}

/// Writes a block; `true` when it is new.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn insert_block(tx: &mut Tx, account: AccountId, target: AccountId, uri: &str) -> Result<bool> {
    let (id, now): (i64, _) = (tx.id(), tx.now());
    let n = sql!(
        "INSERT INTO blocks (id, account_id, target_id, uri, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, target_id) DO NOTHING"
    )
    .bind(id)
    .bind(account)
    .bind(target)
    .bind(uri)
    .bind(now)
    .run(tx)
    .await?;
    Ok(n > 0)
}

/// Ends a block; the `Block` activity's id when there was one.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_block(tx: &mut Tx, account: AccountId, target: AccountId) -> Result<Option<String>> {
    let row = sql!("DELETE FROM blocks WHERE account_id = $1 AND target_id = $2 RETURNING uri")
        .bind(account)
        .bind(target)
        .maybe::<(String,)>(tx)
        .await?;
    Ok(row.map(|(uri,)| uri))
}

/// Writes a mute, or changes it.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn upsert_mute(
    tx: &mut Tx,
    account: AccountId,
    target: AccountId,
    hide_notifications: bool,
    expires_at: Option<Timestamp>,
) -> Result<()> {
    let (id, now): (i64, _) = (tx.id(), tx.now());
    sql!(
        "INSERT INTO mutes (id, account_id, target_id, hide_notifications, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, target_id) DO UPDATE SET hide_notifications = excluded.hide_notifications,
            expires_at = excluded.expires_at"
    )
    .bind(id)
    .bind(account)
    .bind(target)
    .bind(hide_notifications)
    .bind(expires_at)
    .bind(now)
    .run(tx)
    .await?;
    Ok(())
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_mute(tx: &mut Tx, account: AccountId, target: AccountId) -> Result<bool> {
    let n =
        sql!("DELETE FROM mutes WHERE account_id = $1 AND target_id = $2").bind(account).bind(target).run(tx).await?;
    Ok(n > 0)
}

/// Has a mute run out by `now` that was not removed yet? (One look into an index that holds what ends at all.)
///
/// # Errors
/// As [`Error`] says.
pub async fn some_mute_ran_out(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    sql!("SELECT id FROM mutes WHERE expires_at IS NOT NULL AND expires_at <= $1 LIMIT 1").bind(now).exists(conn).await
}

/// Removes mutes that have run out; whose they were.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn expire_mutes(tx: &mut Tx) -> Result<Vec<AccountId>> {
    let now = tx.now();
    sql!("DELETE FROM mutes WHERE expires_at IS NOT NULL AND expires_at <= $1 RETURNING account_id")
        .bind(now)
        .ids(tx)
        .await
}

/// Accounts that the member followed last, of all that are looked through for this.
const FAMILIAR: i64 = 5_000;

/// Followers of an account that the viewer follows too, the latest first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn familiar_followers(conn: &mut Conn, me: AccountId, of: AccountId, limit: i64) -> Result<Vec<Account>> {
    sql!(concat!(
        "SELECT ",
        account_columns!(),
        " FROM (SELECT target_id,
                    (SELECT f.id FROM follows f WHERE f.account_id = last.target_id AND f.target_id = $2) AS since
                FROM (SELECT target_id FROM follows WHERE account_id = $1 ORDER BY id DESC LIMIT $4) AS last LIMIT $4)
                AS mine JOIN accounts a ON a.id = mine.target_id
          WHERE mine.since IS NOT NULL AND NOT a.hide_collections AND ",
        listed!("a"),
        " ORDER BY mine.since DESC LIMIT $3"
    ))
    .bind(me)
    .bind(of)
    .bind(limit)
    .bind(FAMILIAR)
    .all::<AccountRow>(conn)
    .await?
    .into_iter()
    .map(Account::try_from)
    .collect()
}

/// Keeps her private note on somebody; an empty one is forgotten.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn set_note(tx: &mut Tx, me: AccountId, target: AccountId, note: &str) -> Result<()> {
    if note.is_empty() {
        sql!("DELETE FROM account_notes WHERE account_id = $1 AND target_id = $2")
            .bind(me)
            .bind(target)
            .run(tx)
            .await?;
        return Ok(());
    }
    sql!(
        "INSERT INTO account_notes (account_id, target_id, note) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, target_id) DO UPDATE SET note = excluded.note"
    )
    .bind(me)
    .bind(target)
    .bind(note)
    .run(tx)
    .await?;
    Ok(())
}
