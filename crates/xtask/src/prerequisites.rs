//! The programs that the tests need besides Rust: finds them, installs them where that is ours to do (as root on
//! Debian and its kin), and otherwise says which are missing and how to get them.
//!
//! Never installs anything as anybody but root, and never anything that is already there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::run;

/// Where the programs are.
#[derive(Debug)]
pub struct Programs {
    /// The folder of `initdb` and `pg_ctl`; `None` when a database to test with was given.
    pub postgres_bin: Option<PathBuf>,
    pub chromium: PathBuf,
}

/// Finds everything, installing what is missing where it may. `need_postgres` is false when
/// `PORCHLIGHT_TEST_POSTGRES` names a database already.
///
/// # Errors
/// What is missing, and the command that gets it.
pub fn ensure(need_postgres: bool) -> anyhow::Result<Programs> {
    let missing = missing(need_postgres);
    if !missing.is_empty() {
        if !(may_install()) {
            bail!("{}", advice(&missing));
        }
        install(&missing)?;
    }
    let chromium = chromium().context("chromium was installed, yet cannot be found")?;
    let postgres_bin = match need_postgres {
        true => Some(postgres_bin().context("postgresql was installed, yet initdb cannot be found")?),
        false => None,
    };
    Ok(Programs { postgres_bin, chromium })
}

/// Debian's names of the packages that are not there.
fn missing(need_postgres: bool) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if need_postgres && postgres_bin().is_none() {
        missing.push("postgresql");
    }
    if chromium().is_none() {
        missing.push("chromium");
    }
    missing
}

fn chromium() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("PORCHLIGHT_TEST_CHROMIUM") {
        return Some(given.into());
    }
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(run::find)
}

/// The folder that holds PostgreSQL's server programs: Debian keeps them off the PATH, by version.
fn postgres_bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, bin)| holds_a_server(bin))
        .max_by_key(|(version, _)| *version)
        .map(|(_, bin)| bin);
    newest.or_else(|| {
        let bin = run::find("initdb")?.parent()?.to_path_buf();
        holds_a_server(&bin).then_some(bin)
    })
}

fn holds_a_server(bin: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| bin.join(program).is_file())
}

fn may_install() -> bool {
    is_root() && Path::new("/etc/debian_version").exists() && run::find("apt-get").is_some()
}

/// Are we the superuser? Asked of `id`, as there is no safe call for it in the standard library.
pub fn is_root() -> bool {
    run::silent(run::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    run::say(&format!("installing {} (apt-get)", packages.join(" and ")));
    let apt = || {
        let mut command = run::command("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        command
    };
    run::silent(apt().arg("update")).context("cannot refresh apt's lists")?;
    run::silent(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages))
        .with_context(|| format!("cannot install {}", packages.join(" and ")))?;
    Ok(())
}

fn advice(missing: &[&str]) -> String {
    let names = missing.join(" ");
    let mut lines = vec![format!("the tests need these programs, which are not here: {}", missing.join(", "))];
    lines.push(format!("  Debian, Ubuntu: sudo apt-get install {names}"));
    lines.push(format!("  Fedora:         sudo dnf install {}", names.replace("postgresql", "postgresql-server")));
    lines.push(format!("  macOS:          brew install {}", names.replace("chromium", "--cask chromium")));
    lines.push("or name ones you have:".to_owned());
    if missing.contains(&"postgresql") {
        lines.push("  PORCHLIGHT_TEST_POSTGRES=postgres://user:password@127.0.0.1:5432/postgres".to_owned());
        lines.push("    (a role that may create databases; each test makes and drops its own)".to_owned());
    }
    if missing.contains(&"chromium") {
        lines.push("  PORCHLIGHT_TEST_CHROMIUM=/path/to/chromium".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_what_is_missing_and_nothing_else() {
        let advice = advice(&["chromium"]);
        assert!(advice.contains("apt-get install chromium\n"), "{advice}");
        assert!(advice.contains("PORCHLIGHT_TEST_CHROMIUM"), "{advice}");
        assert!(!advice.contains("postgres"), "{advice}");
    }

    #[test]
    fn a_folder_without_a_server_is_not_postgres() {
        assert!(!holds_a_server(Path::new(env!("CARGO_MANIFEST_DIR"))));
    }
}
