//! Runs other programs from the workspace's root: loudly when their output is the point, silently otherwise.
//!
//! Never decides what to run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// One line about what is going on, on standard error.
pub fn say(what: &str) {
    eprintln!("xtask: {what}");
}

/// The cargo that started us, in the workspace's root.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program, to be run in the workspace's root.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Runs with our own output; fails when the program does.
pub fn loud(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("failed ({status}): {}", shown(command));
    }
    Ok(())
}

/// Runs without output and answers what it printed; when it fails, the error holds everything it said.
pub fn silent(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", shown(command)))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let complained = String::from_utf8_lossy(&output.stderr);
        bail!("failed ({}): {}\n{printed}{complained}", output.status, shown(command));
    }
    Ok(printed)
}

/// Where a program of this name lies on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// `1 min 12 s`, since then.
pub fn since(start: Instant) -> String {
    minutes(start.elapsed())
}

fn minutes(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_an_error_that_holds_what_it_said() {
        let error =
            silent(Command::new("sh").args(["-c", "echo heard; echo seen >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("heard") && error.contains("seen") && error.contains("3"), "{error}");
        assert_eq!(silent(Command::new("sh").args(["-c", "echo fine"])).unwrap(), "fine\n");
    }

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(minutes(Duration::from_secs(59)), "59 s");
        assert_eq!(minutes(Duration::from_secs(72)), "1 min 12 s");
    }
}
