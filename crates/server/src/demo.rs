//! Two communities on this machine that follow, answer and write to each other over real federation, to be looked
//! at. Everything that happens is done by the same verbs as in life, and travels by HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use app::accounts::create::{self, NewMember};
use app::follows::{accept, request};
use app::posts::publish::{self, Draft};
use app::posts::{boost, favourite};
use domain::account::{Account, Role};
use domain::follow::FollowOptions;
use domain::instance::{CommunitySettings, SignUp};
use domain::page::Page;
use domain::{AccountId, Clock, PostId, Viewer, Visibility};
use storage::{accounts, conversations, follows, hydrate, posts, settings};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::output::line;
use crate::config::Config;
use crate::serve::Server;

const PASSWORD: &str = "porchlight-demo";

/// Starts both, tells their story, prints what to open, and serves until SIGINT or SIGTERM.
///
/// # Errors
/// When a port is taken, or something that should arrive never does.
pub async fn run(keep: Option<&Path>) -> anyhow::Result<()> {
    let temporary = match keep {
        Some(_) => None,
        None => Some(tempfile::tempdir()?),
    };
    let folder = match (keep, &temporary) {
        (Some(folder), _) => folder,
        (None, Some(temporary)) => temporary.path(),
        (None, None) => anyhow::bail!("there is no folder for the data"),
    };
    let maple = community("maple", "Maple Street", 4001, folder).await?;
    let willow = community("willow", "Willow Lane", 4002, folder).await?;
    let told_before = accounts::is_taken(&mut maple.federation().app.db.read().await?, "dana").await?;
    if told_before {
        line("The communities are as you left them.")?;
    } else {
        line("Two communities start, and their members meet …")?;
        Box::pin(tell(&maple, &willow)).await.context("the demo's story stopped")?;
    }
    introduce()?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let (one, other) = tokio::join!(maple.stop(), willow.stop());
    one.and(other)
}

fn introduce() -> anyhow::Result<()> {
    line("")?;
    line("  Maple Street   http://maple.localhost:4001    dana, priya, june")?;
    line("  Willow Lane    http://willow.localhost:4002   marisol, tess, ola")?;
    line("")?;
    line(&format!(
        "Everybody's password is {PASSWORD}; sign in with the name. dana and marisol run their communities."
    ))?;
    line("Look at http://maple.localhost:4001/@dana, or connect a Mastodon app to either address.")?;
    line("Press Ctrl-C to stop.")
}

async fn community(name: &str, title: &str, port: u16, folder: &Path) -> anyhow::Result<Server> {
    let data = folder.join(name);
    let environment = [
        ("PORCHLIGHT_URL", format!("http://{name}.localhost:{port}")),
        ("PORCHLIGHT_BIND", SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string()),
        ("PORCHLIGHT_DATA_DIR", data.display().to_string()),
        ("PORCHLIGHT_FEDERATION__ALLOW_HTTP", "true".to_owned()),
        ("PORCHLIGHT_FEDERATION__ALLOW_ADDRESSES", "127.0.0.0/8,::1/128".to_owned()),
    ];
    let mut config = Config::read(None, environment.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())?;
    config.sign_up = SignUp::Open;
    let server = Server::start(&config, Clock::System).await?;
    let app = &server.federation().app;
    let mut tx = app.db.write().await?;
    let about = CommunitySettings {
        title: title.to_owned(),
        description: format!("{title} is a demo of Porchlight: friends who keep a light on for each other."),
        ..CommunitySettings::default()
    };
    settings::set_community(&mut tx, &about).await?;
    tx.commit().await?;
    Ok(server)
}

/// Somebody of a demo community.
struct Somebody<'s> {
    server: &'s Server,
    account: Account,
}

impl<'s> Somebody<'s> {
    async fn joins(server: &'s Server, name: &str, display_name: &str, role: Role) -> anyhow::Result<Self> {
        let app = &server.federation().app;
        let new = NewMember {
            username: name.to_owned(),
            email: format!("{name}@demo.example"),
            password: PASSWORD.to_owned(),
            ..NewMember::default()
        };
        let account = create::create(app, &new, role).await?;
        let mut tx = app.db.write().await?;
        let account = Account { display_name: display_name.to_owned(), ..account };
        accounts::upsert(&mut tx, &account).await?;
        tx.commit().await?;
        Ok(Self { server, account })
    }

    /// The other, as this one's community knows her: looked up there as a person would.
    async fn knows(&self, other: &Self) -> anyhow::Result<AccountId> {
        let handle = format!("{}@{}", other.account.username, other.server.federation().app.urls.domain());
        Ok(self.server.federation().resolve_account(&handle).await?.id)
    }

    /// Asks the other, who accepts; waits until both sides know it.
    async fn befriends(&self, other: &Self) -> anyhow::Result<()> {
        let (here, there) = (&self.server.federation().app, &other.server.federation().app);
        let target = self.knows(other).await?;
        request::request(here, &self.account, target, FollowOptions::default()).await?;
        let asker = eventually("a request arrives", async || {
            let mut conn = there.db.read().await?;
            let waiting = follows::requests_to(&mut conn, other.account.id, &Page::first(40)).await?;
            Ok(waiting.first().map(|(_, asker)| *asker))
        })
        .await?;
        accept::accept(there, &other.account, asker).await?;
        eventually("the answer arrives", async || {
            let mut conn = here.db.read().await?;
            Ok(follows::find(&mut conn, self.account.id, target).await?)
        })
        .await?;
        Ok(())
    }

    async fn writes(&self, text: &str, visibility: Visibility, answers: Option<PostId>) -> anyhow::Result<PostId> {
        let draft = Draft {
            text: text.to_owned(),
            visibility: Some(visibility),
            in_reply_to: answers,
            language: Some("en".to_owned()),
            ..Draft::default()
        };
        Ok(publish::publish(&self.server.federation().app, &self.account, draft).await?)
    }

    /// Waits until a post of another community is here, and may be seen by her.
    async fn receives(&self, post: PostId, from: &Self) -> anyhow::Result<PostId> {
        let uri = from.server.federation().app.urls.post(&from.account.username, post);
        let app = &self.server.federation().app;
        eventually("a post arrives", async || {
            let mut conn = app.db.read().await?;
            let Some(found) = posts::unchecked_by_uri(&mut conn, &uri).await? else { return Ok(None) };
            let seen = hydrate::post(&mut conn, Viewer::Account(self.account.id), found.id).await?;
            Ok(Some(seen.id()))
        })
        .await
    }
}

async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    for _ in 0..300 {
        if let Some(found) = check().await? {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("it never happened: {what}")
}

/// What happens between the two, from one to the other and back.
async fn tell(maple: &Server, willow: &Server) -> anyhow::Result<()> {
    let dana = Somebody::joins(maple, "dana", "Dana", Role::Owner).await?;
    let priya = Somebody::joins(maple, "priya", "Priya", Role::Member).await?;
    let june = Somebody::joins(maple, "june", "June", Role::Member).await?;
    let marisol = Somebody::joins(willow, "marisol", "Marisol", Role::Owner).await?;
    let tess = Somebody::joins(willow, "tess", "Tess", Role::Member).await?;
    let ola = Somebody::joins(willow, "ola", "Ola", Role::Member).await?;

    for (one, other) in [(&dana, &marisol), (&marisol, &dana), (&priya, &tess), (&tess, &dana), (&june, &ola)] {
        one.befriends(other).await?;
    }

    let porch = dana
        .writes(
            "Both teens asleep before eleven. The porch light is on, who is up? #nightshift",
            Visibility::Public,
            None,
        )
        .await?;
    let porch_there = marisol.receives(porch, &dana).await?;
    let willow_app = &willow.federation().app;
    let maple_app = &maple.federation().app;
    favourite::favourite(willow_app, &marisol.account, porch_there).await?;
    boost::boost(willow_app, &marisol.account, porch_there, None).await?;
    let dana_there = format!("@dana@{}", maple_app.urls.domain());
    let marisol_there = format!("@marisol@{}", willow_app.urls.domain());
    let up =
        marisol.writes(&format!("{dana_there} me, on my break. Tea?"), Visibility::Public, Some(porch_there)).await?;
    let up_here = dana.receives(up, &marisol).await?;
    dana.writes(&format!("{marisol_there} always."), Visibility::Public, Some(up_here)).await?;
    favourite::favourite(maple_app, &dana.account, up_here).await?;

    let soup = tess
        .writes("Soup recipe for six, one pot, twenty minutes. Who wants it? #dinner", Visibility::Public, None)
        .await?;
    let soup_here = priya.receives(soup, &tess).await?;
    boost::boost(maple_app, &priya.account, soup_here, None).await?;
    ola.writes("First frost on the garden. I covered the last tomatoes anyway. #gardening", Visibility::Public, None)
        .await?;
    june.writes(
        "Library day with the small one tomorrow, come and find us by the picture books.",
        Visibility::Followers,
        None,
    )
    .await?;

    let ask =
        marisol.writes(&format!("{dana_there} can I tell you something, just you?"), Visibility::Direct, None).await?;
    let ask_here = dana.receives(ask, &marisol).await?;
    let answer =
        dana.writes(&format!("{marisol_there} of course. I'm here."), Visibility::Direct, Some(ask_here)).await?;
    marisol.receives(answer, &dana).await?;
    let mut conn = willow_app.db.read().await?;
    let talks = conversations::list(&mut conn, marisol.account.id, &Page::first(5)).await?;
    anyhow::ensure!(talks.len() == 1, "the private discussion should be one conversation, not {}", talks.len());
    Ok(())
}
