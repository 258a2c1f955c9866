//! Somebody of a demo community, and what she does: each by the verb that the pages and apps use.

use std::time::Duration;

use app::accounts::create::{self, NewMember};
use app::accounts::profile::{self, Field, Picture, Profile};
use app::attachments::upload;
use app::follows::{accept, request};
use app::posts::publish::{self, Draft};
use app::posts::{boost, favourite, pin};
use domain::account::{Account, Role};
use domain::follow::FollowOptions;
use domain::page::Page;
use domain::{AccountId, PostId, Viewer, Visibility};
use storage::{follows, hydrate, posts};

use super::pictures::Draw;
use crate::serve::Server;

/// Everybody's.
pub const PASSWORD: &str = "porchlight-demo";

/// Who somebody is.
#[derive(Debug, Clone, Copy)]
pub struct Sketch {
    pub name: &'static str,
    pub display_name: &'static str,
    pub role: Role,
    pub note: &'static str,
    pub fields: &'static [(&'static str, &'static str)],
    /// Her face, and what stands above her profile, each with what it shows.
    pub avatar: (Draw, &'static str),
    pub header: (Draw, &'static str),
}

#[derive(Debug)]
pub struct Somebody<'s> {
    server: &'s Server,
    pub account: Account,
}

/// What she says.
#[derive(Debug, Clone, Default)]
pub struct Words<'w> {
    pub text: &'w str,
    /// The content warning; empty = none.
    pub warning: &'w str,
    pub answers: Option<PostId>,
    /// Each with what it shows.
    pub pictures: &'w [(Draw, &'w str)],
    /// Empty = English.
    pub language: &'w str,
    /// `None` = anyone.
    pub audience: Option<Visibility>,
}

impl<'s> Somebody<'s> {
    pub async fn joins(server: &'s Server, sketch: &Sketch) -> anyhow::Result<Self> {
        let app = &server.federation().app;
        let new = NewMember {
            username: sketch.name.to_owned(),
            email: format!("{}@demo.example", sketch.name),
            password: PASSWORD.to_owned(),
            ..NewMember::default()
        };
        let account = create::create(app, &new, sketch.role).await?;
        let field = |(name, value): &(&str, &str)| Field { name: (*name).to_owned(), value: (*value).to_owned() };
        let profile = Profile {
            display_name: Some(sketch.display_name.to_owned()),
            note: Some(sketch.note.to_owned()),
            fields: Some(sketch.fields.iter().map(field).collect()),
            avatar: Some(Picture::New(drawn(sketch.avatar.0).await?.into())),
            avatar_description: Some(sketch.avatar.1.to_owned()),
            header: Some(Picture::New(drawn(sketch.header.0).await?.into())),
            header_description: Some(sketch.header.1.to_owned()),
            ..Profile::default()
        };
        profile::change(app, account.id, profile).await?;
        Ok(Self { server, account })
    }

    /// As others write her name, from wherever they are.
    pub fn handle(&self) -> String {
        format!("@{}@{}", self.account.username, self.server.federation().app.urls.domain())
    }

    fn is_neighbour(&self, other: &Self) -> bool {
        std::ptr::eq(self.server, other.server)
    }

    /// The other, as this one's community knows her: looked up there as a person would.
    async fn knows(&self, other: &Self) -> anyhow::Result<AccountId> {
        if self.is_neighbour(other) {
            return Ok(other.account.id);
        }
        let handle = other.handle();
        Ok(self.server.federation().resolve_account(handle.trim_start_matches('@')).await?.id)
    }

    /// Asks the other, who accepts; waits until both sides know it.
    pub async fn follows(&self, other: &Self) -> anyhow::Result<()> {
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

    pub async fn says(&self, words: Words<'_>) -> anyhow::Result<PostId> {
        let app = &self.server.federation().app;
        let mut attachments = Vec::new();
        for (draw, description) in words.pictures {
            let picture = drawn(*draw).await?;
            attachments.push(upload::upload(app, self.account.id, picture.into(), description, None).await?.id);
        }
        let draft = Draft {
            text: words.text.to_owned(),
            spoiler_text: words.warning.to_owned(),
            visibility: Some(words.audience.unwrap_or(Visibility::Public)),
            in_reply_to: words.answers,
            attachments,
            language: Some(if words.language.is_empty() { "en" } else { words.language }.to_owned()),
            ..Draft::default()
        };
        Ok(publish::publish(app, &self.account, draft).await?)
    }

    /// Answers somebody's post, naming her, where anybody can see it.
    pub async fn answers(&self, whom: &Self, post: PostId, text: &str) -> anyhow::Result<PostId> {
        let text = format!("{} {text}", whom.handle());
        let answers = Some(self.receives(whom, post).await?);
        self.says(Words { text: &text, answers, ..Words::default() }).await
    }

    /// Says something to somebody alone.
    pub async fn tells(&self, whom: &Self, answers: Option<PostId>, text: &str) -> anyhow::Result<PostId> {
        let text = format!("{} {text}", whom.handle());
        let answers = match answers {
            Some(post) => Some(self.receives(whom, post).await?),
            None => None,
        };
        self.says(Words { text: &text, answers, audience: Some(Visibility::Direct), ..Words::default() }).await
    }

    pub async fn likes(&self, whom: &Self, post: PostId) -> anyhow::Result<()> {
        let post = self.receives(whom, post).await?;
        Ok(favourite::favourite(&self.server.federation().app, &self.account, post).await?)
    }

    pub async fn shares(&self, whom: &Self, post: PostId) -> anyhow::Result<()> {
        let post = self.receives(whom, post).await?;
        boost::boost(&self.server.federation().app, &self.account, post, None).await?;
        Ok(())
    }

    /// Puts a post of hers at the top of her page.
    pub async fn pins(&self, post: PostId) -> anyhow::Result<()> {
        Ok(pin::pin(&self.server.federation().app, &self.account, post).await?)
    }

    /// Waits until somebody's post is here, and may be seen by her.
    pub async fn receives(&self, from: &Self, post: PostId) -> anyhow::Result<PostId> {
        if self.is_neighbour(from) {
            return Ok(post);
        }
        let uri = posts::unchecked(&mut from.server.federation().app.db.read().await?, post).await?.uri;
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

/// Draws a picture, away from the threads that serve.
async fn drawn(draw: Draw) -> anyhow::Result<bytes::Bytes> {
    Ok(tokio::task::spawn_blocking(move || draw().png()).await??.into())
}

async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    for _ in 0..600 {
        if let Some(found) = check().await? {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("it never happened: {what}")
}
