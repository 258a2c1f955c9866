//! `cargo xtask test`: everything the tests need, then the tests.
//!
//! Never leaves anything running or lying about.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;

use crate::postgres::Cluster;
use crate::{prerequisites, run};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Passed on to the test runner: `cargo xtask test -p porchlight-storage timelines`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    passed_on: Vec<String>,
}

/// # Errors
/// When something is missing, or a test fails.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let start = Instant::now();
    let given = std::env::var("PORCHLIGHT_TEST_POSTGRES").ok();
    let programs = prerequisites::ensure(given.is_none())?;
    let cluster = programs.postgres_bin.as_deref().map(Cluster::start).transpose()?;
    let url = match (&cluster, given) {
        (Some(cluster), _) => cluster.url.clone(),
        (None, given) => given.unwrap_or_default(),
    };
    let environment = [
        ("PORCHLIGHT_TEST_POSTGRES", PathBuf::from(url)),
        ("PORCHLIGHT_TEST_CHROMIUM", programs.chromium),
        ("PORCHLIGHT_TEST_BINARY", binary()?),
    ];

    // Tests and the program itself in one go, so that both use the same build of every dependency.
    run::loud(run::cargo().args(["build", "--workspace", "--bins", "--tests"]))?;
    run::say(&format!("built in {}", run::since(start)));
    for mut command in runners(&options.passed_on) {
        run::loud(command.envs(environment.iter().map(|(name, value)| (*name, value))))?;
    }
    drop(cluster);
    run::say(&format!("all tests passed, in {}", run::since(start)));
    Ok(())
}

/// The built `porchlight`, which the tests start as a process: it lies beside us.
fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    Ok(own.with_file_name(format!("porchlight{}", std::env::consts::EXE_SUFFIX)))
}

/// nextest where it is installed (it runs the test binaries side by side, and ends a test that hangs) after the
/// documentation's examples, which it does not know; otherwise cargo's own runner, which does both.
fn runners(passed_on: &[String]) -> Vec<Command> {
    let chosen = passed_on.iter().any(|word| word == "-p" || word.starts_with("--package"));
    let cargo = |words: &[&str]| {
        let mut command = run::cargo();
        command.args(words);
        if !chosen {
            command.arg("--workspace");
        }
        command
    };
    if run::find("cargo-nextest").is_none() {
        let mut tests = cargo(&["test"]);
        tests.args(passed_on);
        return vec![tests];
    }
    let mut tests = cargo(&["nextest", "run", "--status-level", "slow"]);
    tests.args(passed_on);
    if passed_on.is_empty() { vec![cargo(&["test", "--doc", "--quiet"]), tests] } else { vec![tests] }
}
