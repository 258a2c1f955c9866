//! A PostgreSQL cluster that lives as long as the tests do: its own folder, port and password, nothing synced to disk.
//!
//! Never touches a cluster it did not make. A small shell waits on a pipe from us and clears up when the pipe closes,
//! so the cluster goes away also when we are interrupted or killed.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::{prerequisites, run};

/// Stops the server and removes its folder once nobody holds the other end of its standard input.
const CLEAR_UP: &str =
    r#"trap "" INT TERM HUP; cat >/dev/null; "$@" -m immediate -w stop >/dev/null 2>&1; rm -rf "$CLUSTER""#;

/// For a database that may be lost at any time, and is used by many small tests at once.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 400
shared_buffers = 64MB
autovacuum = off
jit = off
log_min_messages = warning
";

/// A running cluster; dropping it stops it and removes its folder.
#[derive(Debug)]
pub struct Cluster {
    /// `postgres://…`, of a role that may create databases.
    pub url: String,
    guard: Child,
}

impl Cluster {
    /// Makes and starts one with the programs in `bin`. As root it runs as the system's `postgres` user, since
    /// PostgreSQL refuses root.
    ///
    /// # Errors
    /// With the server's log when it does not start.
    pub fn start(bin: &Path) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("porchlight-pg-{}", std::process::id()));
        std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let as_root = prerequisites::is_root();
        let guard = guard(bin, &folder, as_root)?;
        // From here on, returning early clears up: the guard's pipe closes when it is dropped.
        let mut cluster = Self { url: String::new(), guard };
        if as_root {
            run::silent(run::command("chown").arg("postgres").arg(&folder))
                .context("cannot hand the folder to the user postgres")?;
        }
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
        let password = random_word()?;
        init(bin, &folder, as_root, &password)?;
        let port = launch(bin, &folder, as_root)?;
        cluster.url = format!("postgres://porchlight:{password}@127.0.0.1:{port}/postgres");
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        if let Err(error) = self.guard.wait() {
            run::say(&format!("cannot wait for PostgreSQL to stop: {error}"));
        }
    }
}

fn guard(bin: &Path, folder: &Path, as_root: bool) -> anyhow::Result<Child> {
    let stop = server_command(bin, "pg_ctl", folder, as_root);
    let mut shell = Command::new("sh");
    shell.args(["-c", CLEAR_UP, "guard"]).arg(stop.get_program()).args(stop.get_args());
    shell.current_dir("/").env("CLUSTER", folder).stdin(Stdio::piped());
    shell.spawn().context("cannot start sh")
}

/// One of PostgreSQL's programs on this cluster's data, as a user it accepts.
fn server_command(bin: &Path, program: &str, folder: &Path, as_root: bool) -> Command {
    let program = bin.join(program);
    let mut command = match as_root {
        true => {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        }
        false => Command::new(program),
    };
    command.arg("-D").arg(data(folder)).current_dir("/");
    command
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn init(bin: &Path, folder: &Path, as_root: bool, password: &str) -> anyhow::Result<()> {
    let file = folder.join("password");
    std::fs::write(&file, password)?;
    if as_root {
        run::silent(run::command("chown").arg("postgres").arg(&file))?;
    }
    let locale = if cfg!(target_os = "linux") { "C.UTF-8" } else { "en_US.UTF-8" };
    let mut initdb = server_command(bin, "initdb", folder, as_root);
    initdb.args(["--username=porchlight", "--auth=password", "--encoding=UTF8", "--no-sync"]);
    initdb.arg(format!("--locale={locale}")).arg("--pwfile").arg(&file);
    run::silent(&mut initdb).context("cannot make a PostgreSQL cluster")?;
    Ok(())
}

/// Starts the server on a free port and answers which. Another program may take the port between our look and the
/// server's, hence the tries.
fn launch(bin: &Path, folder: &Path, as_root: bool) -> anyhow::Result<u16> {
    let settings = data(folder).join("postgresql.conf");
    let shipped = std::fs::read_to_string(&settings)?;
    let log = folder.join("log");
    for attempt in 1.. {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let sockets = folder.display();
        std::fs::write(
            &settings,
            format!("{shipped}{SETTINGS}port = {port}\nunix_socket_directories = '{sockets}'\n"),
        )?;
        let mut start = server_command(bin, "pg_ctl", folder, as_root);
        start.arg("-l").arg(&log).args(["-w", "-t", "60", "start"]);
        // Not captured: the server inherits our pipes and would keep them open for as long as it lives.
        let status = start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if status.success() {
            return Ok(port);
        }
        if attempt == 3 {
            bail!("PostgreSQL does not start:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
        }
    }
    bail!("PostgreSQL does not start")
}

/// 32 hexadecimal digits nobody can guess.
fn random_word() -> anyhow::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
