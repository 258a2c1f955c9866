//! `porchlight ready`: asks the server that runs on this machine whether it can do its work, for whoever watches it.
//!
//! Never opens the database: what counts is what the server says.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::{Global, output};
use crate::config::Config;

/// The server answers within five seconds, whatever is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of an answer that are looked at.
const MOST: u64 = 16 * 1024;

/// # Errors
/// When nothing answers there, or nothing that can be understood.
pub fn run(global: &Global, config: &Config) -> anyhow::Result<ExitCode> {
    let address = here(config.bind);
    let (status, words) = ask(address).with_context(|| format!("no server answers at {address}"))?;
    let ready = status == 200;
    let wrong: Vec<&str> = words.lines().filter(|_| !ready).collect();
    if global.json {
        output::json(&json!({ "ready": ready, "wrong": wrong }))?;
    } else {
        output::line(if ready { "The server is ready." } else { "The server is not ready:" })?;
        wrong.iter().try_for_each(|why| output::line(&format!("  {why}")))?;
    }
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where a server that listens on `bind` is reached from the same machine.
fn here(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

/// The status and the body.
fn ask(address: SocketAddr) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET /ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut text = String::new();
    stream.take(MOST).read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").context("what answers is no server of ours")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")?;
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_here() {
        let asked = |bind: &str| here(bind.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:4000"), "127.0.0.1:4000");
        assert_eq!(asked("[::]:4000"), "[::1]:4000");
        assert_eq!(asked("10.0.0.7:80"), "10.0.0.7:80");
    }
}
