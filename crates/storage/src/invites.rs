//! Invite links: who made one, how often it was used, until when it may be.

use domain::{AccountId, InviteId, Timestamp};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::record::record;
use crate::sql;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    pub id: InviteId,
    /// What stands in the link.
    pub code: String,
    /// `None` = made on the command line.
    pub created_by: Option<AccountId>,
    /// `None` = as often as wanted.
    pub max_uses: Option<i64>,
    pub uses: i64,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl Invite {
    /// May somebody join by it now?
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && self.expires_at.is_none_or(|at| at > now)
            && self.max_uses.is_none_or(|max| self.uses < max)
    }
}

macro_rules! invite_columns {
    () => {
        "id, code, created_by, max_uses, uses, expires_at, revoked_at, created_at"
    };
}

record! {
    struct InviteRow {
        id: i64,
        code: String,
        created_by: Option<i64>,
        max_uses: Option<i64>,
        uses: i64,
        expires_at: Option<i64>,
        revoked_at: Option<i64>,
        created_at: i64,
    }
}

impl From<InviteRow> for Invite {
    fn from(r: InviteRow) -> Self {
        Self {
            id: InviteId(r.id),
            code: r.code,
            created_by: r.created_by.map(AccountId),
            max_uses: r.max_uses,
            uses: r.uses,
            expires_at: r.expires_at.map(Timestamp),
            revoked_at: r.revoked_at.map(Timestamp),
            created_at: Timestamp(r.created_at),
        }
    }
}

/// # Errors
/// [`crate::Error::Conflict`] when the code exists.
pub async fn insert(tx: &mut Tx, i: &Invite) -> Result<()> {
    sql!(
        "INSERT INTO invites (id, code, created_by, max_uses, uses, expires_at, revoked_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(i.id)
    .bind(&i.code)
    .bind(i.created_by)
    .bind(i.max_uses)
    .bind(i.uses)
    .bind(i.expires_at)
    .bind(i.revoked_at)
    .bind(i.created_at)
    .run(tx)
    .await?;
    Ok(())
}

/// # Errors
/// [`crate::Error::NotFound`] when there is none.
pub async fn get(conn: &mut Conn, id: InviteId) -> Result<Invite> {
    let row = sql!(concat!("SELECT ", invite_columns!(), " FROM invites WHERE id = $1"))
        .bind(id)
        .one::<InviteRow>(conn)
        .await?;
    Ok(row.into())
}

/// By what stands in the link: usable or not.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn by_code(conn: &mut Conn, code: &str) -> Result<Option<Invite>> {
    let row = sql!(concat!("SELECT ", invite_columns!(), " FROM invites WHERE code = $1"))
        .bind(code)
        .maybe::<InviteRow>(conn)
        .await?;
    Ok(row.map(Invite::from))
}

/// Every invite, or one member's, newest first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn list(conn: &mut Conn, created_by: Option<AccountId>, limit: i64) -> Result<Vec<Invite>> {
    let rows = sql!(concat!(
        "SELECT ",
        invite_columns!(),
        " FROM invites WHERE ($1 = 0 OR created_by = $1) ORDER BY id DESC LIMIT $2"
    ))
    .bind(created_by.map_or(0, |id| id.0))
    .bind(limit)
    .all::<InviteRow>(conn)
    .await?;
    Ok(rows.into_iter().map(Invite::from).collect())
}

/// Counts one use, if there is one left: asked and counted in one statement, so that many at once never use it
/// more often than allowed. `None` when it is used up, has expired, was revoked or never was.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn take(tx: &mut Tx, code: &str) -> Result<Option<Invite>> {
    let now = tx.now();
    let row = sql!(concat!(
        "UPDATE invites SET uses = uses + 1
         WHERE code = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
           AND (max_uses IS NULL OR uses < max_uses)
         RETURNING ",
        invite_columns!()
    ))
    .bind(code)
    .bind(now)
    .maybe::<InviteRow>(tx)
    .await?;
    Ok(row.map(Invite::from))
}

/// Ends an invite; `false` when it had ended by revocation before.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn revoke(tx: &mut Tx, id: InviteId) -> Result<bool> {
    let now = tx.now();
    let n = sql!("UPDATE invites SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
        .bind(id)
        .bind(now)
        .run(tx)
        .await?;
    Ok(n > 0)
}

/// Ends every invite of a member who was deleted.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn revoke_all(tx: &mut Tx, created_by: AccountId) -> Result<()> {
    let now = tx.now();
    sql!("UPDATE invites SET revoked_at = $2 WHERE created_by = $1 AND revoked_at IS NULL")
        .bind(created_by)
        .bind(now)
        .run(tx)
        .await?;
    Ok(())
}
