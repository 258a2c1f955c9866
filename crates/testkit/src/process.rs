//! A server as a process of its own, which can be killed at any moment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::database::Database;
use crate::instance::{PASSWORD, client};
use crate::person::Person;

/// `porchlight serve`, with a name, a port and a database.
#[derive(Debug)]
pub struct Process {
    pub base: String,
    pub address: SocketAddr,
    environment: Vec<(&'static str, String)>,
    child: Option<Child>,
    http: reqwest::Client,
    data: TempDir,
}

/// The program: the one that is named, as `cargo xtask test` does, or the one that `cargo build` put beside the tests.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("PORCHLIGHT_TEST_BINARY") {
        return named.into();
    }
    let here = std::env::current_exe().unwrap();
    let folder = here.ancestors().nth(2).unwrap();
    let program = folder.join("porchlight");
    assert!(program.exists(), "{} is not built: run `cargo xtask test`, or `cargo build` first", program.display());
    program
}

impl Process {
    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start(name: &str, database: &Database) -> Self {
        Self::start_as(name, database, None).await
    }

    /// Starts another process of the same community.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn beside(one: &Self, database: &Database) -> Self {
        let url = one.environment[0].1.clone();
        let name = url.trim_start_matches("http://").split('.').next().unwrap().to_owned();
        Self::start_as(&name, database, Some(url)).await
    }

    /// `url` is the community's, when it is another process's address.
    async fn start_as(name: &str, database: &Database, url: Option<String>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let data = tempfile::tempdir().unwrap();
        let base = format!("http://{name}.localhost:{}", address.port());
        let environment = vec![
            ("PORCHLIGHT_URL", url.unwrap_or_else(|| base.clone())),
            ("PORCHLIGHT_BIND", address.to_string()),
            ("PORCHLIGHT_DATABASE_URL", database.url.clone()),
            ("PORCHLIGHT_DATABASE_CONNECTIONS", "8".to_owned()),
            ("PORCHLIGHT_DATA_DIR", data.path().display().to_string()),
            ("PORCHLIGHT_FEDERATION__ALLOW_HTTP", "true".to_owned()),
            ("PORCHLIGHT_FEDERATION__ALLOW_ADDRESSES", "127.0.0.0/8".to_owned()),
            ("PORCHLIGHT_RATE_LIMITS", "false".to_owned()),
            ("PORCHLIGHT_LOG__LEVEL", "error".to_owned()),
        ];
        let http = client(name, address);
        let mut process = Self { base, address, environment, child: None, http, data };
        process.go().await;
        process
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.data.path()).envs(self.environment.iter().map(|(k, v)| (*k, v.as_str())));
        command
    }

    async fn go(&mut self) {
        let child = self.command().arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        self.child = Some(child);
        for _ in 0..400 {
            if let Ok(answer) = self.http.get(format!("{}/health", self.base)).send().await
                && answer.status() == 200
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the process does not answer");
    }

    /// Of the operating system; `None` when it was killed.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// A client that finds it.
    #[must_use]
    pub fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// SIGKILL: nothing of it gets a chance to end well.
    ///
    /// # Panics
    /// When it was not running.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts it again after [`Process::kill`], with the same database and address.
    pub async fn start_again(&mut self) {
        self.go().await;
    }

    /// Asks the command line, as the person who runs the server does; what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn ask(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A new member who lets anybody follow her, made and signed in by the command line.
    ///
    /// # Panics
    /// When the name is taken.
    pub async fn member(&self, name: &str) -> Person {
        let email = format!("{name}@process.example");
        let _ = self.ask(&["account", "create", name, "--email", &email, "--password", PASSWORD]);
        let token = self.ask(&["account", "token", name, "--scopes", "read write follow push"]);
        let me = self.http.get(format!("{}/api/v1/accounts/verify_credentials", self.base)).bearer_auth(&token);
        let me: Value = serde_json::from_str(&me.send().await.unwrap().text().await.unwrap()).unwrap();
        let text = |key: &str| me[key].as_str().unwrap().to_owned();
        let (username, id) = (text("username"), text("id"));
        let person = Person { base: self.base.clone(), username, id, token, http: self.http.clone() };
        person.patch("/api/v1/accounts/update_credentials", serde_json::json!({"locked": false})).await.ok();
        person
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}
