//! In debug builds, so in every test: no statement reads the whole of a table that grows with the community. What is
//! fast among ten rows and slow among a million is told where it is written.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use rusqlite::Connection;

use crate::error::{Error, Result};

/// In a statement that may go through a table: it stops at the first row, or runs seldom and in nobody's way.
const MEANT: &str = "/* scan */";

/// Tables that stay small: what the owner decides, and what lives for minutes.
const SMALL: [&str; 4] = ["domain_policies", "invites", "oauth_codes", "settings"];

/// Looks at how a statement will be answered, once per statement and process.
pub(crate) fn check(conn: &Connection, text: &str) -> Result<()> {
    static SEEN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let seen = || SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if text.contains(MEANT) || seen().contains(text) {
        return Ok(());
    }
    let mut explained = conn.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
    let mut steps = explained.raw_query();
    while let Some(step) = steps.next()? {
        let step: String = step.get(3)?;
        if let Some(table) = read_whole(&step, text) {
            return Err(Error::Internal(format!("all of {table} would be read ({step}) by: {text}")));
        }
    }
    seen().insert(text.to_owned());
    Ok(())
}

/// The table that a step of a plan reads from its beginning to its end.
fn read_whole<'a>(step: &'a str, text: &'a str) -> Option<&'a str> {
    let name = step.strip_prefix("SCAN ")?;
    if name.contains(' ') {
        // By an index, in its order, until there is enough; or a list of values that was handed in.
        return None;
    }
    let table = table_of(name, text)?;
    (!SMALL.contains(&table)).then_some(table)
}

/// Plans name a table as the statement does: by its alias, if it has one. `None` when that may be no table, but a part
/// of the statement itself.
fn table_of<'a>(name: &'a str, text: &'a str) -> Option<&'a str> {
    if text.contains(&format!(") {name} ")) || text.contains(&format!(") AS {name}")) {
        return None;
    }
    let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|it| *it == word);
    (1..words.len())
        .filter(|at| ["FROM", "JOIN", "UPDATE"].iter().any(|before| is(at - 1, before)))
        .find(|&at| is(at, name) || is(at + 1, name) || (is(at + 1, "AS") && is(at + 2, name)))
        .and_then(|at| words.get(at).copied())
        .filter(|table| !text.contains(&format!("{table} AS (")) && !text.contains(&format!("{table} (")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_by_its_alias() {
        let text =
            "SELECT 1 FROM posts p JOIN accounts AS a ON a.id = p.account_id WHERE p.id IN (SELECT id FROM mutes)";
        assert_eq!(table_of("p", text), Some("posts"));
        assert_eq!(table_of("a", text), Some("accounts"));
        assert_eq!(table_of("mutes", text), Some("mutes"));
        assert_eq!(table_of("other", text), None);
        assert_eq!(table_of("up", "WITH RECURSIVE up (id) AS (SELECT 1) SELECT id FROM up"), None);
        assert_eq!(table_of("p", "SELECT p.id FROM (SELECT id FROM posts) p WHERE p.id > 1"), None);
    }

    #[test]
    fn a_statement_that_reads_everything_is_refused() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE posts (id INTEGER PRIMARY KEY, language TEXT)").unwrap();
        check(&conn, "SELECT id FROM posts p WHERE p.id = ?1").unwrap();
        let refused = check(&conn, "SELECT id FROM posts p WHERE p.language = ?1").unwrap_err();
        assert!(refused.to_string().contains("all of posts would be read"), "{refused}");
        check(&conn, "SELECT id FROM posts p /* scan */ WHERE p.language = ?1").unwrap();
    }
}
