//! `porchlight account …`: what an owner does with members from the command line.
//!
//! Changes go through `app`'s verbs, as the operator; nothing here decides who may do what.

use std::io::IsTerminal as _;

use anyhow::{Context as _, bail};
use app::App;
use app::accounts::create::{self, NewMember};
use app::accounts::{By, approve, change_password, change_role, delete, disable};
use app::oauth::tokens;
use clap::{Args, Subcommand};
use domain::account::{Account, Member, Role, Standing};
use domain::page::Page;
use domain::scope::Scopes;
use serde_json::{Value, json};
use storage::members::{self, Which};

use super::{Global, output};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an account. It can sign in at once, and its address counts as confirmed.
    Create(Create),
    /// Print an access token for the API, and nothing else. It is shown once; `reset-password` ends it.
    Token {
        #[command(flatten)]
        who: Named,
        /// What it may do, as Mastodon names it, by spaces. Scopes that begin with admin: are for moderators and above.
        #[arg(long, default_value = "read write follow push", value_parser = scopes)]
        scopes: Scopes,
    },
    /// List the members, newest first.
    List {
        /// Only those who wait to be let in.
        #[arg(long)]
        waiting: bool,
    },
    /// Show what is known about a member.
    Show(Named),
    /// Let in somebody who waits.
    Approve(Named),
    /// Turn away somebody who waits: her account is forgotten.
    Reject(Named),
    /// Give a member another role; with no option, none.
    Role {
        #[command(flatten)]
        who: Named,
        #[command(flatten)]
        role: ChosenRole,
    },
    /// Close an account: she is signed out and cannot sign in. Her posts stay, but nobody sees them, or her, until it is
    /// opened again.
    Disable(Named),
    /// Open a closed account again.
    Enable(Named),
    /// Give a member a new password and sign her out everywhere.
    ResetPassword {
        #[command(flatten)]
        who: Named,
        /// The new password. Without it, it is asked for, or read from standard input.
        #[arg(long)]
        password: Option<String>,
    },
    /// Delete an account and everything it posted, here and on other servers. It cannot be undone, and nobody can
    /// have her name again.
    Delete {
        #[command(flatten)]
        who: Named,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct Named {
    /// Her name here, as in @NAME.
    name: String,
}

#[derive(Debug, Args)]
pub struct Create {
    /// Her name here, as in @NAME: letters, digits and underscores.
    name: String,
    /// Her e-mail address, to sign in with.
    #[arg(long)]
    email: String,
    /// Her password. Without it, it is asked for, or read from standard input: other programs on this machine can see
    /// what is typed here.
    #[arg(long)]
    password: Option<String>,
    #[command(flatten)]
    role: ChosenRole,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct ChosenRole {
    /// She may do everything.
    #[arg(long)]
    owner: bool,
    /// She runs the community, but cannot take it from the owner.
    #[arg(long)]
    admin: bool,
    /// She looks after people and posts.
    #[arg(long)]
    moderator: bool,
}

impl ChosenRole {
    fn role(&self) -> Role {
        match self {
            Self { owner: true, .. } => Role::Owner,
            Self { admin: true, .. } => Role::Admin,
            Self { moderator: true, .. } => Role::Moderator,
            _ => Role::Member,
        }
    }
}

/// Does what was asked.
///
/// # Errors
/// Why it could not be done.
pub async fn run(command: Command, global: &Global, app: &App) -> anyhow::Result<()> {
    match command {
        Command::Create(wanted) => make(wanted, global, app).await,
        Command::Token { who, scopes } => token(&who, scopes, global, app).await,
        Command::List { waiting } => list(waiting, global, app).await,
        Command::Show(who) => show(&find(app, &who).await?, global),
        Command::Approve(who) => {
            let (account, _) = find(app, &who).await?;
            approve::approve(app, By::Operator, account.id).await?;
            done(&account, "is in")
        }
        Command::Reject(who) => {
            let (account, _) = find(app, &who).await?;
            approve::reject(app, By::Operator, account.id).await?;
            done(&account, "is turned away")
        }
        Command::Role { who, role } => {
            let (account, _) = find(app, &who).await?;
            change_role::change_role(app, By::Operator, account.id, role.role()).await?;
            done(&account, &format!("is now: {}", role.role().as_str()))
        }
        Command::Disable(who) => {
            let (account, _) = find(app, &who).await?;
            disable::disable(app, By::Operator, account.id).await?;
            done(&account, "is closed")
        }
        Command::Enable(who) => {
            let (account, _) = find(app, &who).await?;
            disable::enable(app, By::Operator, account.id).await?;
            done(&account, "is open")
        }
        Command::ResetPassword { who, password } => {
            let (account, _) = find(app, &who).await?;
            let password = password.map_or_else(ask_password, Ok)?;
            change_password::reset_password(app, By::Operator, account.id, &password).await?;
            done(&account, "has a new password and is signed out everywhere")
        }
        Command::Delete { who, yes } => {
            let (account, _) = find(app, &who).await?;
            if !yes {
                confirm(&account)?;
            }
            delete::delete(app, By::Operator, account.id).await?;
            done(&account, "is deleted; other servers are told as soon as the server runs")
        }
    }
}

fn done(account: &Account, what: &str) -> anyhow::Result<()> {
    output::line(&format!("@{} {what}", account.username))
}

/// Has her name typed once more.
fn confirm(account: &Account) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody here to ask: give --yes to delete @{}", account.username);
    }
    eprint!("This deletes @{} and everything she posted, for ever. Type her name: ", account.username);
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    if bare(typed.trim()) != account.username {
        bail!("that was not her name: nothing is deleted");
    }
    Ok(())
}

async fn make(wanted: Create, global: &Global, app: &App) -> anyhow::Result<()> {
    let role = wanted.role.role();
    let username = bare(&wanted.name).to_owned();
    let mut new = NewMember { username, email: wanted.email, ..NewMember::default() };
    // What was given is looked at before a password is asked for.
    let asks = wanted.password.is_none();
    new.password = wanted.password.unwrap_or_default();
    let mut wrong = create::mistakes(app, &new).await?;
    wrong.retain(|mistake| !asks || mistake.field != "password");
    if !wrong.is_empty() {
        return Err(output::Wrong(wrong).into());
    }
    if asks {
        new.password = ask_password()?;
    }
    let account = create::create(app, &new, role).await?;
    let (account, member) = members::with_account(&mut app.db.read().await?, account.id).await?;
    if global.json {
        return output::json(&as_json(&account, &member));
    }
    output::line(&format!("@{}@{} is made ({}): {}", account.username, app.urls.domain(), role.as_str(), account.url))
}

async fn token(who: &Named, scopes: Scopes, global: &Global, app: &App) -> anyhow::Result<()> {
    let (account, member) = find(app, who).await?;
    if !member.is_active() {
        bail!("@{} cannot sign in ({}), so a token would open nothing", account.username, state(&member));
    }
    if scopes.usable_by(Some(member.role)) != scopes {
        bail!(
            "@{} does not look after this community ({}): no token of theirs may have admin scopes",
            account.username,
            member.role.as_str()
        );
    }
    let (secret, token) = tokens::issue(app, None, Some(member.credentials()), &scopes).await?;
    if global.json {
        return output::json(&json!({ "access_token": secret, "scope": token.scopes.to_string() }));
    }
    output::line(&secret)
}

fn scopes(text: &str) -> Result<Scopes, String> {
    match Scopes::parse(text) {
        Ok(scopes) if scopes.is_empty() => Err("name at least one, such as read".to_owned()),
        parsed => parsed.map_err(|unknown| format!("there is no scope {unknown}")),
    }
}

/// How many members are read at a time.
const PAGE: i64 = 200;

async fn list(waiting: bool, global: &Global, app: &App) -> anyhow::Result<()> {
    let which = if waiting { Which::Waiting } else { Which::All };
    let mut all = Vec::new();
    let mut page = Page::first(PAGE);
    let mut conn = app.db.read().await?;
    loop {
        let some = members::list(&mut conn, which, &page).await?;
        let Some((last, _)) = some.last() else { break };
        page.max_id = Some(last.id.0);
        all.extend(some);
    }
    if global.json {
        return output::json(&all.iter().map(|(account, member)| as_json(account, member)).collect::<Vec<_>>());
    }
    let mut rows = vec![["NAME", "E-MAIL", "ROLE", "STATE", "SINCE"].map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|(account, member)| {
        vec![
            account.username.clone(),
            member.email.clone(),
            member.role.as_str().to_owned(),
            state(member).to_owned(),
            member.created_at.to_date(),
        ]
    }));
    output::table(&rows)
}

fn show((account, member): &(Account, Member), global: &Global) -> anyhow::Result<()> {
    let about = as_json(account, member);
    if global.json {
        return output::json(&about);
    }
    let rows: Vec<_> = about
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| vec![name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)])
        .collect();
    output::table(&rows)
}

/// The member of this name, with or without its `@`.
///
/// # Errors
/// When nobody here has it.
async fn find(app: &App, who: &Named) -> anyhow::Result<(Account, Member)> {
    let name = bare(&who.name);
    members::by_username(&mut app.db.read().await?, name)
        .await?
        .with_context(|| format!("nobody here is called {name}: `porchlight account list` shows who is"))
}

fn bare(name: &str) -> &str {
    name.strip_prefix('@').unwrap_or(name)
}

/// Asks twice, without showing what is typed; or reads one line, where nobody types.
fn ask_password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return piped_password();
    }
    let ask = |what: &str| rpassword::prompt_password(what).context("cannot ask for a password here: give --password");
    let password = ask("Password: ")?;
    if ask("Once more: ")? != password {
        bail!("the two were not the same");
    }
    Ok(password)
}

fn piped_password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("nobody here to ask for a password: give --password, or write it to standard input");
    }
    Ok(password.to_owned())
}

fn state(member: &Member) -> &'static str {
    match member.standing() {
        Standing::Active => "active",
        Standing::Waiting => "waiting",
        Standing::Disabled => "disabled",
    }
}

fn as_json(account: &Account, member: &Member) -> Value {
    json!({
        "id": account.id.to_string(),
        "username": account.username,
        "url": account.url,
        "display_name": account.display_name,
        "email": member.email,
        "role": member.role.as_str(),
        "state": state(member),
        "suspended": account.suspended_at.is_some(),
        "reason": member.sign_up_reason,
        "posts": account.posts_count,
        "followers": account.followers_count,
        "following": account.following_count,
        "created_at": member.created_at.to_rfc3339(),
        "last_active_at": member.last_active_at.map(domain::Timestamp::to_rfc3339),
    })
}
