//! The private half of local accounts: how a member signs in, what she may do, what she prefers.
//!
//! Rows are written with an account of the same id and go when it is deleted. Password hashes and private keys
//! leave this file only through [`Member::password_hash`] and [`private_key`].

use std::sync::Arc;

use domain::account::{Account, Credentials, Member, MemberPreferences, Role};
use domain::page::Page;
use domain::view::AccountView;
use domain::{AccountId, InviteId, Timestamp};

use crate::accounts::{self, AccountRow, account_columns};
use crate::counts;
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::hydrate;
use crate::record::record;
use crate::sql;
use crate::sql::json;
use crate::visible::paged;

macro_rules! member_columns {
    () => {
        "m.account_id, m.email, m.password_hash, m.role, m.locale, m.approved_at, m.confirmed_at, m.disabled_at,
         m.sign_up_reason, m.preferences, m.created_at AS member_since, m.last_active_at, m.credentials_version"
    };
}

record! {
    struct MemberRow {
        account_id: i64,
        email: String,
        password_hash: Option<String>,
        role: String,
        locale: String,
        approved_at: Option<i64>,
        confirmed_at: Option<i64>,
        disabled_at: Option<i64>,
        sign_up_reason: String,
        preferences: String,
        member_since: i64,
        last_active_at: Option<i64>,
        credentials_version: i64,
    }
}

impl TryFrom<MemberRow> for Member {
    type Error = Error;

    fn try_from(r: MemberRow) -> Result<Self> {
        Ok(Self {
            account_id: AccountId(r.account_id),
            email: r.email,
            password_hash: r.password_hash,
            role: Role::parse(&r.role).unwrap_or_default(),
            locale: r.locale,
            approved_at: r.approved_at.map(Timestamp),
            confirmed_at: r.confirmed_at.map(Timestamp),
            disabled_at: r.disabled_at.map(Timestamp),
            sign_up_reason: r.sign_up_reason,
            preferences: serde_json::from_str(&r.preferences)?,
            created_at: Timestamp(r.member_since),
            last_active_at: r.last_active_at.map(Timestamp),
            credentials_version: r.credentials_version,
        })
    }
}

record! {
    struct BothRow {
        account: AccountRow,
        member: MemberRow,
    }
}

fn both(row: BothRow) -> Result<(Account, Member)> {
    Ok((row.account.try_into()?, row.member.try_into()?))
}

/// # Errors
/// [`Error::NotFound`] when the account is no member (remote, or deleted).
pub async fn get(conn: &mut Conn, id: AccountId) -> Result<Member> {
    sql!(concat!("SELECT ", member_columns!(), " FROM members m WHERE m.account_id = $1"))
        .bind(id)
        .one::<MemberRow>(conn)
        .await?
        .try_into()
}

/// A member whose row stays as it is until the transaction ends: whoever changes password, role or standing waits.
/// To decide by it and write what follows from the decision.
///
/// # Errors
/// [`Error::NotFound`] when the account is no member (remote, or deleted).
pub async fn locked(tx: &mut Tx, id: AccountId) -> Result<Member> {
    // The account first, as whoever writes for a member does.
    accounts::lock(tx, id).await?;
    sql!(
        sqlite: concat!("SELECT ", member_columns!(), " FROM members m WHERE m.account_id = $1"),
        postgres: concat!("SELECT ", member_columns!(), " FROM members m WHERE m.account_id = $1 FOR NO KEY UPDATE"),
    )
    .bind(id)
    .one::<MemberRow>(tx)
    .await?
    .try_into()
}

/// As [`locked`], if the member's credentials are those that something was judged by; `None` when they changed since.
///
/// # Errors
/// As [`Error`] says.
pub async fn unchanged(tx: &mut Tx, judged: Credentials) -> Result<Option<Member>> {
    match locked(tx, judged.account).await {
        Ok(member) => Ok((member.credentials() == judged).then_some(member)),
        Err(Error::NotFound) => Ok(None),
        Err(e) => Err(e),
    }
}

/// A member as she sees herself.
#[derive(Debug, Clone)]
pub struct Herself {
    pub view: Arc<AccountView>,
    pub member: Member,
    /// How many ask to follow her.
    pub follow_requests: i64,
}

record! {
    struct HerselfRow {
        version: i64,
        follow_requests: i64,
        member: MemberRow,
    }
}

/// # Errors
/// [`Error::NotFound`] when the account is no member (remote, or deleted).
pub async fn herself(conn: &mut Conn, id: AccountId) -> Result<Herself> {
    let row = sql!(concat!(
        "SELECT a.version, (SELECT count(*) FROM follow_requests WHERE target_id = $1) AS follow_requests, ",
        member_columns!(),
        " FROM members m JOIN accounts a ON a.id = m.account_id WHERE m.account_id = $1"
    ))
    .bind(id)
    .one::<HerselfRow>(conn)
    .await?;
    let view = hydrate::account_in_version(conn, id, row.version).await?;
    Ok(Herself { view, member: row.member.try_into()?, follow_requests: row.follow_requests })
}

/// A member with her account, suspended ones too.
///
/// # Errors
/// [`Error::NotFound`] when the account is no member (remote, or deleted).
pub async fn with_account(conn: &mut Conn, id: AccountId) -> Result<(Account, Member)> {
    let row = sql!(concat!(
        "SELECT ",
        account_columns!(),
        ", ",
        member_columns!(),
        " FROM members m JOIN accounts a ON a.id = m.account_id WHERE m.account_id = $1 AND a.deleted_at IS NULL"
    ))
    .bind(id)
    .one::<BothRow>(conn)
    .await?;
    both(row)
}

/// By e-mail address, without regard to case.
///
/// # Errors
/// As [`Error`] says.
pub async fn by_email(conn: &mut Conn, email: &str) -> Result<Option<(Account, Member)>> {
    sql!(concat!(
        "SELECT ",
        account_columns!(),
        ", ",
        member_columns!(),
        " FROM members m JOIN accounts a ON a.id = m.account_id
         WHERE lower(m.email) = lower($1) AND a.deleted_at IS NULL"
    ))
    .bind(email)
    .maybe::<BothRow>(conn)
    .await?
    .map(both)
    .transpose()
}

/// By local username, without regard to case.
///
/// # Errors
/// As [`Error`] says.
pub async fn by_username(conn: &mut Conn, username: &str) -> Result<Option<(Account, Member)>> {
    sql!(concat!(
        "SELECT ",
        account_columns!(),
        ", ",
        member_columns!(),
        " FROM accounts a JOIN members m ON m.account_id = a.id
         WHERE lower(a.username) = lower($1) AND a.domain = '' AND a.deleted_at IS NULL"
    ))
    .bind(username)
    .maybe::<BothRow>(conn)
    .await?
    .map(both)
    .transpose()
}

/// Which members to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    All,
    /// Those who wait to be let in.
    Waiting,
}

/// Members, newest first, with their accounts. Pages by the account's id.
///
/// # Errors
/// As [`Error`] says.
pub async fn list(conn: &mut Conn, which: Which, page: &Page) -> Result<Vec<(Account, Member)>> {
    let query = paged!(
        page,
        concat!(
            "SELECT ",
            account_columns!(),
            ", ",
            member_columns!(),
            " FROM members m JOIN accounts a ON a.id = m.account_id
             WHERE a.deleted_at IS NULL AND ($1 = 0 OR (m.approved_at IS NULL AND m.disabled_at IS NULL))"
        ),
        "m.account_id"
    );
    let waiting = match which {
        Which::All => 0,
        Which::Waiting => 1,
    };
    let rows = query.bind(waiting).bind(page.below()).bind(page.above()).bind(page.limit).all::<BothRow>(conn).await?;
    let rows = page.newest_first(rows);
    rows.into_iter().map(both).collect()
}

/// Is the address a member's?
///
/// # Errors
/// As [`Error`] says.
pub async fn email_is_taken(conn: &mut Conn, email: &str) -> Result<bool> {
    sql!("SELECT account_id FROM members WHERE lower(email) = lower($1)").bind(email).exists(conn).await
}

/// Every member there ever was.
///
/// # Errors
/// As [`Error`] says.
pub async fn ids(conn: &mut Conn) -> Result<Vec<AccountId>> {
    sql!("SELECT account_id FROM members /* scan */ ORDER BY account_id").ids(conn).await
}

/// The ActivityPub id of the first member there ever was, deleted or not.
///
/// # Errors
/// As [`Error`] says.
pub async fn first_id_given_out(conn: &mut Conn) -> Result<Option<String>> {
    let row = sql!(
        "SELECT a.uri FROM members m /* scan */ JOIN accounts a ON a.id = m.account_id ORDER BY m.account_id LIMIT 1"
    )
    .maybe::<(String,)>(conn)
    .await?;
    Ok(row.map(|(uri,)| uri))
}

/// Those who may let people in: moderators and above who can sign in.
///
/// # Errors
/// As [`Error`] says.
pub async fn staff(conn: &mut Conn) -> Result<Vec<AccountId>> {
    sql!("SELECT account_id FROM members WHERE role <> 'member' AND disabled_at IS NULL ORDER BY account_id")
        .ids(conn)
        .await
}

/// How many owners can sign in. To decide by it, hold [`lock_owners`].
///
/// # Errors
/// As [`Error`] says.
pub async fn owners(conn: &mut Conn) -> Result<i64> {
    sql!("SELECT count(*) FROM members WHERE role <> 'member' AND role = 'owner' AND disabled_at IS NULL")
        .count(conn)
        .await
}

/// Was anybody ever a member, deleted or not?
///
/// # Errors
/// As [`Error`] says.
pub async fn any_ever(conn: &mut Conn) -> Result<bool> {
    sql!("SELECT account_id FROM members LIMIT 1").exists(conn).await
}

/// Whoever decides by the number of owners, or changes a member by what another one may do, waits here for others who
/// do, until they commit. (The embedded database has one writer at a time; on PostgreSQL two transactions would each see
/// the other's owner.)
///
/// # Errors
/// As [`Error`] says.
pub async fn lock_owners(tx: &mut Tx) -> Result<()> {
    sql!(
        "INSERT INTO settings (name, value) VALUES ('owners_lock', '')
         ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    )
    .run(tx)
    .await?;
    Ok(())
}

/// Writes a member. Her account must be there.
///
/// # Errors
/// [`Error::Conflict`] when the address is another member's.
pub async fn insert(tx: &mut Tx, m: &Member, private_key_pem: &str, invite: Option<InviteId>) -> Result<()> {
    sql!(
        "INSERT INTO members (account_id, email, password_hash, role, private_key_pem, locale, approved_at,
            confirmed_at, disabled_at, sign_up_reason, invite_id, preferences, created_at, last_active_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    )
    .bind(m.account_id)
    .bind(&m.email)
    .bind(m.password_hash.clone())
    .bind(m.role.as_str())
    .bind(private_key_pem)
    .bind(&m.locale)
    .bind(m.approved_at)
    .bind(m.confirmed_at)
    .bind(m.disabled_at)
    .bind(&m.sign_up_reason)
    .bind(invite)
    .bind(json(&m.preferences)?)
    .bind(m.created_at)
    .bind(m.last_active_at)
    .run(tx)
    .await?;
    show_or_hide(tx, m.account_id).await
}

/// Others see those who may sign in, nobody else: [`domain::account::Standing`] in SQL; a test holds the two together.
/// To be called after every change of what a standing is made of. Counters follow.
async fn show_or_hide(tx: &mut Tx, id: AccountId) -> Result<()> {
    accounts::lock(tx, id).await?;
    sql!(
        "UPDATE accounts SET version = version + 1, hidden = EXISTS (SELECT 1 FROM members m
            WHERE m.account_id = accounts.id AND (m.approved_at IS NULL OR m.disabled_at IS NOT NULL))
         WHERE id = $1"
    )
    .bind(id)
    .run(tx)
    .await?;
    counts::around_account(tx, id).await
}

/// The key a local account signs with, PKCS #8 in PEM.
///
/// # Errors
/// [`Error::NotFound`] when the account is no member.
pub async fn private_key(conn: &mut Conn, id: AccountId) -> Result<String> {
    let (pem,) =
        sql!("SELECT private_key_pem FROM members WHERE account_id = $1").bind(id).one::<(String,)>(conn).await?;
    Ok(pem)
}

/// The invite she came by, if any.
///
/// # Errors
/// [`Error::NotFound`] when the account is no member.
pub async fn invite_of(conn: &mut Conn, id: AccountId) -> Result<Option<InviteId>> {
    let (invite,) =
        sql!("SELECT invite_id FROM members WHERE account_id = $1").bind(id).one::<(Option<i64>,)>(conn).await?;
    Ok(invite.map(InviteId))
}

fn changed(rows: u64) -> Result<()> {
    if rows == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// # Errors
/// [`Error::NotFound`] when the account is no member.
pub async fn set_password(tx: &mut Tx, id: AccountId, hash: &str) -> Result<()> {
    changed(
        sql!(
            "UPDATE members SET password_hash = $2, credentials_version = credentials_version + 1 WHERE account_id = $1"
        )
        .bind(id)
        .bind(hash)
        .run(tx)
        .await?,
    )
}

/// # Errors
/// [`Error::NotFound`] when the account is no member.
pub async fn set_role(tx: &mut Tx, id: AccountId, role: Role) -> Result<()> {
    changed(
        sql!("UPDATE members SET role = $2, credentials_version = credentials_version + 1 WHERE account_id = $1")
            .bind(id)
            .bind(role.as_str())
            .run(tx)
            .await?,
    )?;
    // The role is shown with the account.
    sql!("UPDATE accounts SET version = version + 1 WHERE id = $1").bind(id).run(tx).await?;
    Ok(())
}

/// Lets her in, and others see her; an earlier approval keeps its time.
///
/// # Errors
/// [`Error::NotFound`] when the account is no member.
pub async fn approve(tx: &mut Tx, id: AccountId) -> Result<()> {
    let now = tx.now();
    changed(
        sql!(
            "UPDATE members SET approved_at = coalesce(approved_at, $2),
                credentials_version = credentials_version + CASE WHEN approved_at IS NULL THEN 1 ELSE 0 END
             WHERE account_id = $1"
        )
        .bind(id)
        .bind(now)
        .run(tx)
        .await?,
    )?;
    show_or_hide(tx, id).await
}

/// Closes the account, and others see it no more; `None` opens it again.
///
/// # Errors
/// [`Error::NotFound`] when the account is no member.
pub async fn set_disabled(tx: &mut Tx, id: AccountId, at: Option<Timestamp>) -> Result<()> {
    changed(
        sql!(
            "UPDATE members SET disabled_at = $2, credentials_version = credentials_version + 1 WHERE account_id = $1"
        )
        .bind(id)
        .bind(at)
        .run(tx)
        .await?,
    )?;
    show_or_hide(tx, id).await
}

/// # Errors
/// [`Error::NotFound`] when the account is no member.
pub async fn set_preferences(tx: &mut Tx, id: AccountId, preferences: &MemberPreferences, locale: &str) -> Result<()> {
    changed(
        sql!("UPDATE members SET preferences = $2, locale = $3 WHERE account_id = $1")
            .bind(id)
            .bind(json(preferences)?)
            .bind(locale)
            .run(tx)
            .await?,
    )
}

/// Notes that she was here, at most once an hour.
///
/// # Errors
/// As [`Error`] says.
pub async fn touch(tx: &mut Tx, id: AccountId) -> Result<()> {
    let now = tx.now();
    sql!("UPDATE members SET last_active_at = $2 WHERE account_id = $1 AND coalesce(last_active_at, 0) < $2 - 3600000")
        .bind(id)
        .bind(now)
        .run(tx)
        .await?;
    Ok(())
}

/// Forgets her e-mail address, password and preferences: what is personal and not needed to tell other servers
/// of the deletion. The key stays, since those messages are signed with it; so does the row, under an address
/// nobody can have.
///
/// # Errors
/// [`Error::NotFound`] when the account is no member.
pub async fn forget(tx: &mut Tx, id: AccountId) -> Result<()> {
    let now = tx.now();
    changed(
        sql!(
            "UPDATE members SET email = 'deleted ' || account_id, password_hash = NULL, role = 'member',
                credentials_version = credentials_version + 1, disabled_at = $2, sign_up_reason = '', invite_id = NULL, preferences = '{}', locale = 'en',
                last_active_at = NULL
             WHERE account_id = $1"
        )
        .bind(id)
        .bind(now)
        .run(tx)
        .await?,
    )
}

/// Removes somebody who never was let in, account and all, as if she had not asked.
///
/// # Errors
/// [`Error::Conflict`] when something points at her account (somebody followed it): the transaction is spent then.
pub async fn erase(tx: &mut Tx, id: AccountId) -> Result<()> {
    sql!("DELETE FROM notifications WHERE from_account_id = $1 OR account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM oauth_codes WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM oauth_tokens WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM sessions WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM member_addresses WHERE account_id = $1").bind(id).run(tx).await?;
    changed(sql!("DELETE FROM members WHERE account_id = $1").bind(id).run(tx).await?)?;
    changed(sql!("DELETE FROM accounts WHERE id = $1 AND domain = ''").bind(id).run(tx).await?)
}
