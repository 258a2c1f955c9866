//! Client applications, and what people let them do: codes, tokens.
//!
//! Secrets come in as SHA-256 and never leave: nothing here gives back what a client could sign in with.

use std::time::Duration;

use domain::account::{Credentials, Role};
use domain::scope::Scopes;
use domain::{AccountId, AppId, Timestamp, TokenId};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::record::record;
use crate::sql;

/// A registered application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: AppId,
    pub client_id: String,
    /// SHA-256.
    pub secret_hash: Vec<u8>,
    pub name: String,
    pub website: Option<String>,
    /// Compared as they are, byte by byte.
    pub redirect_uris: Vec<String>,
    /// The most it may ask for.
    pub scopes: Scopes,
    pub created_at: Timestamp,
}

record! {
    struct ClientRow {
        id: i64,
        client_id: String,
        client_secret_hash: Vec<u8>,
        name: String,
        website: Option<String>,
        redirect_uris: String,
        scopes: String,
        created_at: i64,
    }
}

impl From<ClientRow> for Client {
    fn from(r: ClientRow) -> Self {
        Self {
            id: AppId(r.id),
            client_id: r.client_id,
            secret_hash: r.client_secret_hash,
            name: r.name,
            website: r.website,
            redirect_uris: r.redirect_uris.lines().map(str::to_owned).collect(),
            scopes: Scopes::stored(&r.scopes),
            created_at: Timestamp(r.created_at),
        }
    }
}

/// Longer than codes live.
const LONGEST_CODE: Duration = Duration::from_secs(60 * 60);

/// # Errors
/// [`crate::Error::Conflict`] when the client id is taken.
pub async fn insert_client(tx: &mut Tx, c: &Client) -> Result<()> {
    sql!(
        "INSERT INTO oauth_apps (id, client_id, client_secret_hash, name, website, redirect_uris, scopes, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(c.id)
    .bind(&c.client_id)
    .bind(c.secret_hash.as_slice())
    .bind(&c.name)
    .bind(c.website.as_deref())
    .bind(c.redirect_uris.join("\n"))
    .bind(c.scopes.to_string())
    .bind(c.created_at)
    .run(tx)
    .await?;
    Ok(())
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn client_by_client_id(conn: &mut Conn, client_id: &str) -> Result<Option<Client>> {
    let row = sql!(
        "SELECT id, client_id, client_secret_hash, name, website, redirect_uris, scopes, created_at
         FROM oauth_apps WHERE client_id = $1"
    )
    .bind(client_id)
    .maybe::<ClientRow>(conn)
    .await?;
    Ok(row.map(Client::from))
}

/// # Errors
/// [`crate::Error::NotFound`] when there is none.
pub async fn client(conn: &mut Conn, id: AppId) -> Result<Client> {
    let row = sql!(
        "SELECT id, client_id, client_secret_hash, name, website, redirect_uris, scopes, created_at
         FROM oauth_apps WHERE id = $1"
    )
    .bind(id)
    .one::<ClientRow>(conn)
    .await?;
    Ok(row.into())
}

/// What an authorization code stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub client: AppId,
    pub account: AccountId,
    pub redirect_uri: String,
    pub scopes: Scopes,
    /// PKCE's S256 challenge.
    pub challenge: Option<String>,
    /// The version of the member's credentials when the app was allowed in.
    pub credentials_version: i64,
    pub expires_at: Timestamp,
}

record! {
    struct CodeRow {
        app_id: i64,
        account_id: i64,
        redirect_uri: String,
        scopes: String,
        code_challenge: Option<String>,
        credentials_version: i64,
        expires_at: i64,
    }
}

/// # Errors
/// [`crate::Error::Conflict`] when the application or the account is gone.
pub async fn insert_code(tx: &mut Tx, hash: &[u8], c: &Code) -> Result<()> {
    sql!(
        "INSERT INTO oauth_codes (code_hash, app_id, account_id, redirect_uri, scopes, code_challenge, expires_at,
            credentials_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(hash)
    .bind(c.client)
    .bind(c.account)
    .bind(&c.redirect_uri)
    .bind(c.scopes.to_string())
    .bind(c.challenge.clone())
    .bind(c.expires_at)
    .bind(c.credentials_version)
    .run(tx)
    .await?;
    Ok(())
}

/// The credentials that a code was given by, if it is there.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn holder_of_code(tx: &mut Tx, hash: &[u8]) -> Result<Option<Credentials>> {
    let row = sql!("SELECT account_id, credentials_version FROM oauth_codes WHERE code_hash = $1")
        .bind(hash)
        .maybe::<(i64, i64)>(tx)
        .await?;
    Ok(row.map(|(id, version)| Credentials { account: AccountId(id), version }))
}

/// Takes the code out: whoever comes second finds nothing. Expired codes are given back too, for the caller to refuse.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn take_code(tx: &mut Tx, hash: &[u8]) -> Result<Option<Code>> {
    let row = sql!(
        "DELETE FROM oauth_codes WHERE code_hash = $1
         RETURNING app_id, account_id, redirect_uri, scopes, code_challenge, credentials_version, expires_at"
    )
    .bind(hash)
    .maybe::<CodeRow>(tx)
    .await?;
    Ok(row.map(|r| Code {
        client: AppId(r.app_id),
        account: AccountId(r.account_id),
        redirect_uri: r.redirect_uri,
        scopes: Scopes::stored(&r.scopes),
        challenge: r.code_challenge,
        credentials_version: r.credentials_version,
        expires_at: Timestamp(r.expires_at),
    }))
}

/// Forgets codes that nobody came for, and those that a clock which was ahead would keep alive for long.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn purge_codes(tx: &mut Tx) -> Result<u64> {
    let now = tx.now();
    sql!("DELETE FROM oauth_codes WHERE expires_at < $1 OR expires_at > $2")
        .bind(now)
        .bind(now.plus(LONGEST_CODE))
        .run(tx)
        .await
}

/// A new token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: TokenId,
    /// `None` for tokens made on the command line.
    pub client: Option<AppId>,
    /// `None` = the application itself.
    pub account: Option<AccountId>,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    /// `None` = until it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// # Errors
/// [`crate::Error::Conflict`] when the application or the account is gone.
pub async fn insert_token(tx: &mut Tx, hash: &[u8], t: &Token) -> Result<()> {
    sql!(
        "INSERT INTO oauth_tokens (id, token_hash, app_id, account_id, scopes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(t.id)
    .bind(hash)
    .bind(t.client)
    .bind(t.account)
    .bind(t.scopes.to_string())
    .bind(t.created_at)
    .bind(t.expires_at)
    .run(tx)
    .await?;
    Ok(())
}

/// Notes which code a token was traded for.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn made_from(tx: &mut Tx, token: TokenId, code: &[u8]) -> Result<()> {
    sql!("UPDATE oauth_tokens SET code_hash = $2 WHERE id = $1").bind(token).bind(code).run(tx).await?;
    Ok(())
}

/// Ends the tokens that were made from a code. Gives back those that were alive.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn revoke_made_from(tx: &mut Tx, code: &[u8]) -> Result<Vec<TokenId>> {
    let now = tx.now();
    sql!(
        "UPDATE oauth_tokens SET revoked_at = $2 WHERE code_hash = $1 AND code_hash IS NOT NULL AND revoked_at IS NULL
         RETURNING id"
    )
    .bind(code)
    .bind(now)
    .ids(tx)
    .await
}

/// What a token was made to allow, and whether its owner may use it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub token: TokenId,
    pub client: Option<AppId>,
    /// `None` = the application itself.
    pub holder: Option<Holder>,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// The person a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    pub account: AccountId,
    /// She was let in.
    pub approved: bool,
    /// Her account was closed, or is suspended.
    pub disabled: bool,
    pub role: Role,
}

record! {
    struct GrantRow {
        id: i64,
        app_id: Option<i64>,
        account_id: Option<i64>,
        scopes: String,
        created_at: i64,
        last_used_at: Option<i64>,
        expires_at: Option<i64>,
        approved: bool,
        disabled: bool,
        role: Option<String>,
    }
}

/// What the token stands for; `None` when it is unknown, revoked, expired, or its owner is gone.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn grant(conn: &mut Conn, hash: &[u8], now: Timestamp) -> Result<Option<Grant>> {
    let row = sql!(
        "SELECT t.id, t.app_id, t.account_id, t.scopes, t.created_at, t.last_used_at, t.expires_at,
            (m.approved_at IS NOT NULL) AS approved,
            (m.disabled_at IS NOT NULL OR a.suspended_at IS NOT NULL) AS disabled, m.role
         FROM oauth_tokens t
           LEFT JOIN accounts a ON a.id = t.account_id
           LEFT JOIN members m ON m.account_id = t.account_id
         WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)
           AND (t.account_id IS NULL OR (m.account_id IS NOT NULL AND a.deleted_at IS NULL))"
    )
    .bind(hash)
    .bind(now)
    .maybe::<GrantRow>(conn)
    .await?;
    Ok(row.map(|r| Grant {
        token: TokenId(r.id),
        client: r.app_id.map(AppId),
        holder: r.account_id.map(|id| Holder {
            account: AccountId(id),
            approved: r.approved,
            disabled: r.disabled,
            role: r.role.as_deref().and_then(Role::parse).unwrap_or_default(),
        }),
        scopes: Scopes::stored(&r.scopes),
        created_at: Timestamp(r.created_at),
        last_used_at: r.last_used_at.map(Timestamp),
        expires_at: r.expires_at.map(Timestamp),
    }))
}

/// Which of these tokens are still good, and belong to somebody who may use them now: let in, and neither closed,
/// suspended nor deleted. For those who looked them up before and hold on to them.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn usable(conn: &mut Conn, ids: &[TokenId], now: Timestamp) -> Result<Vec<TokenId>> {
    sql!(
        "SELECT t.id FROM oauth_tokens t
           LEFT JOIN accounts a ON a.id = t.account_id
           LEFT JOIN members m ON m.account_id = t.account_id
         WHERE t.id = ANY($1) AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)
           AND (t.account_id IS NULL OR (m.approved_at IS NOT NULL AND m.disabled_at IS NULL
             AND a.suspended_at IS NULL AND a.deleted_at IS NULL))"
    )
    .bind(ids)
    .bind(now)
    .ids(conn)
    .await
}

/// Notes that the token was used.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn touch_token(tx: &mut Tx, id: TokenId) -> Result<()> {
    let now = tx.now();
    sql!("UPDATE oauth_tokens SET last_used_at = $2 WHERE id = $1").bind(id).bind(now).run(tx).await?;
    Ok(())
}

/// Ends a token, if it is the client's. Gives back its id when it was alive.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn revoke(tx: &mut Tx, hash: &[u8], client: AppId) -> Result<Option<TokenId>> {
    let now = tx.now();
    Ok(sql!(
        "UPDATE oauth_tokens SET revoked_at = $3 WHERE token_hash = $1 AND app_id = $2 AND revoked_at IS NULL
         RETURNING id"
    )
    .bind(hash)
    .bind(client)
    .bind(now)
    .maybe::<(i64,)>(tx)
    .await?
    .map(|(id,)| TokenId(id)))
}

/// Ends every token of an account, and every code that could still become one. Gives back those that were alive.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn revoke_all_of(tx: &mut Tx, account: AccountId) -> Result<Vec<TokenId>> {
    let now = tx.now();
    sql!("DELETE FROM oauth_codes WHERE account_id = $1").bind(account).run(tx).await?;
    sql!("UPDATE oauth_tokens SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL RETURNING id")
        .bind(account)
        .bind(now)
        .ids(tx)
        .await
}

/// Forgets tokens that ended before `before`, expired or revoked.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn purge_tokens(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    sql!(
        "DELETE FROM oauth_tokens /* scan */ WHERE (revoked_at IS NOT NULL AND revoked_at < $1)
            OR (expires_at IS NOT NULL AND expires_at < $1)"
    )
    .bind(before)
    .run(tx)
    .await
}
