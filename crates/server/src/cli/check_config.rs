//! `porchlight check-config`: what holds, what is odd, and what is wrong.
//!
//! Never touches the database, and never shows its password.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Global, output};
use crate::config::{Config, Mistakes, without_password};

/// # Errors
/// When it cannot print. Mistakes in the configuration are printed and become the exit code.
pub fn run(global: &Global, config: Result<Config, Mistakes>) -> anyhow::Result<ExitCode> {
    let config = match config {
        Ok(config) => config,
        Err(mistakes) if global.json => {
            output::json(&json!({ "ok": false, "mistakes": mistakes.all() }))?;
            return Ok(ExitCode::FAILURE);
        }
        Err(mistakes) => return Err(mistakes.into()),
    };
    let mut shown = serde_json::to_value(&config)?;
    shown["database_url"] = without_password(&config.database()).into();
    if global.json {
        output::json(&json!({ "ok": true, "warnings": config.warnings(), "config": shown }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = Vec::new();
    flatten("", &shown, &mut rows);
    output::table(&rows)?;
    for warning in config.warnings() {
        output::line(&format!("warning: {warning}"))?;
    }
    output::line("The configuration is right.")?;
    Ok(ExitCode::SUCCESS)
}

fn flatten(above: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                flatten(&if above.is_empty() { key.clone() } else { format!("{above}.{key}") }, value, rows);
            }
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(plain).collect();
            rows.push(vec![above.to_owned(), if items.is_empty() { "-".to_owned() } else { items.join(", ") }]);
        }
        other => rows.push(vec![above.to_owned(), plain(other)]),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
