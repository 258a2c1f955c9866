//! The one place that knows there are two databases.
//!
//! Every statement is one text for both, written with `$1` placeholders and bound values of the few types below.
//! A list of ids or texts is bound as one value and compared with `= ANY($n)`; on SQLite that becomes
//! `IN (SELECT value FROM json_each(?n))`. Where the two must differ, `sql!(sqlite: …, postgres: …)` says so.
//!
//! Texts are cleaned where they are bound ([`domain::text::clean`]): PostgreSQL cannot keep U+0000, both databases are to
//! answer the same, and no door can forget it.
//!
//! No statement is ever put together from what a user sent: texts are `&'static str`.

use std::sync::OnceLock;

use domain::text::{clean, clean_json};
use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;

use crate::db::{Conn, Raw, Tx};
use crate::error::{Error, Result};
use crate::record::{Record, Row};
use crate::sqlite;

/// A statement's text for each database.
#[derive(Debug)]
pub struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
    /// The text as SQLite takes it; made at first use.
    rewritten: OnceLock<String>,
}

impl Sql {
    #[must_use]
    pub const fn both(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text, rewritten: OnceLock::new() }
    }

    #[must_use]
    pub const fn each(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres, rewritten: OnceLock::new() }
    }

    fn for_sqlite(&'static self) -> &'static str {
        self.rewritten.get_or_init(|| for_sqlite(self.sqlite))
    }
}

/// `x = ANY($3)` → `x IN (SELECT value FROM json_each(?3))`, and `$4` → `?4`: what SQLite counts by number and not by
/// where it first stands.
fn for_sqlite(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = after.split_at(digits);
        match (before.strip_suffix("= ANY("), after.strip_prefix(')')) {
            (Some(before), Some(after)) if digits > 0 => {
                out.push_str(before);
                out.push_str("IN (SELECT value FROM json_each(?");
                out.push_str(number);
                out.push_str("))");
                rest = after;
            }
            _ => {
                out.push_str(before);
                out.push(if digits > 0 { '?' } else { '$' });
                out.push_str(number);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// A statement: `sql!("SELECT … WHERE id = $1").bind(id).one::<Row>(conn).await?`.
#[macro_export]
macro_rules! sql {
    (sqlite: $sqlite:expr, postgres: $postgres:expr $(,)?) => {{
        static TEXT: $crate::sql::Sql = $crate::sql::Sql::each($sqlite, $postgres);
        $crate::sql::Query::new(&TEXT)
    }};
    ($text:expr $(,)?) => {{
        static TEXT: $crate::sql::Sql = $crate::sql::Sql::both($text);
        $crate::sql::Query::new(&TEXT)
    }};
}

/// A bound value. The kind is always known, so that a missing value has a type on PostgreSQL too.
#[derive(Debug, Clone)]
pub enum Value {
    Int(Option<i64>),
    Bool(Option<bool>),
    Real(Option<f64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    /// For `= ANY($n)`.
    Ints(Vec<i64>),
    /// For `= ANY($n)`.
    Texts(Vec<String>),
}

impl Value {
    fn cleaned(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.map(clean)),
            Self::Texts(texts) => Self::Texts(texts.into_iter().map(clean).collect()),
            other => other,
        }
    }
}

macro_rules! into_value {
    ($($from:ty => |$v:ident| $make:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self {
                $make
            }
        }
    )*};
}

into_value! {
    i64 => |v| Self::Int(Some(v));
    Option<i64> => |v| Self::Int(v);
    i32 => |v| Self::Int(Some(i64::from(v)));
    Option<i32> => |v| Self::Int(v.map(i64::from));
    bool => |v| Self::Bool(Some(v));
    f64 => |v| Self::Real(Some(v));
    Option<f64> => |v| Self::Real(v);
    &str => |v| Self::Text(Some(v.to_owned()));
    String => |v| Self::Text(Some(v));
    &String => |v| Self::Text(Some(v.clone()));
    Option<String> => |v| Self::Text(v);
    Option<&str> => |v| Self::Text(v.map(str::to_owned));
    Vec<u8> => |v| Self::Bytes(Some(v));
    &[u8] => |v| Self::Bytes(Some(v.to_vec()));
    Vec<i64> => |v| Self::Ints(v);
    &[i64] => |v| Self::Ints(v.to_vec());
    Vec<String> => |v| Self::Texts(v);
    &[String] => |v| Self::Texts(v.to_vec());
}

macro_rules! id_values {
    ($($id:ident)*) => {$(
        impl From<domain::$id> for Value {
            fn from(id: domain::$id) -> Self {
                Self::Int(Some(id.0))
            }
        }
        impl From<Option<domain::$id>> for Value {
            fn from(id: Option<domain::$id>) -> Self {
                Self::Int(id.map(|id| id.0))
            }
        }
        impl From<&[domain::$id]> for Value {
            fn from(ids: &[domain::$id]) -> Self {
                Self::Ints(ids.iter().map(|id| id.0).collect())
            }
        }
        impl From<&Vec<domain::$id>> for Value {
            fn from(ids: &Vec<domain::$id>) -> Self {
                Self::from(ids.as_slice())
            }
        }
    )*};
}

id_values! {
    AccountId PostId ThreadId AttachmentId NotificationId ConversationId TagId ListId AppId TokenId InviteId FollowId
    EmojiId JobId ActivityId DeliveryId InboxItemId ReportId
}

impl From<&domain::Host> for Value {
    fn from(host: &domain::Host) -> Self {
        Self::Text(Some(host.as_str().to_owned()))
    }
}

impl From<&[domain::Host]> for Value {
    fn from(hosts: &[domain::Host]) -> Self {
        Self::Texts(hosts.iter().map(|host| host.as_str().to_owned()).collect())
    }
}

impl From<domain::Timestamp> for Value {
    fn from(at: domain::Timestamp) -> Self {
        Self::Int(Some(at.0))
    }
}

impl From<Option<domain::Timestamp>> for Value {
    fn from(at: Option<domain::Timestamp>) -> Self {
        Self::Int(at.map(|at| at.0))
    }
}

impl From<domain::Visibility> for Value {
    fn from(v: domain::Visibility) -> Self {
        v.as_str().into()
    }
}

/// A value stored as JSON text. Its texts are cleaned: as an escape, a bound text would keep what it must not, and `jsonb`
/// does not take U+0000 even so.
///
/// # Errors
/// When the value cannot be written as JSON (a map with keys that are no strings).
pub fn json<T: serde::Serialize>(value: &T) -> Result<Value> {
    let text = serde_json::to_string(value)?;
    // Only controls are escaped like this; what is not clean and not escaped goes where the text is bound.
    if !["\\u00", "\\b", "\\f", "\\r"].iter().any(|escape| text.contains(escape)) {
        return Ok(Value::Text(Some(text)));
    }
    let mut value = serde_json::from_str(&text)?;
    clean_json(&mut value);
    Ok(Value::Text(Some(serde_json::to_string(&value)?)))
}

/// A statement with its values, ready to run.
#[derive(Debug)]
pub struct Query {
    sql: &'static Sql,
    values: Vec<Value>,
}

impl Query {
    #[must_use]
    pub fn new(sql: &'static Sql) -> Self {
        Self { sql, values: Vec::new() }
    }

    /// Binds the next placeholder. A text is cleaned.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into().cleaned());
        self
    }

    /// Runs a statement that gives no rows; how many rows it changed.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn run(self, conn: &mut Conn) -> Result<u64> {
        match conn.raw()? {
            Raw::Sqlite(c, writes) => sqlite::run(c, self.sql.for_sqlite(), &self.values, writes),
            Raw::Postgres(c) => {
                let q = sqlx::query_with(self.sql.postgres, postgres_arguments(self.values)?);
                let rows = q.execute(c).await?.rows_affected();
                conn.answered();
                Ok(rows)
            }
        }
    }

    /// Runs a `SELECT … FOR UPDATE` whose rows nobody wants to read: others wait for them until the transaction ends.
    /// The embedded database has one writer, so there nothing happens.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub(crate) async fn lock(self, tx: &mut Tx) -> Result<()> {
        if !tx.is_sqlite() {
            self.run(tx).await?;
        }
        Ok(())
    }

    /// Every row.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn all<T: Record>(self, conn: &mut Conn) -> Result<Vec<T>> {
        if let Some(long) = conn.long() {
            return long.rows(self.sql.for_sqlite(), self.values, usize::MAX).await;
        }
        match conn.raw()? {
            Raw::Sqlite(c, writes) => sqlite::rows(c, self.sql.for_sqlite(), &self.values, writes, usize::MAX),
            Raw::Postgres(c) => {
                let q = sqlx::query_with(self.sql.postgres, postgres_arguments(self.values)?);
                let rows = q.fetch_all(c).await?;
                conn.answered();
                rows.iter().map(|row| T::from_row(&mut Row::postgres(row))).collect()
            }
        }
    }

    /// The first row, if any.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn maybe<T: Record>(self, conn: &mut Conn) -> Result<Option<T>> {
        if let Some(long) = conn.long() {
            return Ok(long.rows(self.sql.for_sqlite(), self.values, 1).await?.pop());
        }
        match conn.raw()? {
            Raw::Sqlite(c, writes) => Ok(sqlite::rows(c, self.sql.for_sqlite(), &self.values, writes, 1)?.pop()),
            Raw::Postgres(c) => {
                let q = sqlx::query_with(self.sql.postgres, postgres_arguments(self.values)?);
                let row = q.fetch_optional(c).await?;
                conn.answered();
                row.map(|row| T::from_row(&mut Row::postgres(&row))).transpose()
            }
        }
    }

    /// The first row.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn one<T: Record>(self, conn: &mut Conn) -> Result<T> {
        self.maybe(conn).await?.ok_or(Error::NotFound)
    }

    /// The first column of every row, for lists of ids.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn ids<I: From<i64>>(self, conn: &mut Conn) -> Result<Vec<I>> {
        Ok(self.all::<(i64,)>(conn).await?.into_iter().map(|(id,)| I::from(id)).collect())
    }

    /// The first column of the first row as a number; 0 when there is no row.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn count(self, conn: &mut Conn) -> Result<i64> {
        Ok(self.maybe::<(i64,)>(conn).await?.map_or(0, |(n,)| n))
    }

    /// Is there any row?
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn exists(self, conn: &mut Conn) -> Result<bool> {
        Ok(self.maybe::<(i64,)>(conn).await?.is_some())
    }
}

fn postgres_arguments(values: Vec<Value>) -> Result<PgArguments> {
    let mut args = PgArguments::default();
    for value in values {
        match value {
            Value::Int(v) => args.add(v),
            Value::Bool(v) => args.add(v),
            Value::Real(v) => args.add(v),
            Value::Text(v) => args.add(v),
            Value::Bytes(v) => args.add(v),
            Value::Ints(v) => args.add(v),
            Value::Texts(v) => args.add(v),
        }
        .map_err(|e| Error::Internal(e.to_string()))?;
    }
    Ok(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_json_each_and_placeholders_are_numbered() {
        assert_eq!(for_sqlite("SELECT 1 WHERE id = $1"), "SELECT 1 WHERE id = ?1");
        assert_eq!(for_sqlite("SELECT '$' || $2, '$.a', $10"), "SELECT '$' || ?2, '$.a', ?10");
        assert_eq!(
            for_sqlite("SELECT a WHERE id = ANY($12) AND b = ANY($2) ORDER BY a"),
            "SELECT a WHERE id IN (SELECT value FROM json_each(?12)) AND b IN (SELECT value FROM json_each(?2)) ORDER BY a"
        );
    }
}
