//! Two communities on this machine that follow, answer and write to each other over real federation, to be looked
//! at. Everything that happens is done by the same verbs as in life, and travels by HTTP.
//!
//! The story begins three weeks ago: both communities' clock is set back, and runs ahead between the scenes until it
//! is the system's again.

mod canvas;
mod guide;
mod people;
mod pictures;
mod story;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use app::accounts::By;
use app::community::change::{self, Changes};
use clap::Args;
use domain::Clock;
use domain::instance::SignUp;
use storage::accounts;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::output::line;
use crate::config::Config;
use crate::serve::Server;

#[derive(Debug, Args)]
pub struct Options {
    /// Keep the data in this folder, to go on another time with the same --port. Without it, everything is gone at the end.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<std::path::PathBuf>,
    /// Where the first community is served; the second is at the next one.
    #[arg(long, value_name = "PORT", default_value = "4001", value_parser = clap::value_parser!(u16).range(1..65535))]
    pub port: u16,
}

/// A community of the demo, and what it says about itself.
struct Place {
    name: &'static str,
    title: &'static str,
    description: &'static str,
}

const MAPLE: Place = Place {
    name: "maple",
    title: "Maple Street",
    description: "Parents and caregivers around Maple Street, and whoever found us from further away. Tea at any hour.",
};
const WILLOW: Place = Place {
    name: "willow",
    title: "Willow Lane",
    description: "Gardens, night shifts and too many lunch boxes. A small place for people who look after others.",
};
const RULES: [&str; 3] = [
    "Be kind. Tired is fine, mean is not.",
    "What is told here in confidence stays here.",
    "Ask before you show a picture of somebody's child.",
];
const ABOUT: &str = "This is a demo of Porchlight: two small communities on one machine. Nobody in them is real, and the pictures \
    were drawn by the program.";

/// The two, and the time that both live in.
struct Stage {
    maple: Server,
    willow: Server,
    /// Milliseconds from the system's time to theirs.
    shift: Arc<AtomicI64>,
}

impl Stage {
    /// Time passes, once everything that is under way has arrived, until it is so long before now.
    async fn until(&self, before_now: Duration) -> anyhow::Result<()> {
        for _ in 0..100 {
            if self.maple.is_idle().await? && self.willow.is_idle().await? {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.shift.store(-i64::try_from(before_now.as_millis())?, Ordering::Relaxed);
        Ok(())
    }
}

/// Starts both, tells their story, prints what to open, and serves until SIGINT or SIGTERM.
///
/// # Errors
/// When a port is taken, or something that should arrive never does.
pub async fn run(options: &Options, json: bool) -> anyhow::Result<()> {
    let temporary = match options.keep {
        Some(_) => None,
        None => Some(tempfile::tempdir()?),
    };
    let folder = match (&options.keep, &temporary) {
        (Some(folder), _) => folder,
        (None, Some(temporary)) => temporary.path(),
        (None, None) => anyhow::bail!("there is no folder for the data"),
    };
    let say = |text: &str| if json { Ok(()) } else { line(text) };
    let (first, second) = (listen(options.port, 0).await?, listen(options.port, 1).await?);
    let shift = Arc::new(AtomicI64::new(0));
    let maple = open(&MAPLE, first, folder, &shift).await?;
    let willow = open(&WILLOW, second, folder, &shift).await?;
    let stage = Stage { maple, willow, shift };
    let told_before = accounts::is_taken(&mut stage.maple.federation().app.db.read().await?, "dana").await?;
    if told_before {
        say("The communities are as you left them.")?;
    } else {
        say("Two communities start, and their members meet …")?;
        Box::pin(story::tell(&stage)).await.context("the demo's story stopped")?;
    }
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let guide = guide::Guide::new(&stage).await?;
    guide.print(json)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let (one, other) = tokio::join!(stage.maple.stop(), stage.willow.stop());
    one.and(other)
}

/// Listens on the demo's first port or the one after it.
async fn listen(first: u16, after: u16) -> anyhow::Result<TcpListener> {
    let port = first + after;
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.with_context(|| {
        format!(
            "the demo serves its communities on the ports {first} and {} of this machine, and cannot have {port}; \
             --port chooses others",
            first + 1
        )
    })
}

async fn open(place: &Place, listener: TcpListener, folder: &Path, shift: &Arc<AtomicI64>) -> anyhow::Result<Server> {
    let address = listener.local_addr()?;
    let environment = [
        ("PORCHLIGHT_URL", format!("http://{}.localhost:{}", place.name, address.port())),
        ("PORCHLIGHT_BIND", address.to_string()),
        ("PORCHLIGHT_DATA_DIR", folder.join(place.name).display().to_string()),
        ("PORCHLIGHT_FEDERATION__ALLOW_HTTP", "true".to_owned()),
        ("PORCHLIGHT_FEDERATION__ALLOW_ADDRESSES", "127.0.0.0/8,::1/128".to_owned()),
    ];
    let mut config = Config::read(None, environment.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())?;
    config.sign_up = SignUp::Open;
    Server::start_on(listener, &config, Clock::Shifted(Arc::clone(shift))).await
}

/// Says what a community is, as its owner would.
async fn introduce(server: &Server, place: &Place) -> anyhow::Result<()> {
    let changes = Changes {
        title: Some(place.title.to_owned()),
        description: Some(place.description.to_owned()),
        about: Some(ABOUT.to_owned()),
        contact_email: Some(format!("hello@{}.example", place.name)),
        rules: Some(RULES.map(str::to_owned).to_vec()),
    };
    change::change(&server.federation().app, By::Operator, &changes).await?;
    Ok(())
}
