//! `porchlight report …`: what members and other communities reported.
//!
//! Changes go through `app`'s verbs, as the operator.

use ::domain::report::Report;
use ::domain::{AccountId, ReportId};
use anyhow::bail;
use app::App;
use app::accounts::By;
use app::reports::resolve;
use clap::Subcommand;
use serde_json::{Value, json};
use storage::{Conn, accounts, posts, reports};

use super::{Global, output};

/// Reports that are listed, at most.
const LISTED: i64 = 200;
/// Characters of a comment in the list.
const SHORT: usize = 60;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the reports that nobody has dealt with, newest first.
    List {
        /// Those that were dealt with as well.
        #[arg(long)]
        all: bool,
    },
    /// Show one report: its author, its target, which posts, and why.
    Show {
        /// As `porchlight report list` shows it.
        id: ReportId,
    },
    /// Say that a report was dealt with.
    Resolve {
        /// As `porchlight report list` shows it.
        id: ReportId,
    },
    /// Say that a report is to be looked at again.
    Reopen {
        /// As `porchlight report list --all` shows it.
        id: ReportId,
    },
}

/// Does what was asked.
///
/// # Errors
/// Why it could not be done.
pub async fn run(command: Command, global: &Global, app: &App) -> anyhow::Result<()> {
    match command {
        Command::List { all } => list(global, app, all).await,
        Command::Show { id } => show(global, app, id).await,
        Command::Resolve { id } => {
            found(resolve::resolve(app, By::Operator, id).await)?;
            done(global, id, "It is dealt with.")
        }
        Command::Reopen { id } => {
            found(resolve::reopen(app, By::Operator, id).await)?;
            done(global, id, "It is open again.")
        }
    }
}

fn found<T>(answer: app::Result<T>) -> anyhow::Result<T> {
    match answer {
        Err(app::Error::NotFound) => bail!("there is no such report: `porchlight report list --all` shows them"),
        answer => Ok(answer?),
    }
}

fn done(global: &Global, id: ReportId, text: &str) -> anyhow::Result<()> {
    if global.json {
        return output::json(&json!({"id": id.to_string()}));
    }
    output::line(text)
}

async fn list(global: &Global, app: &App, all: bool) -> anyhow::Result<()> {
    let mut conn = app.db.read().await?;
    let found = match all {
        true => reports::all(&mut conn, LISTED).await?,
        false => reports::open(&mut conn, LISTED).await?,
    };
    let mut told = Vec::with_capacity(found.len());
    for report in found {
        told.push(Told::of(&mut conn, report).await?);
    }
    if global.json {
        return output::json(&told.iter().map(Told::as_json).collect::<Vec<_>>());
    }
    if told.is_empty() {
        return output::line("Nothing waits to be looked at.");
    }
    let mut rows = vec![["ID", "SINCE", "IS", "ABOUT", "BY", "CATEGORY", "SAYS"].map(str::to_owned).to_vec()];
    rows.extend(told.iter().map(|told| {
        let says: String = told.report.comment.split_whitespace().collect::<Vec<_>>().join(" ");
        let says = says.chars().take(SHORT).collect();
        let (report, is) = (&told.report, if told.report.resolved_at.is_some() { "resolved" } else { "open" });
        let (since, category) = (report.created_at.to_date(), report.category.as_str().to_owned());
        vec![report.id.to_string(), since, is.to_owned(), told.about.clone(), told.by.clone(), category, says]
    }));
    output::table(&rows)
}

async fn show(global: &Global, app: &App, id: ReportId) -> anyhow::Result<()> {
    let mut conn = app.db.read().await?;
    let report = found(reports::get(&mut conn, id).await.map_err(app::Error::from))?;
    let told = Told::of(&mut conn, report).await?;
    if global.json {
        return output::json(&told.as_json());
    }
    let report = &told.report;
    let mut rows = vec![
        ("report", report.id.to_string()),
        ("about", told.about.clone()),
        ("by", told.by.clone()),
        ("on", report.created_at.to_rfc3339()),
        ("category", report.category.as_str().to_owned()),
    ];
    rows.extend(report.rules.iter().map(|rule| ("rule", rule.text.clone())));
    rows.extend(told.posts.iter().map(|post| ("post", post.clone())));
    if report.forwarded {
        rows.push(("forwarded", "to the server of the account, without the reporter's name".to_owned()));
    }
    if let Some(at) = report.resolved_at {
        rows.push(("resolved", format!("{} by {}", at.to_rfc3339(), told.resolved_by)));
    }
    output::table(&rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect::<Vec<_>>())?;
    match report.comment.is_empty() {
        true => Ok(()),
        false => output::line(&format!("\n{}", report.comment)),
    }
}

/// A report with the names that belong to it.
struct Told {
    report: Report,
    about: String,
    by: String,
    resolved_by: String,
    /// Addresses of the posts' pages; those that are gone are left out.
    posts: Vec<String>,
}

impl Told {
    async fn of(conn: &mut Conn, report: Report) -> anyhow::Result<Self> {
        let mut pages = Vec::new();
        for id in &report.posts {
            match posts::unchecked(conn, *id).await {
                Ok(post) => pages.push(post.url),
                Err(storage::Error::NotFound) => {}
                Err(e) => return Err(e.into()),
            }
        }
        let resolved_by = match report.resolved_by {
            Some(id) => name(conn, id).await?,
            None => "the operator".to_owned(),
        };
        let (about, by) = (name(conn, report.target_id).await?, name(conn, report.account_id).await?);
        Ok(Self { about, by, resolved_by, posts: pages, report })
    }

    fn as_json(&self) -> Value {
        let report = &self.report;
        json!({
            "id": report.id.to_string(),
            "about": self.about,
            "by": self.by,
            "host": report.host.as_ref().map(::domain::Host::as_str),
            "category": report.category.as_str(),
            "rules": report.rules.iter().map(|rule| &rule.text).collect::<Vec<_>>(),
            "comment": report.comment,
            "posts": self.posts,
            "forwarded": report.forwarded,
            "created_at": report.created_at.to_rfc3339(),
            "resolved_at": report.resolved_at.map(|at| at.to_rfc3339()),
            "resolved_by": report.resolved_at.map(|_| &self.resolved_by),
        })
    }
}

async fn name(conn: &mut Conn, id: AccountId) -> anyhow::Result<String> {
    let found = accounts::many_even_deleted(conn, &[id]).await?.pop();
    Ok(found.map_or_else(|| "an account that is gone".to_owned(), |account| format!("@{}", account.acct())))
}
