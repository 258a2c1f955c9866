//! `cargo xtask fuzz`: looks for inputs that break what must hold whatever a stranger sends (`crates/fuzz`).
//!
//! What it finds on its way is kept in `target/fuzz`, and so is the input that broke something. Never changes the seeds:
//! people put a finding there, cut to what matters, beside the unit test that shows it mended.

use std::fs;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::dependencies::Tool;
use crate::run;

const CARGO_FUZZ: Tool = Tool { name: "cargo-fuzz", version: "0.13.2" };
/// Megabytes that one input may take.
const MEMORY: u32 = 2048;
/// Seconds that one input may take: ten thousand times what most take.
const TIMEOUT: u32 = 10;

#[derive(Debug, Args)]
pub struct Options {
    /// What is fuzzed; all, one after the other, when none is named.
    targets: Vec<Target>,
    /// How long each.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// Headers of signed requests, digests, keys.
    Signature,
    /// Documents of other servers.
    Wire,
    /// HTML of other servers.
    Html,
    /// Names of hosts, handles, domains.
    Host,
    /// What people type.
    Text,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Wire => "wire",
            Self::Html => "html",
            Self::Host => "host",
            Self::Text => "text",
        }
    }

    /// Bytes of the longest input.
    fn longest(self) -> u32 {
        match self {
            Self::Host => 512,
            Self::Signature | Self::Wire | Self::Html | Self::Text => 4096,
        }
    }
}

/// # Errors
/// When something was found, or the fuzzer cannot be built.
pub fn run(options: &Options) -> anyhow::Result<()> {
    CARGO_FUZZ.ensure()?;
    // The versions that the program is built from. The fuzzer adds its own.
    let root = run::root();
    fs::copy(root.join("Cargo.lock"), root.join("crates/fuzz/Cargo.lock")).context("cannot copy Cargo.lock")?;
    let targets = if options.targets.is_empty() { Target::value_variants() } else { &options.targets };
    for target in targets {
        let name = target.name();
        let found = format!("target/fuzz/corpus/{name}");
        let artifacts = format!("target/fuzz/findings/{name}");
        for folder in [&found, &artifacts] {
            fs::create_dir_all(root.join(folder)).with_context(|| format!("cannot make {folder}"))?;
        }
        // Without a sanitizer the stable compiler will do; there is no unsafe code of ours for one to watch.
        let mut command = run::cargo();
        command.args([
            "fuzz",
            "run",
            "--sanitizer",
            "none",
            "--fuzz-dir",
            "crates/fuzz",
            "--target-dir",
            "target/fuzz",
        ]);
        command.args([name, &found, &format!("crates/fuzz/seeds/{name}"), "--"]);
        command.args([
            format!("-max_total_time={}", options.seconds),
            format!("-timeout={TIMEOUT}"),
            format!("-rss_limit_mb={MEMORY}"),
            format!("-max_len={}", target.longest()),
            format!("-artifact_prefix={artifacts}/"),
            "-print_final_stats=1".to_owned(),
        ]);
        let words = format!("crates/fuzz/{name}.dict");
        if root.join(&words).exists() {
            command.arg(format!("-dict={words}"));
        }
        run::loud(&mut command)?;
    }
    Ok(())
}
