//! What commands print: answers on standard output, failures on standard error; lines for people, JSON for scripts.
//!
//! Never complains when nobody reads on, as with `porchlight … | head`.

use std::io::{ErrorKind, Write as _};

use app::error::Mistake;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::config::Mistakes;

/// Several things that are wrong with what was asked.
#[derive(Debug)]
pub struct Wrong(pub Vec<Mistake>);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, Mistake { field, why }) in self.0.iter().enumerate() {
            write!(f, "{}{field} {why}", if n == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Wrong {}

/// Why a command failed. In JSON: `error`, the whole in words; and where single values are to blame, `fields`, what is
/// wrong with each, or `mistakes`, those in the configuration.
pub fn failure(error: &anyhow::Error, json: bool) {
    if !json {
        eprintln!("porchlight: {error:#}");
        return;
    }
    let mut told = Map::from_iter([("error".to_owned(), Value::from(format!("{error:#}")))]);
    if let Some(Wrong(mistakes)) = error.downcast_ref() {
        let fields = mistakes.iter().map(|m| (m.field.to_owned(), Value::from(m.why.as_str())));
        told.insert("fields".to_owned(), Map::from_iter(fields).into());
    } else if let Some(app::Error::Invalid { field, why }) = error.downcast_ref() {
        told.insert("fields".to_owned(), Map::from_iter([((*field).to_owned(), Value::from(why.as_str()))]).into());
    } else if let Some(mistakes) = error.downcast_ref::<Mistakes>() {
        told.insert("mistakes".to_owned(), mistakes.all().into());
    }
    eprintln!("{}", Value::from(told));
}

/// One line, or several. Control characters are left out: texts of strangers are shown too, and a terminal obeys them.
pub fn line(text: &str) -> anyhow::Result<()> {
    let shown = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    match writeln!(std::io::stdout(), "{}", text.chars().filter(shown).collect::<String>()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// An object or a list, indented.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Rows in columns as wide as their widest cell, the first row being the heads.
pub fn table(rows: &[Vec<String>]) -> anyhow::Result<()> {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, cell)| format!("{cell:<width$}", width = width(column).unwrap_or_default()))
            .collect();
        line(cells.join("  ").trim_end())?;
    }
    Ok(())
}
