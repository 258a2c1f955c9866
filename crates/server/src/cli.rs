//! The command line: what can be asked of `porchlight`, and who answers it.
//!
//! Never does anything itself: commands that change something call `app`'s verbs, as the API and the pages do, so they
//! work while a server runs.

mod account;
mod check_config;
mod community;
mod domain;
mod invite;
pub mod output;
mod ready;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use ::domain::Clock;
use anyhow::Context as _;
use app::App;
use clap::{Args, Parser, Subcommand};
use storage::Db;

use crate::config::Config;
use crate::{demo, serve, telemetry};

/// A home on the fediverse for a small community.
#[derive(Debug, Parser)]
#[command(name = "porchlight", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// Without one: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What holds for every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The configuration's file. `config.toml` in the working directory is read if there is one and none is named.
    #[arg(long, global = true, value_name = "FILE", env = "PORCHLIGHT_CONFIG")]
    pub config: Option<PathBuf>,
    /// Answer in JSON, for scripts.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the community, until SIGINT or SIGTERM. What happens without a command.
    Serve,
    /// Bring the database's tables up to date, and stop. `serve` does it too.
    Migrate,
    /// Read the configuration, say what holds and what is wrong with it, and stop.
    CheckConfig,
    /// Ask the server that runs on this machine whether it can do its work, and say what is wrong if it cannot. For health
    /// checks: the exit code is 0 when it can.
    Ready,
    /// Make, look at and look after accounts.
    #[command(subcommand)]
    Account(account::Command),
    /// Show or change what the community says about itself: its name, what it is, its rules, whom to write to.
    #[command(subcommand)]
    Community(community::Command),
    /// Decide about other communities: block them, limit them, or take that back.
    #[command(subcommand)]
    Domain(domain::Command),
    /// Make, list and take back links by which people may join.
    #[command(subcommand)]
    Invite(invite::Command),
    /// List, show and resolve what was reported.
    #[command(subcommand)]
    Report(report::Command),
    /// Start two communities that follow and write to each other, say how to look at them, and run until stopped.
    Demo(demo::Options),
}

/// Says what cannot be read in the command line, or the help that was asked for; the exit code is clap's. In JSON where
/// `--json` stands among what cannot be read.
#[must_use]
pub fn refused(why: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json && why.use_stderr() {
        let text = why.to_string();
        let words = text.trim().strip_prefix("error: ").unwrap_or(&text);
        output::failure(&anyhow::Error::msg(words.to_owned()), true);
    } else if let Err(error) = why.print() {
        tracing::debug!(%error, "nobody reads what is printed");
    }
    ExitCode::from(u8::try_from(why.exit_code()).unwrap_or(2))
}

/// Answers the command line.
///
/// # Errors
/// What stopped it, to be shown to the person who asked.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = Config::load(cli.global.config.as_deref());
    let command = cli.command.unwrap_or(Command::Serve);
    if let Command::Demo(options) = &command {
        let runtime = runtime()?;
        runtime.block_on(demo::run(options, cli.global.json))?;
        return Ok(ExitCode::SUCCESS);
    }
    if matches!(command, Command::CheckConfig) {
        return check_config::run(&cli.global, config);
    }
    let mut config = config?;
    if matches!(command, Command::Ready) {
        return ready::run(&cli.global, &config);
    }
    if !matches!(command, Command::Serve) {
        // A command's own answer is what was asked for.
        config.log.level = "warn".to_owned();
    }
    telemetry::start_logging(&config.log)?;
    let runtime = runtime()?;
    runtime.block_on(answer(command, &cli.global, &config))?;
    Ok(ExitCode::SUCCESS)
}

/// A thread is held up while the embedded database answers, so there are more of them than processors.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    tokio::runtime::Builder::new_multi_thread().worker_threads((2 * processors).max(4)).enable_all().build()
}

async fn answer(command: Command, global: &Global, config: &Config) -> anyhow::Result<()> {
    if matches!(command, Command::Serve) {
        return serve::run(config).await;
    }
    let storage = config.storage();
    if !matches!(command, Command::Migrate) {
        needs_a_database(&storage)?;
    }
    let db = Db::connect(&storage, Clock::System).await.context("cannot open the database")?;
    let media = media::MediaStore::on_disk(&config.media_dir()).context("cannot open the folder for media")?;
    let app = App::open(db, config.url.clone(), config.app(), media).await.context("cannot begin")?;
    let answered = match command {
        Command::Serve | Command::CheckConfig | Command::Ready | Command::Demo(_) => Ok(()),
        Command::Migrate if global.json => output::json(&serde_json::json!({ "ok": true })),
        Command::Migrate => output::line("The database is up to date."),
        Command::Account(command) => account::run(command, global, &app).await,
        Command::Community(command) => community::run(command, global, &app).await,
        Command::Domain(command) => domain::run(command, global, &app).await,
        Command::Invite(command) => invite::run(command, global, &app).await,
        Command::Report(command) => report::run(command, global, &app).await,
    };
    app.db.close().await;
    answered
}

/// A command that does not find the community must not make an empty one elsewhere.
fn needs_a_database(config: &storage::Config) -> anyhow::Result<()> {
    let Some(file) = config.file() else { return Ok(()) };
    let there = file.try_exists().with_context(|| file.display().to_string())?;
    anyhow::ensure!(
        there,
        "there is no database at {}: name the server's configuration with --config, or start the server once",
        file.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_serves() {
        let cli = Cli::try_parse_from(["porchlight", "--config", "maple.toml"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.global.config.unwrap().to_str(), Some("maple.toml"));
    }
}
