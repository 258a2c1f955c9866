//! `porchlight invite …`: links by which people may join.
//!
//! Changes go through `app`'s verbs, as the operator.

use std::time::Duration;

use anyhow::bail;
use app::App;
use app::accounts::By;
use app::invites::create::{self, NewInvite};
use app::invites::revoke;
use clap::Subcommand;
use domain::Timestamp;
use serde_json::{Value, json};
use storage::invites::{self, Invite};

use super::{Global, output};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a link by which people may join, and print it.
    Create {
        /// How many may join by it: a number, or any.
        #[arg(long, default_value = "1", value_parser = uses)]
        uses: Uses,
        /// How long it is valid: a number with m, h, d or w, or never.
        #[arg(long, default_value = "7d", value_parser = valid)]
        expires: Valid,
    },
    /// List the links, newest first.
    List,
    /// Take a link back. Whoever joined by it stays.
    Revoke {
        /// The link, or the code at its end.
        link: String,
    },
}

/// By how many; `None` = any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uses(Option<i64>);

/// For how long; `None` = until it is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Valid(Option<Duration>);

/// Does what was asked.
///
/// # Errors
/// Why it could not be done.
pub async fn run(command: Command, global: &Global, app: &App) -> anyhow::Result<()> {
    match command {
        Command::Create { uses, expires } => {
            let new = NewInvite { uses: uses.0, valid: expires.0 };
            let invite = create::create(app, By::Operator, new).await?;
            if global.json { output::json(&as_json(app, &invite)) } else { output::line(&link(app, &invite)) }
        }
        Command::List => list(global, app).await,
        Command::Revoke { link } => {
            let code = link.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            match revoke::revoke(app, By::Operator, code).await {
                Err(app::Error::NotFound) => bail!("there is no such link: `porchlight invite list` shows them"),
                revoked => revoked?,
            }
            output::line("The link opens nothing any more.")
        }
    }
}

/// More than anyone keeps; the oldest are left out.
const LISTED: i64 = 1_000;

async fn list(global: &Global, app: &App) -> anyhow::Result<()> {
    let all = invites::list(&mut app.db.read().await?, None, LISTED).await?;
    if global.json {
        return output::json(&all.iter().map(|invite| as_json(app, invite)).collect::<Vec<_>>());
    }
    let mut rows = vec![["LINK", "USED", "UNTIL", "STATE"].map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|invite| {
        let most = invite.max_uses.map_or_else(|| "any".to_owned(), |most| most.to_string());
        let until = invite.expires_at.map_or_else(|| "-".to_owned(), Timestamp::to_date);
        vec![link(app, invite), format!("{}/{most}", invite.uses), until, state(app, invite).to_owned()]
    }));
    output::table(&rows)
}

fn link(app: &App, invite: &Invite) -> String {
    app.urls.path(&format!("/invite/{}", invite.code))
}

fn state(app: &App, invite: &Invite) -> &'static str {
    match invite {
        usable if usable.is_usable(app.now()) => "open",
        Invite { revoked_at: Some(_), .. } => "revoked",
        Invite { max_uses: Some(most), uses, .. } if uses >= most => "used up",
        _ => "expired",
    }
}

fn as_json(app: &App, invite: &Invite) -> Value {
    json!({
        "link": link(app, invite),
        "code": invite.code,
        "uses": invite.uses,
        "max_uses": invite.max_uses,
        "expires_at": invite.expires_at.map(Timestamp::to_rfc3339),
        "created_at": invite.created_at.to_rfc3339(),
        "state": state(app, invite),
    })
}

/// How many are allowed is the verb's to say; that 0 is none, and not any, is said here.
fn uses(text: &str) -> Result<Uses, String> {
    match text.parse() {
        _ if text == "any" => Ok(Uses(None)),
        Ok(0) => Err("nobody could join by it: write a number from 1, or any".to_owned()),
        Ok(number) => Ok(Uses(Some(number))),
        Err(_) => Err("write a number, or any".to_owned()),
    }
}

fn valid(text: &str) -> Result<Valid, String> {
    if text == "never" {
        return Ok(Valid(None));
    }
    let wrong = || "write 30m, 12h, 7d, 2w or never".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = text.trim_end_matches(unit).parse().map_err(|_| wrong())?;
    Ok(Valid(Some(Duration::from_secs(number.saturating_mul(minutes * 60)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_number_and_a_unit() {
        let hours = |n: u64| Ok(Valid(Some(Duration::from_secs(n * 60 * 60))));
        assert_eq!(valid("12h"), hours(12));
        assert_eq!(valid("90m"), Ok(Valid(Some(Duration::from_secs(90 * 60)))));
        assert_eq!(valid("7d"), hours(7 * 24));
        assert_eq!(valid("2w"), hours(14 * 24));
        assert_eq!(valid("never"), Ok(Valid(None)));
        for wrong in ["", "7", "d", "7y", "-1d", "1.5h", "7 d"] {
            assert!(valid(wrong).is_err(), "{wrong}");
        }
    }
}
