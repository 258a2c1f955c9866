//! What the people who run the community decided, and the server's own secrets. One row a name, JSON or text.

use domain::instance::CommunitySettings;

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;

const COMMUNITY: &str = "community";
const INSTANCE_KEY: &str = "instance_private_key";
const FILE_SECRET: &str = "file_secret";
const HOSTS_ARE_CANONICAL: &str = "hosts_are_canonical";
const CHECKED_AT: &str = "checked_at";

/// The community's settings, the defaults while nothing was set.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn community(conn: &mut Conn) -> Result<CommunitySettings> {
    match value(conn, COMMUNITY).await? {
        Some(text) => Ok(serde_json::from_str(&text)?),
        None => Ok(CommunitySettings::default()),
    }
}

/// # Errors
/// As [`crate::Error`] says.
pub async fn set_community(tx: &mut Tx, settings: &CommunitySettings) -> Result<()> {
    set(tx, COMMUNITY, sql::json(settings)?).await
}

/// The key that the instance actor signs with, PKCS #8 in PEM; `None` before the first start.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn instance_private_key(conn: &mut Conn) -> Result<Option<String>> {
    value(conn, INSTANCE_KEY).await
}

/// Keeps `pem` as the instance actor's key, unless another process was first. Gives the one that is kept.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn keep_instance_private_key(tx: &mut Tx, pem: &str) -> Result<String> {
    keep(tx, INSTANCE_KEY, pem).await
}

/// What the addresses of private pictures are made with; `None` before the first start.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn file_secret(conn: &mut Conn) -> Result<Option<String>> {
    value(conn, FILE_SECRET).await
}

/// Keeps `secret` behind the addresses of private pictures, unless another process was first. Gives the one that is
/// kept.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn keep_file_secret(tx: &mut Tx, secret: &str) -> Result<String> {
    keep(tx, FILE_SECRET, secret).await
}

/// Were the host names of older versions brought into their one form?
pub(crate) async fn hosts_are_canonical(conn: &mut Conn) -> Result<bool> {
    Ok(value(conn, HOSTS_ARE_CANONICAL).await?.is_some())
}

pub(crate) async fn keep_hosts_are_canonical(tx: &mut Tx) -> Result<()> {
    keep(tx, HOSTS_ARE_CANONICAL, "true").await.map(drop)
}

/// Notes that somebody looked whether the database can be written: once it is committed, it can.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn note_checked(tx: &mut Tx) -> Result<()> {
    let now = tx.now().0.to_string();
    set(tx, CHECKED_AT, now).await
}

async fn set(tx: &mut Tx, name: &str, value: impl Into<sql::Value>) -> Result<()> {
    sql!(
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    )
    .bind(name)
    .bind(value)
    .run(tx)
    .await?;
    Ok(())
}

async fn keep(tx: &mut Tx, name: &str, first: &str) -> Result<String> {
    sql!("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(first)
        .run(tx)
        .await?;
    value(tx, name).await?.ok_or(crate::Error::NotFound)
}

async fn value(conn: &mut Conn, name: &str) -> Result<Option<String>> {
    let row = sql!("SELECT value FROM settings WHERE name = $1").bind(name).maybe::<(String,)>(conn).await?;
    Ok(row.map(|(value,)| value))
}
