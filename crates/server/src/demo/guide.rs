//! What the demo tells whoever started it: who can sign in, what to open, how an app gets in.

use anyhow::Context as _;
use app::oauth::tokens;
use domain::Viewer;
use domain::scope::Scopes;
use serde::Serialize;
use storage::{accounts, posts, timelines};

use super::people::PASSWORD;
use super::story::{ON_MAPLE, PEOPLE};
use super::{MAPLE, Place, Stage, WILLOW};
use crate::cli::output::{self, line};
use crate::serve::Server;

/// Everything, as a script reads it.
#[derive(Debug, Serialize)]
pub struct Guide {
    communities: Vec<Community>,
    password: &'static str,
    open: Vec<Way>,
    /// A token of dana's, which may do everything that an app may.
    access_token: String,
    curl: String,
    /// What /etc/hosts needs, where programs other than browsers do not find the communities.
    hosts: Option<String>,
}

#[derive(Debug, Serialize)]
struct Community {
    title: &'static str,
    url: String,
    /// What an app asks for.
    server: String,
    members: Vec<Member>,
}

#[derive(Debug, Serialize)]
struct Member {
    username: &'static str,
    role: &'static str,
    url: String,
}

#[derive(Debug, Serialize)]
struct Way {
    url: String,
    shows: &'static str,
}

impl Guide {
    /// Makes a token, and looks up what there is to see.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn new(stage: &Stage) -> anyhow::Result<Self> {
        let (here, there) = PEOPLE.split_at(ON_MAPLE);
        let describe = |place: &Place, server: &Server, people: &[super::people::Sketch]| {
            let urls = &server.federation().app.urls;
            let members =
                people.iter().map(|p| Member { username: p.name, role: p.role.as_str(), url: urls.profile(p.name) });
            Community {
                title: place.title,
                url: urls.base().to_owned(),
                server: urls.domain().to_owned(),
                members: members.collect(),
            }
        };
        let (maple, willow) = (&stage.maple.federation().app, &stage.willow.federation().app);
        let mut conn = maple.db.read().await?;
        let dana = accounts::by_handle(&mut conn, "dana", None).await?.context("dana is gone from this demo")?;
        drop(conn);
        let mut conn = willow.db.read().await?;
        let frost = match accounts::by_handle(&mut conn, "ola", None).await? {
            Some(ola) => match timelines::pinned(&mut conn, Viewer::Anonymous, ola.id).await?.first() {
                Some(id) => Some(posts::get(&mut conn, Viewer::Anonymous, *id).await?.url),
                None => None,
            },
            None => None,
        };
        drop(conn);
        let way = |url: String, shows| Way { url, shows };
        let mut open = vec![
            way(maple.urls.path("/"), "a community's front page"),
            way(maple.urls.profile("dana"), "a member's page"),
        ];
        open.extend(frost.map(|url| way(url, "pictures, and answers from both communities")));
        open.push(way(maple.urls.tag("gardening"), "what both say about one thing"));
        open.push(way(maple.urls.path("/about"), "what a community says about itself"));
        let scopes = Scopes::parse("read write follow push").map_err(anyhow::Error::msg)?;
        let member = storage::members::get(&mut maple.db.read().await?, dana.id).await?;
        let (access_token, _) = tokens::issue(maple, None, Some(member.credentials()), &scopes).await?;
        let home = maple.urls.path("/api/v1/timelines/home");
        Ok(Self {
            communities: vec![describe(&MAPLE, &stage.maple, here), describe(&WILLOW, &stage.willow, there)],
            password: PASSWORD,
            open,
            curl: format!("curl -H 'Authorization: Bearer {access_token}' {home}"),
            access_token,
            hosts: missing_names([maple.urls.host(), willow.urls.host()]).await,
        })
    }

    /// # Errors
    /// When it cannot be printed.
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return output::json(self);
        }
        line("")?;
        for Community { title, url, members, .. } in &self.communities {
            let name = |member: &Member| match member.role {
                "owner" => format!("{} (runs it)", member.username),
                _ => member.username.to_owned(),
            };
            line(&format!("  {title:<13} {url}   {}", members.iter().map(name).collect::<Vec<_>>().join(", ")))?;
        }
        line("")?;
        line(&format!("Sign in to either with a name and the password  {}", self.password))?;
        line("")?;
        line("Open")?;
        for Way { url, shows } in &self.open {
            line(&format!("  {url:<48} {shows}"))?;
        }
        line("")?;
        line("With an app for Mastodon that takes plain http on this machine, give it the server")?;
        line(&format!(
            "  {}",
            self.communities.iter().map(|c| c.server.as_str()).collect::<Vec<_>>().join("   or   ")
        ))?;
        if let Some(Community { url, .. }) = self.communities.first() {
            line(&format!("such as: toot login --instance {url}"))?;
        }
        line("")?;
        line("As dana, with a token of hers, what those she follows said:")?;
        line(&format!("  {}", self.curl))?;
        if let Some(hosts) = &self.hosts {
            line("")?;
            line("Browsers find the two by themselves. For other programs on this machine, /etc/hosts needs the line")?;
            line(&format!("  {hosts}"))?;
        }
        line("")?;
        line("Press Ctrl-C to stop.")
    }
}

/// The line for /etc/hosts, where the system does not find the names on this machine.
async fn missing_names(names: [&str; 2]) -> Option<String> {
    for name in names {
        let found = match tokio::net::lookup_host((name, 0)).await {
            Ok(mut addresses) => addresses.any(|address| address.ip().is_loopback()),
            Err(_) => false,
        };
        if !found {
            return Some(format!("127.0.0.1 {}", names.join(" ")));
        }
    }
    None
}
