//! A server as a process: that there is one for a database, and that it says truly whether it can do its work.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_porchlight");

/// A server that ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn command(program: &str, home: &Path, database: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(home).env_clear().env("PATH", "/usr/bin:/bin");
    command.env("PORCHLIGHT_BIND", "127.0.0.1:0").env("PORCHLIGHT_DATABASE_URL", database);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Waits until it serves, or ends: then what it complained of.
fn begun(mut child: Child) -> Result<Server, String> {
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    loop {
        let mut line = String::new();
        if log.read_line(&mut line).unwrap() == 0 {
            child.wait().unwrap();
            return Err(said);
        }
        if line.contains("Porchlight is at") {
            let address = line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
            // Read on, so that it never waits for whoever reads its log.
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
            return Ok(Server { child, address });
        }
        said.push_str(&line);
    }
}

fn serve(home: &Path, database: &str) -> Result<Server, String> {
    begun(command(PROGRAM, home, database).arg("serve").spawn().unwrap())
}

fn ask(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// One file, one server, whatever the file is called.
#[test]
fn no_other_name_of_the_database_lets_a_second_server_in() {
    use std::os::unix::fs::symlink;

    let home = TempDir::new().unwrap();
    let at = |name: &str| home.path().canonicalize().unwrap().join(name).display().to_string();
    std::fs::create_dir(at("data")).unwrap();
    symlink("data/porchlight.db", at("link.db")).unwrap();
    symlink(at("data"), at("folder")).unwrap();
    let first = serve(home.path(), &format!("sqlite://{}", at("link.db"))).unwrap();
    for name in ["link.db", "data/porchlight.db", "folder/porchlight.db", "data/../data/./porchlight.db"] {
        let complaint = serve(home.path(), &format!("sqlite://{}", at(name))).err().expect("one server");
        assert!(complaint.contains("another server works on"), "{name}: {complaint}");
    }
    drop(first);
    std::fs::hard_link(at("data/porchlight.db"), at("other.db")).unwrap();
    for name in ["other.db", "data/porchlight.db"] {
        let complaint = serve(home.path(), &format!("sqlite://{}", at(name))).err().expect("no server");
        assert!(complaint.contains("another name too (a hard link)"), "{name}: {complaint}");
    }
    std::fs::remove_file(at("other.db")).unwrap();
    serve(home.path(), &format!("sqlite://{}", at("data/porchlight.db"))).unwrap();
}

fn ready(home: &Path, server: &Server) -> Output {
    command(PROGRAM, home, "")
        .env("PORCHLIGHT_BIND", &server.address)
        .stdout(Stdio::piped())
        .arg("ready")
        .output()
        .unwrap()
}

/// With every write failing, as on a full disk, it is alive and not ready; with room again it is both.
#[cfg(target_os = "linux")]
#[test]
fn a_server_whose_writes_fail_says_that_it_is_not_ready() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let home = TempDir::new().unwrap();
    // Whoever writes more than is allowed gets an error then, instead of a signal that ends it.
    let mut shell = command("sh", home.path(), "");
    let server = begun(shell.args(["-c", "trap '' XFSZ; exec \"$0\" serve", PROGRAM]).spawn().unwrap()).unwrap();
    assert_eq!(ask(&server.address, "/ready"), (200, "OK".to_owned()));
    assert!(ready(home.path(), &server).status.success());

    let pid = Pid::from_raw(i32::try_from(server.child.id()).unwrap());
    let none = Rlimit { current: Some(0), maximum: None };
    let before = prlimit(pid, Resource::Fsize, none).unwrap();
    // The last result is kept for five seconds.
    std::thread::sleep(Duration::from_secs(6));
    let (status, words) = ask(&server.address, "/ready");
    assert_eq!((status, words.as_str()), (503, "the database cannot be written\n"));
    assert_eq!(ask(&server.address, "/health"), (200, "OK".to_owned()));
    assert_eq!(ask(&server.address, "/about").0, 200, "what it has, it shows");
    let told = ready(home.path(), &server);
    assert!(!told.status.success());
    let told = String::from_utf8(told.stdout).unwrap();
    assert_eq!(told, "The server is not ready:\n  the database cannot be written\n");

    prlimit(pid, Resource::Fsize, before).unwrap();
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(ask(&server.address, "/ready"), (200, "OK".to_owned()));
    let address = server.address.clone();
    drop(server);
    let nobody = command(PROGRAM, home.path(), "").env("PORCHLIGHT_BIND", &address).arg("ready").output().unwrap();
    assert!(!nobody.status.success());
    assert!(String::from_utf8(nobody.stderr).unwrap().contains(&format!("no server answers at {address}")));
}
