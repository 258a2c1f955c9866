//! The configuration: a file, and the environment over it. This is the table of contents of what an owner may set.
//!
//! Never half right: a wrong value or an unknown key stops the program before it touches anything, with every mistake
//! named at once. Only the environment may hold what is no key, as long as it looks like none: others write there too. What the people of a community decide (its name, rules, who is who) is in the database, not here.

mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use domain::instance::SignUp;
use domain::limits::Limits;
use domain::urls::{Urls, has_credentials};
use ipnet::IpNet;
use serde::Serialize;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::{health, listener};
use reader::Reader;
pub use reader::{Mistakes, without_password};

/// Read when no file is named and it lies in the working directory.
pub const DEFAULT_FILE: &str = "config.toml";

/// Where HTTP is served unless something else is said.
const PORT: u16 = 4000;

/// Everything an owner may set, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// The public address: what people type and other servers see. Ids are made of it, so it never changes.
    #[serde(serialize_with = "base_of")]
    pub url: Urls,
    /// Where HTTP is served.
    pub bind: SocketAddr,
    /// `sqlite:///…` or `postgres://…`; empty for a SQLite file in `data_dir`.
    pub database_url: String,
    /// Connections to PostgreSQL that this process may hold.
    pub database_connections: u32,
    /// Holds uploads, and the database when it is the embedded one.
    pub data_dir: PathBuf,
    pub sign_up: SignUp,
    /// Where the source of what runs here can be had.
    pub source_url: String,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Limits how often one address or account may ask.
    pub rate_limits: bool,
    /// Connections at a time.
    pub connections: usize,
    /// Of those, from one address; or requests at a time of one address behind a proxy.
    pub connections_per_address: usize,
    /// Where Prometheus metrics are served; `None` for nowhere.
    pub metrics_bind: Option<SocketAddr>,
    pub federation: federation::Config,
    pub log: Log,
    pub limits: Limits,
    /// How long a peer may take. Nobody has to set it; tests cannot wait that long.
    #[serde(skip)]
    pub pace: listener::Pace,
    /// Bytes of request bodies in memory.
    #[serde(skip)]
    pub body_memory: usize,
    /// When `/ready` says that all is well.
    #[serde(skip)]
    pub ready: health::Bounds,
    /// Variables of the environment that begin like a key and are none.
    #[serde(skip)]
    pub ignored: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Log {
    pub format: LogFormat,
    /// A level, or tracing's directives such as `info,federation=debug`.
    pub level: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line, for programs.
    Json,
}

impl Config {
    /// Reads `file` (or [`DEFAULT_FILE`] if there is one), then the environment over it.
    ///
    /// # Errors
    /// Every mistake in either, each with its key, its value and what is allowed.
    pub fn load(file: Option<&Path>) -> Result<Self, Mistakes> {
        let environment =
            std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        let found = Path::new(DEFAULT_FILE);
        let file = file.or_else(|| found.exists().then_some(found));
        Self::read(file, environment.collect())
    }

    /// As [`Config::load`], from a file and an environment that are given.
    ///
    /// # Errors
    /// Every mistake in either.
    pub fn read(file: Option<&Path>, environment: BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let mut reader = Reader::open(file, environment)?;
        let mut config = Self::default();
        reader.set("bind", "an address and a port, such as 127.0.0.1:4000", &mut config.bind, socket);
        // Who moves a server to another port to try it must not make the old one part of every name in it.
        config.url = at_home(config.bind.port());
        reader.set("url", "http:// or https:// with a host and nothing after it", &mut config.url, public_url);
        reader.set(
            "database_url",
            "sqlite:///path/to/file, postgres://user:password@host/name, or empty",
            &mut config.database_url,
            database_url,
        );
        reader.set("database_connections", "a whole number from 3 to 1000", &mut config.database_connections, |text| {
            within(text, 3, 1000)
        });
        reader.set("data_dir", "the path of a folder", &mut config.data_dir, folder);
        reader.set("sign_up", "open, approval, invite or closed", &mut config.sign_up, sign_up);
        reader.set("source_url", "a whole address, with http:// or https://", &mut config.source_url, web_address);
        reader.set_list("trusted_proxies", NETWORKS, &mut config.trusted_proxies, network);
        reader.set("rate_limits", TRUTH, &mut config.rate_limits, truth);
        reader.set("connections", "a whole number from 16 to 1000000", &mut config.connections, |text| {
            within(text, 16, 1_000_000)
        });
        reader.set(
            "connections_per_address",
            "a whole number from 4 to 1000000",
            &mut config.connections_per_address,
            |text| within(text, 4, 1_000_000),
        );
        reader.set(
            "metrics_bind",
            "an address and a port, such as 127.0.0.1:4001, or empty",
            &mut config.metrics_bind,
            |text| if text.is_empty() { Some(None) } else { socket(text).map(Some) },
        );
        reader.set_list("federation.allow_addresses", NETWORKS, &mut config.federation.allow_addresses, network);
        reader.set("federation.allow_http", TRUTH, &mut config.federation.allow_http, truth);
        reader.set(
            "federation.media_bytes",
            "a whole number from 1024 to 1073741824",
            &mut config.federation.media_bytes,
            |text| within(text, 1024, 1 << 30),
        );
        reader.set("federation.fetch_budget", COUNT, &mut config.federation.fetch_budget, |text| within(text, 1, 1000));
        reader.set("federation.deliveries", COUNT, &mut config.federation.deliveries, |text| within(text, 1, 1000));
        reader.set("federation.deliveries_per_host", COUNT, &mut config.federation.deliveries_per_host, |text| {
            within(text, 1, 1000)
        });
        reader.set("log.format", "text or json", &mut config.log.format, log_format);
        reader.set(
            "log.level",
            "error, warn, info, debug, trace, off, or directives such as info,federation=debug",
            &mut config.log.level,
            log_level,
        );
        config.limits = limits(&mut reader);
        config.ignored = reader.finish()?;
        Ok(config)
    }

    /// Where the database is: as set, or the embedded one in `data_dir`.
    #[must_use]
    pub fn database(&self) -> String {
        if !self.database_url.is_empty() {
            return self.database_url.clone();
        }
        let file = self.data_dir.join("porchlight.db");
        let file = std::path::absolute(&file).unwrap_or(file);
        format!("sqlite://{}", file.display())
    }

    /// How to reach the database.
    #[must_use]
    pub fn storage(&self) -> storage::Config {
        storage::Config { url: self.database(), max_connections: self.database_connections }
    }

    /// What verbs need to know.
    #[must_use]
    pub fn app(&self) -> app::Config {
        app::Config {
            sign_up: self.sign_up,
            limits: self.limits.clone(),
            source_url: self.source_url.clone(),
            only_here: self.bind.ip().is_loopback(),
        }
    }

    /// What the client API and the pages need to know.
    #[must_use]
    pub fn web(&self) -> web::Config {
        web::Config { rate_limits: self.rate_limits }
    }

    /// What strangers are held to at the door.
    #[must_use]
    pub fn bounds(&self) -> listener::Bounds {
        listener::Bounds {
            connections: self.connections,
            connections_per_address: self.connections_per_address,
            trusted_proxies: self.trusted_proxies.clone(),
            body_memory: self.body_memory,
            pace: self.pace,
            ..listener::Bounds::default()
        }
    }

    /// Where uploads are kept.
    #[must_use]
    pub fn media_dir(&self) -> PathBuf {
        self.data_dir.join("media")
    }

    /// What is allowed, yet hardly meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let at_home = self.url.is_at_home() || self.federation.allow_http;
        if !self.url.is_https() && !at_home {
            warnings.push(format!(
                "`url` is {}: most other servers refuse plain http, and passwords travel in the clear",
                self.url.base()
            ));
        }
        if self.url.is_https() && self.trusted_proxies.is_empty() {
            warnings.push(
                "`url` is https and `trusted_proxies` is empty: behind a proxy, every visitor seems to be the proxy, and \
                 all of them share what one address may do"
                    .to_owned(),
            );
        }
        if !self.rate_limits {
            warnings.push("`rate_limits` is false: passwords can be guessed without end".to_owned());
        }
        if !self.ignored.is_empty() {
            warnings.push(format!(
                "no keys, and ignored: {} (Kubernetes sets such variables for a service called porchlight; \
                 `enableServiceLinks: false` stops it)",
                self.ignored.join(", ")
            ));
        }
        warnings
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: at_home(PORT),
            bind: SocketAddr::from(([127, 0, 0, 1], PORT)),
            database_url: String::new(),
            database_connections: 8,
            data_dir: PathBuf::from("./data"),
            sign_up: SignUp::default(),
            source_url: app::Config::default().source_url,
            trusted_proxies: Vec::new(),
            rate_limits: true,
            connections: listener::Bounds::default().connections,
            connections_per_address: listener::Bounds::default().connections_per_address,
            metrics_bind: None,
            federation: federation::Config::default(),
            log: Log { format: LogFormat::Text, level: "info".to_owned() },
            limits: Limits::default(),
            pace: listener::Pace::default(),
            body_memory: listener::Bounds::default().body_memory,
            ready: health::Bounds::default(),
            ignored: Vec::new(),
        }
    }
}

/// A port that the system chooses is not known before.
#[expect(clippy::expect_used, reason = "the host is constant, and any port will do")]
fn at_home(port: u16) -> Urls {
    let port = if port == 0 { PORT } else { port };
    public_url(&format!("http://localhost:{port}")).expect("a public address")
}

fn base_of<S: serde::Serializer>(urls: &Urls, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(urls.base())
}

const NETWORKS: &str = "addresses or networks, such as 10.0.0.0/8 or fd00::/8, by commas";
const COUNT: &str = "a whole number from 1 to 1000";
const TRUTH: &str = "true or false";

fn public_url(text: &str) -> Option<Urls> {
    let url = Url::parse(text).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if bare && !has_credentials(&url) { Urls::new(&url).ok() } else { None }
}

fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.to_string())
}

fn socket(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
}

/// Which of the two kinds it is; whether it can be reached is seen when it is.
fn database_url(text: &str) -> Option<String> {
    let good = match text.split_once("://") {
        Some(("sqlite", path)) => path.len() > 1 && path.starts_with('/'),
        Some(("postgres" | "postgresql", _)) => Url::parse(text).is_ok_and(|url| url.path().len() > 1),
        _ => text.is_empty(),
    };
    good.then(|| text.to_owned())
}

fn folder(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn sign_up(text: &str) -> Option<SignUp> {
    [SignUp::Open, SignUp::Approval, SignUp::Invite, SignUp::Closed].into_iter().find(|kind| kind.as_str() == text)
}

/// A network, or one address as the network that holds only it.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().map(IpNet::from).ok())
}

fn within<N: FromStr + PartialOrd>(text: &str, least: N, most: N) -> Option<N> {
    text.parse().ok().filter(|n| (least..=most).contains(n))
}

fn truth(text: &str) -> Option<bool> {
    text.parse().ok()
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// A directive that names no part is a level: as the name of a part, which the filter takes any other word for, it would
/// silence everything else.
fn log_level(text: &str) -> Option<String> {
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let good = text.split(',').all(|part| part.contains('=') || is_level(part));
    (good && EnvFilter::try_new(text).is_ok()).then(|| text.to_owned())
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// The keys of `limits` are the fields of [`Limits`]: a limit added there can be set at once.
fn limits(reader: &mut Reader) -> Limits {
    let defaults = serde_json::to_value(Limits::default()).unwrap_or_default();
    let mut chosen = serde_json::Map::new();
    for (name, default) in defaults.as_object().into_iter().flatten() {
        let mut value = default.as_u64().unwrap_or_default();
        let key = format!("limits.{name}");
        reader.set(&key, "a whole number from 1 to 4294967295", &mut value, |text| within(text, 1, MOST));
        chosen.insert(name.clone(), value.into());
    }
    serde_json::from_value(chosen.into()).unwrap_or_default()
}

/// Fits every type a limit has, on every machine.
const MOST: u64 = u32::MAX as u64;
