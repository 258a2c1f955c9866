//! What commands print on standard output: lines for people, JSON for scripts.
//!
//! Never complains when nobody reads on, as with `porchlight … | head`.

use std::io::{ErrorKind, Write as _};

use serde::Serialize;

/// One line.
pub fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
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
