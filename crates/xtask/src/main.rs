//! The project's chores, run as `cargo xtask CHORE`: what the README's second command and CI start.
//!
//! Never part of the product: nothing in the workspace depends on this crate.

mod dependencies;
mod fuzz;
mod postgres;
mod prerequisites;
mod run;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Porchlight's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Run every test of the workspace against SQLite and a throw-away PostgreSQL.
    ///
    /// Starts its own PostgreSQL cluster in a temporary folder and removes it afterwards, whatever happens. As root on
    /// Debian, missing programs are installed with apt-get; elsewhere it says what is missing and how to get it.
    Test(test::Options),
    /// Check licences, sources, bans and advisories of the dependencies (deny.toml), and that every one is used.
    CheckDeps,
    /// Look for inputs that break what must hold whatever a stranger sends (crates/fuzz), ten minutes for each kind.
    Fuzz(fuzz::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Test(options) => test::run(&options),
        Chore::CheckDeps => dependencies::check(),
        Chore::Fuzz(options) => fuzz::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
