//! Live events → messages for those who listen. One task a process, in the order things happened.
//!
//! A post is on a stream exactly if it is in the timeline of that name for that listener: the same queries decide,
//! and the post is read and written with her own eyes.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use app::App;
use domain::event::Event;
use domain::page::Page;
use domain::{AccountId, ConversationId, NotificationId, PostId, TokenId, Viewer, Visibility};
use storage::timelines::{self, PublicFilter, TagFilter};
use storage::{Conn, conversations, follows, hydrate, notifications, oauth, posts};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use super::channel::Channel;
use super::listeners::{Ear, Listeners};
use crate::api::error::Result;
use crate::api::render::{Render, Rendered, raw};

/// How often the database is asked whether those who listen still may. That a token was taken back is told at once, but
/// not by a command beside a server on the embedded database; and that one expires is told by nobody.
const MAY_THEY_STILL: Duration = Duration::from_secs(5);

/// Serves listeners for as long as the database lives.
pub fn start(app: &App, rendered: &Arc<Rendered>, listeners: &Listeners) {
    let dispatch = Dispatch { app: app.clone(), rendered: Arc::clone(rendered), listeners: listeners.clone() };
    let mut events = app.db.hub().subscribe();
    tokio::spawn(async move {
        let mut looks = tokio::time::interval(MAY_THEY_STILL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                _ = looks.tick() => {
                    if let Err(error) = dispatch.close_what_ended().await {
                        tracing::warn!(%error, "nobody knows who may still listen");
                    }
                    continue;
                }
            };
            match event {
                Ok(Event::TokenRevoked { token }) => dispatch.listeners.close(token),
                Ok(_) if dispatch.listeners.is_empty() => {}
                Ok(event) => {
                    if let Err(error) = dispatch.event(event).await {
                        tracing::warn!(%error, "a live event could not be told");
                    }
                }
                Err(RecvError::Lagged(lost)) => {
                    tracing::warn!(lost, "live events were lost: listeners must connect again");
                    dispatch.listeners.close_all();
                }
                Err(RecvError::Closed) => return,
            }
        }
    });
}

struct Dispatch {
    app: App,
    rendered: Arc<Rendered>,
    listeners: Listeners,
}

impl Dispatch {
    /// Closes the streams of tokens that ended without a word, and of members who may not use theirs any more.
    async fn close_what_ended(&self) -> Result<()> {
        let tokens = self.listeners.tokens();
        if tokens.is_empty() {
            return Ok(());
        }
        let mut conn = self.app.db.read().await?;
        let usable: HashSet<TokenId> = oauth::usable(&mut conn, &tokens, self.app.now()).await?.into_iter().collect();
        for token in tokens.into_iter().filter(|token| !usable.contains(token)) {
            self.listeners.close(token);
        }
        Ok(())
    }

    async fn event(&self, event: Event) -> Result<()> {
        match event {
            Event::PostCreated { post } => self.post(post, "update").await,
            Event::PostEdited { post } => self.post(post, "status.update").await,
            Event::PostHidden { post, account } => {
                self.hidden(post, account);
                Ok(())
            }
            Event::PostDeleted { post, author, visibility } => self.deleted(post, author, visibility).await,
            Event::Notified { account, notification } => self.notified(account, notification).await,
            Event::ConversationChanged { account, conversation } => self.conversation(account, conversation).await,
            Event::AccountChanged { .. }
            | Event::RelationsChanged { .. }
            | Event::TokenRevoked { .. }
            | Event::SettingsChanged => Ok(()),
        }
    }

    fn render(&self, viewer: Viewer) -> Render<'_> {
        Render { files: &self.app.files, kept: &self.rendered, viewer, now: self.app.now() }
    }

    async fn post(&self, id: PostId, event: &'static str) -> Result<()> {
        let ears = self.listeners.ears(|_, channel| !matches!(channel, Channel::UserNotification | Channel::Direct));
        if ears.is_empty() {
            return Ok(());
        }
        let mut conn = self.app.db.read().await?;
        let Ok(post) = posts::unchecked(&mut conn, id).await else { return Ok(()) };
        let at_home = self.at_home(&mut conn, id, &ears).await?;
        // What one viewer gets is the same on each of her channels.
        let mut written: HashMap<Viewer, Option<Arc<str>>> = HashMap::new();
        for ear in &ears {
            let public = post.visibility == Visibility::Public && post.boost_of_id.is_none();
            let hers = match &ear.channel {
                Channel::User => ear.viewer.account().is_some_and(|me| at_home.contains(&me)),
                Channel::Public(_) | Channel::Hashtag { .. } if !public => false,
                Channel::List(_) if post.visibility == Visibility::Direct => false,
                channel => on(&mut conn, ear.viewer, channel, id).await?,
            };
            if !hers {
                continue;
            }
            let json = match written.entry(ear.viewer) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(match hydrate::post(&mut conn, ear.viewer, id).await {
                    Ok(view) => Some(Arc::from(self.render(ear.viewer).status(&view)?.get())),
                    Err(storage::Error::NotFound) => None,
                    Err(other) => return Err(other.into()),
                }),
            };
            if let Some(json) = json {
                self.listeners.tell(ear, event, json.clone());
            }
        }
        Ok(())
    }

    /// Which of those who listen to their home timeline have the post in it.
    async fn at_home(&self, conn: &mut Conn, id: PostId, ears: &[Ear]) -> Result<Vec<AccountId>> {
        let listening: Vec<AccountId> =
            ears.iter().filter(|e| e.channel == Channel::User).filter_map(|e| e.viewer.account()).collect();
        if listening.is_empty() {
            return Ok(Vec::new());
        }
        Ok(timelines::home_owners(conn, id, &listening).await?)
    }

    /// To her it is as if the post were gone.
    fn hidden(&self, id: PostId, account: AccountId) {
        let hers = |viewer, channel: &Channel| {
            viewer == Viewer::Account(account) && matches!(channel, Channel::User | Channel::List(_))
        };
        for ear in &self.listeners.ears(hers) {
            self.listeners.tell(ear, "delete", Arc::from(id.to_string()));
        }
    }

    /// The post is gone, so no timeline can be asked. Its id is told to those who could have seen it.
    async fn deleted(&self, id: PostId, author: AccountId, visibility: Visibility) -> Result<()> {
        let ears = self.listeners.ears(|_, channel| !matches!(channel, Channel::UserNotification | Channel::Direct));
        if ears.is_empty() {
            return Ok(());
        }
        let mut conn = self.app.db.read().await?;
        let addressed: Vec<AccountId> =
            posts::mentions(&mut conn, id).await?.into_iter().map(|(account, _)| account).collect();
        let payload: Arc<str> = Arc::from(id.to_string());
        for ear in &ears {
            let saw = match (&ear.channel, visibility) {
                (Channel::Public(_) | Channel::Hashtag { .. }, _) => visibility == Visibility::Public,
                (_, Visibility::Public | Visibility::Unlisted) => true,
                (_, Visibility::Followers | Visibility::Direct) => match ear.viewer.account() {
                    None => false,
                    Some(me) if me == author || addressed.contains(&me) => true,
                    Some(_) if visibility == Visibility::Direct => false,
                    Some(_) => follows::is_following(&mut conn, ear.viewer, author).await?,
                },
            };
            if saw {
                self.listeners.tell(ear, "delete", payload.clone());
            }
        }
        Ok(())
    }

    async fn notified(&self, account: AccountId, id: NotificationId) -> Result<()> {
        let ears = self.listeners.notified(account);
        if ears.is_empty() {
            return Ok(());
        }
        let mut conn = self.app.db.read().await?;
        let view = match notifications::get(&mut conn, account, id).await {
            Ok(view) => view,
            // Dismissed, or about what she may no longer see.
            Err(storage::Error::NotFound) => return Ok(()),
            Err(other) => return Err(other.into()),
        };
        let json = raw(&self.render(Viewer::Account(account)).notification(&view)?)?;
        for ear in &ears {
            self.listeners.tell(ear, "notification", Arc::from(json.get()));
        }
        Ok(())
    }

    async fn conversation(&self, account: AccountId, id: ConversationId) -> Result<()> {
        let ears = self
            .listeners
            .ears(|viewer, channel| viewer == Viewer::Account(account) && matches!(channel, Channel::Direct));
        if ears.is_empty() {
            return Ok(());
        }
        let mut conn = self.app.db.read().await?;
        let view = match conversations::get(&mut conn, account, id).await {
            Ok(view) => view,
            Err(storage::Error::NotFound) => return Ok(()),
            Err(other) => return Err(other.into()),
        };
        let json = raw(&self.render(Viewer::Account(account)).conversation(&view)?)?;
        for ear in &ears {
            self.listeners.tell(ear, "conversation", Arc::from(json.get()));
        }
        Ok(())
    }
}

/// Is the post in the timeline that the channel stands for, as this viewer sees it?
async fn on(conn: &mut Conn, viewer: Viewer, channel: &Channel, id: PostId) -> Result<bool> {
    let just_it = Page { max_id: Some(id.0 + 1), since_id: Some(id.0 - 1), min_id: None, limit: 1 };
    let found = match channel {
        Channel::Public(which) => {
            let filter = PublicFilter { local: which.local, remote: which.remote, only_media: which.only_media };
            timelines::public(conn, viewer, filter, &just_it).await?
        }
        Channel::Hashtag { key, local } => {
            let filter = TagFilter { any: vec![key.clone()], local: *local, ..TagFilter::default() };
            timelines::tag(conn, viewer, &filter, &just_it).await?
        }
        Channel::List(list) => match viewer.account() {
            Some(me) => timelines::list(conn, me, *list, &just_it).await?,
            None => Vec::new(),
        },
        Channel::User | Channel::UserNotification | Channel::Direct => Vec::new(),
    };
    Ok(!found.is_empty())
}
