//! `cargo xtask check-deps`: what we build upon may be used, comes from where we think, and is used at all.
//!
//! Never changes Cargo.toml or Cargo.lock: it complains, people decide.

use anyhow::{Context as _, bail};

use crate::run;

/// The tools, with the versions that are installed where none is: a new release cannot turn a green tree red.
const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
const MACHETE: Tool = Tool { name: "cargo-machete", version: "0.9.2" };

#[derive(Debug, Clone, Copy)]
pub struct Tool {
    pub name: &'static str,
    pub version: &'static str,
}

/// # Errors
/// When a check fails, naming all that failed, or when a tool cannot be installed.
pub fn check() -> anyhow::Result<()> {
    for tool in [DENY, MACHETE] {
        tool.ensure()?;
    }
    let mut failed = Vec::new();
    let mut judge = |what: &'static str, verdict: anyhow::Result<()>| match verdict {
        Ok(()) => run::say(&format!("{what}: fine")),
        Err(error) => {
            run::say(&format!("{what}: {error:#}"));
            failed.push(what);
        }
    };
    judge("licences, bans, sources", deny(&["licenses", "bans", "sources"]));
    // The list of known holes is a repository elsewhere. A machine that cannot reach it is no reason to stop.
    match run::silent(run::cargo().args(["deny", "--log-level", "error", "fetch", "db"])) {
        Ok(_) => judge("advisories", deny(&["--disable-fetch", "advisories"])),
        Err(error) => {
            let why = error.to_string();
            let cause = why.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            run::say(&format!("advisories: NOT CHECKED, their database cannot be reached ({})", cause.trim()));
        }
    }
    judge("every dependency is used", machete());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join("; "));
    }
    Ok(())
}

/// Quiet but for errors: cargo-deny warns of identifiers that other people's crates spell in an old way.
fn deny(what: &[&str]) -> anyhow::Result<()> {
    let arguments = ["deny", "--log-level", "error", "--all-features", "check", "--hide-inclusion-graph"];
    run::silent(run::cargo().args(arguments).args(what)).map(drop)
}

fn machete() -> anyhow::Result<()> {
    run::silent(run::command("cargo-machete").arg("crates")).map(drop)
}

impl Tool {
    /// Installs it from crates.io unless it is there. Unoptimised: these tools run for seconds, and compiling them
    /// with optimisations takes minutes.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub fn ensure(self) -> anyhow::Result<()> {
        if run::find(self.name).is_some() {
            return Ok(());
        }
        run::say(&format!("installing {} {} (cargo install, a minute or so)", self.name, self.version));
        let mut install = run::cargo();
        install.args(["install", "--quiet", "--debug", "--locked", self.name, "--version", self.version]);
        // Installed tools need none, and writing it takes time.
        install.env("CARGO_PROFILE_DEV_DEBUG", "0");
        run::silent(&mut install).with_context(|| {
            format!("cannot install {0}: run `cargo install --locked {0} --version {1}`", self.name, self.version)
        })?;
        run::find(self.name).map(drop).with_context(|| format!("{} was installed, yet is not on the PATH", self.name))
    }
}
