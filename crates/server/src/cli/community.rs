//! `porchlight community …`: what the community says about itself.
//!
//! Changes go through `app`'s verb, as the operator; a running server shows them within some seconds.

use anyhow::bail;
use app::App;
use app::accounts::By;
use app::community::change::{self, Changes};
use clap::{Args, Subcommand};
use domain::instance::CommunitySettings;
use domain::text;
use serde_json::json;
use storage::settings;

use super::{Global, output};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what the community says about itself, on its about page and to apps.
    Show,
    /// Change some of it. What is not named stays as it is.
    Set(Set),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Set {
    /// Its name.
    #[arg(long)]
    title: Option<String>,
    /// What it is, in one or two sentences: on the front page, and in lists of communities.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// What more there is to say, for the about page. Blank lines part paragraphs.
    #[arg(long, value_name = "TEXT")]
    about: Option<String>,
    /// The e-mail address to write to; "" for none.
    #[arg(long, value_name = "E-MAIL")]
    contact: Option<String>,
    /// A rule, to be agreed to by who joins. Once for each, in order; they replace all that were there.
    #[arg(long = "rule", value_name = "RULE", conflicts_with = "no_rules")]
    rules: Vec<String>,
    /// Take all rules away.
    #[arg(long)]
    no_rules: bool,
}

/// Does what was asked.
///
/// # Errors
/// Why it could not be done.
pub async fn run(command: Command, global: &Global, app: &App) -> anyhow::Result<()> {
    let community = match command {
        Command::Show => settings::community(&mut app.db.read().await?).await?,
        Command::Set(wanted) => {
            if wanted.rules.iter().any(|rule| rule.trim().is_empty()) {
                bail!("a rule must not be empty: --no-rules takes all away");
            }
            let rules = (wanted.no_rules || !wanted.rules.is_empty()).then_some(wanted.rules);
            let Set { title, description, about, contact, .. } = wanted;
            let changes = Changes { title, description, about, contact_email: contact, rules };
            change::change(app, By::Operator, &changes).await?
        }
    };
    if global.json { output::json(&as_json(&community)) } else { show(&community) }
}

fn as_json(community: &CommunitySettings) -> serde_json::Value {
    json!({
        "title": community.title,
        "description": community.description,
        "about": text::plain(&community.about),
        "contact": community.contact_email,
        "rules": community.rules,
    })
}

fn show(community: &CommunitySettings) -> anyhow::Result<()> {
    let row = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
    let mut rows = vec![row("title", &community.title), row("description", &community.description)];
    for (n, line) in text::plain(&community.about).lines().enumerate() {
        rows.push(row(if n == 0 { "about" } else { "" }, line));
    }
    rows.push(row("contact", &community.contact_email));
    for (n, rule) in community.rules.iter().enumerate() {
        rows.push(row(&format!("rule {}", n + 1), rule));
    }
    output::table(&rows)
}
