//! `porchlight domain …`: what is decided about other communities.
//!
//! Changes go through `app`'s verbs, as the operator.

use ::domain::instance::{DomainPolicy, DomainSeverity};
use anyhow::bail;
use app::App;
use app::accounts::By;
use app::moderation::domains::{block, limit, remove};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use storage::domains;

use super::{Global, output};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what was decided.
    List,
    /// Block a community and everything below its domain: nothing comes in, nothing goes out, and follows between it
    /// and members end. It is not told.
    Block(Decision),
    /// Keep a community's people out of public timelines and of strangers' notifications. They can still be followed.
    Limit(Decision),
    /// Take a decision back. Follows that ended stay ended.
    Remove {
        /// The domain, as `porchlight domain list` shows it.
        domain: String,
    },
}

#[derive(Debug, Args)]
pub struct Decision {
    /// Such as willow.example; it holds for sub.willow.example too.
    domain: String,
    /// Why, for those who run the community.
    #[arg(long)]
    reason: Option<String>,
}

/// Does what was asked.
///
/// # Errors
/// Why it could not be done.
pub async fn run(command: Command, global: &Global, app: &App) -> anyhow::Result<()> {
    match command {
        Command::List => list(global, app).await,
        Command::Block(Decision { domain, reason }) => {
            let done = block::block(app, By::Operator, &domain, reason.as_deref()).await?;
            if global.json {
                return output::json(&json!({
                    "domain": done.domain,
                    "accounts": done.accounts,
                    "follows_ended": done.follows,
                    "deliveries_dropped": done.deliveries,
                }));
            }
            output::line(&format!(
                "{} is blocked: {} known accounts, {} follows ended, {} deliveries dropped.",
                done.domain, done.accounts, done.follows, done.deliveries
            ))
        }
        Command::Limit(Decision { domain, reason }) => {
            let domain = limit::limit(app, By::Operator, &domain, reason.as_deref()).await?;
            if global.json {
                return output::json(&json!({"domain": domain}));
            }
            output::line(&format!("{domain} is limited."))
        }
        Command::Remove { domain } => {
            match remove::remove(app, By::Operator, &domain).await {
                Err(app::Error::NotFound) => {
                    bail!("nothing was decided about it: `porchlight domain list` shows what was")
                }
                removed => removed?,
            }
            output::line("It is as any other community again.")
        }
    }
}

async fn list(global: &Global, app: &App) -> anyhow::Result<()> {
    let all = domains::policies(&mut app.db.read().await?).await?;
    if global.json {
        return output::json(&all.iter().map(as_json).collect::<Vec<_>>());
    }
    let mut rows = vec![["DOMAIN", "IS", "SINCE", "REASON"].map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|policy| {
        let domain = policy.domain.display().into_owned();
        let reason = policy.comment.split_whitespace().collect::<Vec<_>>().join(" ");
        vec![domain, name(policy.severity).to_owned(), policy.created_at.to_date(), reason]
    }));
    output::table(&rows)
}

fn name(severity: DomainSeverity) -> &'static str {
    match severity {
        DomainSeverity::Suspend => "blocked",
        DomainSeverity::Silence => "limited",
    }
}

fn as_json(policy: &DomainPolicy) -> Value {
    json!({
        "domain": policy.domain.as_str(),
        "is": name(policy.severity),
        "reason": policy.comment,
        "created_at": policy.created_at.to_rfc3339(),
    })
}
