//! Live events → messages for those who listen. One task a process, in the order things happened.
//!
//! A post is on a stream exactly if it is in the timeline of that name for that listener: the same rules decide, asked
//! for all who listen at once, and the post is read and written with the listener's own eyes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use app::App;
use domain::event::Event;
use domain::page::Page;
use domain::post::Post;
use domain::view::PostView;
use domain::{AccountId, ConversationId, ListId, NotificationId, PostId, TagId, TokenId, Viewer, Visibility};
use storage::timelines::{self, PublicFilter, TagFilter};
use storage::{Conn, accounts, audience, conversations, homes, hydrate, notifications, oauth, posts};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use super::channel::Channel;
use super::listeners::{Ear, Listeners, Message};
use crate::api::error::Result;
use crate::api::render::{Render, Rendered, raw};

/// How often the database is asked whether those who listen still may. That a token was taken back is told at once, but
/// not by a command beside a server on the embedded database; and that one expires is told by nobody.
const MAY_THEY_STILL: Duration = Duration::from_secs(5);

/// Listeners who are asked for together, and written for before others have their turn.
const TOGETHER: usize = 200;

/// Serves listeners for as long as the database lives.
pub fn start(app: &App, rendered: &Arc<Rendered>, listeners: &Listeners) {
    let dispatch = Dispatch {
        app: app.clone(),
        rendered: Arc::clone(rendered),
        listeners: listeners.clone(),
        #[cfg(test)]
        asked: std::sync::atomic::AtomicUsize::new(0),
    };
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
                Ok(Event::SomeMissed) => dispatch.listeners.close_all(),
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
    /// How often a timeline was asked whether a post is on it.
    #[cfg(test)]
    asked: std::sync::atomic::AtomicUsize,
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
            Event::PostHidden { post, account } => self.hidden(post, account).await,
            Event::PostLeft { post, accounts } => self.left(post, accounts).await,
            Event::PostDeleted { post, tags, media } => self.deleted(post, &tags, media).await,
            Event::Notified { account, notification } => self.notified(account, notification).await,
            Event::ConversationChanged { account, conversation } => self.conversation(account, conversation).await,
            Event::AccountChanged { .. }
            | Event::RelationsChanged { .. }
            | Event::TokenRevoked { .. }
            | Event::SettingsChanged
            | Event::SomeMissed => Ok(()),
        }
    }

    fn render(&self, viewer: Viewer) -> Render<'_> {
        Render { files: &self.app.files, kept: &self.rendered, viewer, now: self.app.now() }
    }

    fn tell(&self, ear: &Ear, event: &'static str, payload: Arc<str>) {
        self.listeners.tell(ear, Message::new(Arc::clone(&ear.channel), event, payload));
    }

    /// The channels that a post may be on, each once, with those who listen: for hashtags only the post's own.
    async fn channels(&self, conn: &mut Conn, post: &Post) -> Result<Vec<(Arc<Channel>, Vec<Ear>)>> {
        let public = post.visibility == Visibility::Public && post.boost_of_id.is_none();
        let mut channels = self.listeners.apart_from_tags(|channel| match channel {
            Channel::Public(_) => public,
            Channel::List(_) => post.visibility != Visibility::Direct,
            Channel::User => true,
            Channel::UserNotification | Channel::Direct | Channel::Hashtag { .. } => false,
        });
        if public && self.listeners.has_tags() {
            let keys: Vec<String> = posts::tags(conn, post.id).await?.into_iter().map(|(key, _)| key).collect();
            for channel in named(&keys) {
                let ears = self.listeners.on(&channel);
                channels.extend(ears.first().map(|ear| Arc::clone(&ear.channel)).map(|channel| (channel, ears)));
            }
        }
        Ok(channels)
    }

    async fn post(&self, id: PostId, event: &'static str) -> Result<()> {
        let mut conn = self.app.db.read().await?;
        let Ok(post) = posts::unchecked(&mut conn, id).await else { return Ok(()) };
        let channels = self.channels(&mut conn, &post).await?;
        let seen_by = self.seen_by(&mut conn, &post, &channels).await?;
        let viewers: HashSet<Viewer> = seen_by.iter().flatten().copied().collect();
        let written = self.written(&mut conn, id, &viewers).await?;
        drop(conn);
        let mut told = Vec::new();
        for ((channel, ears), seen_by) in channels.into_iter().zip(seen_by) {
            let mut messages: HashMap<Viewer, Arc<Message>> = HashMap::new();
            for viewer in seen_by {
                if let Some(json) = written.get(&viewer) {
                    messages.insert(viewer, Message::new(Arc::clone(&channel), event, Arc::clone(json)));
                }
            }
            told.extend(ears.into_iter().filter_map(|ear| Some((messages.get(&ear.viewer)?.clone(), ear))));
        }
        // All that a listener gets of it comes at once, so that it is written at once.
        for (message, ear) in told {
            self.listeners.tell(&ear, message);
        }
        Ok(())
    }

    /// The post as each viewer gets it who may see it: the same on each of their channels, and for everybody who is not
    /// signed in.
    async fn written(
        &self,
        conn: &mut Conn,
        id: PostId,
        viewers: &HashSet<Viewer>,
    ) -> Result<HashMap<Viewer, Arc<str>>> {
        let members: Vec<AccountId> = viewers.iter().filter_map(|viewer| viewer.account()).collect();
        let mut views: Vec<(Viewer, PostView)> = Vec::new();
        for some in members.chunks(TOGETHER) {
            let seen = hydrate::post_for(conn, id, some).await?;
            views.extend(seen.into_iter().map(|(member, view)| (Viewer::Account(member), view)));
            tokio::task::yield_now().await;
        }
        if viewers.contains(&Viewer::Anonymous) {
            match hydrate::post(conn, Viewer::Anonymous, id).await {
                Ok(view) => views.push((Viewer::Anonymous, view)),
                Err(storage::Error::NotFound) => {}
                Err(other) => return Err(other.into()),
            }
        }
        let mut written = HashMap::with_capacity(views.len());
        for (n, (viewer, view)) in views.into_iter().enumerate() {
            written.insert(viewer, Arc::from(self.render(viewer).status(&view)?.get()));
            if n % TOGETHER == 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(written)
    }

    /// Which of those who listen to each channel have the post on it.
    async fn seen_by(
        &self,
        conn: &mut Conn,
        post: &Post,
        channels: &[(Arc<Channel>, Vec<Ear>)],
    ) -> Result<Vec<HashSet<Viewer>>> {
        let listening = |ears: &[Ear]| {
            ears.iter().map(|ear| ear.viewer).collect::<HashSet<Viewer>>().into_iter().collect::<Vec<_>>()
        };
        // What everybody may find is there for all who want to see it, unless its author blocks them.
        let open = |channel: &Channel| matches!(channel, Channel::Public(_) | Channel::Hashtag { .. });
        let all = channels.iter().filter(|(channel, _)| open(channel)).flat_map(|(_, ears)| ears);
        let wanted_by = wanted_by(conn, post.account_id, all).await?;
        let mut lists: Vec<ListId> = channels
            .iter()
            .filter_map(|(channel, _)| if let Channel::List(list) = **channel { Some(list) } else { None })
            .collect();
        if !lists.is_empty() {
            lists = audience::lists_with(conn, post.account_id, &lists).await?;
        }
        let mut seen_by = Vec::with_capacity(channels.len());
        for (channel, ears) in channels {
            let viewers = listening(ears);
            seen_by.push(match &**channel {
                Channel::User => {
                    let members: Vec<AccountId> = viewers.iter().filter_map(|viewer| viewer.account()).collect();
                    let owners = homes::owners(conn, post.id, &members).await?;
                    owners.into_iter().map(Viewer::Account).collect()
                }
                Channel::List(list) if lists.contains(list) => self.on_list(conn, *list, post.id, viewers).await?,
                channel if open(channel) && self.is_open(conn, channel, post.id).await? => {
                    viewers.into_iter().filter(|viewer| wanted_by.contains(viewer)).collect()
                }
                _ => HashSet::new(),
            });
        }
        Ok(seen_by)
    }

    /// Is the post in the timeline that the channel stands for, as somebody sees it who is not signed in?
    async fn is_open(&self, conn: &mut Conn, channel: &Channel, id: PostId) -> Result<bool> {
        #[cfg(test)]
        self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (nobody, just_it) = (Viewer::Anonymous, Page::only(id.0));
        Ok(match channel {
            Channel::Public(which) => {
                let filter = PublicFilter { local: which.local, remote: which.remote, only_media: which.only_media };
                !timelines::public(conn, nobody, filter, &just_it).await?.is_empty()
            }
            Channel::Hashtag { key, local } => {
                let filter = TagFilter { any: vec![key.clone()], local: *local, ..TagFilter::default() };
                !timelines::tag(conn, nobody, &filter, &just_it).await?.is_empty()
            }
            _ => false,
        })
    }

    /// A list has one owner, who alone has posts on it.
    async fn on_list(
        &self,
        conn: &mut Conn,
        list: ListId,
        id: PostId,
        viewers: Vec<Viewer>,
    ) -> Result<HashSet<Viewer>> {
        let mut seen_by = HashSet::new();
        for viewer in viewers {
            #[cfg(test)]
            self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if let Some(me) = viewer.account()
                && timelines::is_on_list(conn, me, list, id).await?
            {
                seen_by.insert(viewer);
            }
        }
        Ok(seen_by)
    }

    /// To her it is as if the post were gone.
    async fn hidden(&self, id: PostId, account: AccountId) -> Result<()> {
        let ears = self.listeners.of(account, |channel| matches!(channel, Channel::User | Channel::List(_)));
        if ears.is_empty() {
            return Ok(());
        }
        let mut conn = self.app.db.read().await?;
        for ear in &ears {
            let had = match *ear.channel {
                Channel::List(list) => timelines::was_on_list(&mut conn, account, list, id).await?,
                _ => true,
            };
            if had {
                self.tell(ear, "delete", Arc::from(id.to_string()));
            }
        }
        Ok(())
    }

    /// A deleted post leaves the own streams of these members.
    async fn left(&self, id: PostId, accounts: Vec<AccountId>) -> Result<()> {
        let accounts: HashSet<AccountId> = accounts.into_iter().collect();
        let mut ears: Vec<Ear> =
            self.listeners.apart_from_tags(|c| matches!(c, Channel::User)).into_iter().flat_map(|(_, e)| e).collect();
        ears.retain(|ear| ear.viewer.account().is_some_and(|account| accounts.contains(&account)));
        if ears.is_empty() {
            return Ok(());
        }
        let had = had(&mut self.app.db.read().await?, id, &ears).await?;
        ears.iter().filter(|ear| had.contains(&ear.viewer)).for_each(|ear| self.tell(ear, "delete", gone(id)));
        Ok(())
    }

    /// A deleted post leaves the streams that many share, and lists. It is a tombstone by now, so no timeline can be
    /// asked.
    async fn deleted(&self, id: PostId, tags: &[TagId], media: bool) -> Result<()> {
        if self.listeners.is_empty() {
            return Ok(());
        }
        let mut conn = self.app.db.read().await?;
        let post = match posts::unchecked_or_tombstone(&mut conn, id).await {
            Ok((post, _)) => post,
            Err(storage::Error::NotFound) => return Ok(()),
            Err(other) => return Err(other.into()),
        };
        let silenced = match accounts::even_hidden(&mut conn, post.account_id).await {
            Ok(author) => author.silenced_at.is_some(),
            Err(storage::Error::NotFound) => false,
            Err(other) => return Err(other.into()),
        };
        let open = post.visibility == Visibility::Public && post.boost_of_id.is_none() && !silenced;
        let answers_another = post.in_reply_to_account_id.is_some_and(|other| other != post.account_id);
        let mut channels = self.listeners.apart_from_tags(|channel| match channel {
            Channel::Public(which) => {
                let elsewhere = if post.local { which.remote && !which.local } else { which.local && !which.remote };
                open && !answers_another && !elsewhere && (media || !which.only_media)
            }
            Channel::List(_) => post.visibility != Visibility::Direct,
            _ => false,
        });
        if open && !tags.is_empty() && self.listeners.has_tags() {
            let keys = storage::tags::names(&mut conn, tags).await?;
            channels.extend(named(&keys).filter(|channel| post.local || !channel.is_local()).filter_map(|channel| {
                let ears = self.listeners.on(&channel);
                Some((Arc::clone(&ears.first()?.channel), ears))
            }));
        }
        for (channel, ears) in channels {
            let had = match *channel {
                Channel::List(list) => {
                    let mut had = had(&mut conn, id, &ears).await?;
                    for viewer in had.clone() {
                        let Some(me) = viewer.account() else { continue };
                        if !timelines::was_on_list(&mut conn, me, list, id).await? {
                            had.remove(&viewer);
                        }
                    }
                    had
                }
                _ => wanted_by(&mut conn, post.account_id, &ears).await?,
            };
            ears.iter().filter(|ear| had.contains(&ear.viewer)).for_each(|ear| self.tell(ear, "delete", gone(id)));
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
            self.tell(ear, "notification", Arc::from(json.get()));
        }
        Ok(())
    }

    async fn conversation(&self, account: AccountId, id: ConversationId) -> Result<()> {
        let ears = self.listeners.of(account, |channel| matches!(channel, Channel::Direct));
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
            self.tell(ear, "conversation", Arc::from(json.get()));
        }
        Ok(())
    }
}

/// What is told of a post that is gone: its id.
fn gone(id: PostId) -> Arc<str> {
    Arc::from(id.to_string())
}

/// The members among those who listen, each once.
fn members<'e>(ears: impl IntoIterator<Item = &'e Ear>) -> Vec<AccountId> {
    let members: HashSet<AccountId> = ears.into_iter().filter_map(|ear| ear.viewer.account()).collect();
    members.into_iter().collect()
}

/// Who of those who listen finds on shared timelines what the author says to all: whoever is not signed in, and members
/// whom it does not block and who want to see it.
async fn wanted_by<'e>(
    conn: &mut Conn,
    author: AccountId,
    ears: impl IntoIterator<Item = &'e Ear>,
) -> Result<HashSet<Viewer>> {
    let mut wanted_by = HashSet::from([Viewer::Anonymous]);
    for some in members(ears).chunks(TOGETHER) {
        wanted_by.extend(audience::wanted_by(conn, author, some).await?.into_iter().map(Viewer::Account));
    }
    Ok(wanted_by)
}

/// Members among those who listen for whom a deleted post was.
async fn had(conn: &mut Conn, id: PostId, ears: &[Ear]) -> Result<HashSet<Viewer>> {
    let mut had = HashSet::new();
    for some in members(ears).chunks(TOGETHER) {
        had.extend(audience::had(conn, id, some).await?.into_iter().map(Viewer::Account));
    }
    Ok(had)
}

/// The channels of hashtags.
fn named(keys: &[String]) -> impl Iterator<Item = Channel> {
    keys.iter().flat_map(|key| [false, true].map(|local| Channel::Hashtag { key: key.clone(), local }))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use testkit::{Database, Engine, Instance};

    use super::super::channel::Which;
    use super::super::listeners::{Inbox, Who};
    use super::*;
    use crate::limits::Origin;

    fn stranger(n: u8) -> Who {
        Who::Stranger(Origin::new(IpAddr::from([10, 0, 0, n])))
    }

    fn tag(key: &str) -> Channel {
        Channel::Hashtag { key: key.to_owned(), local: false }
    }

    async fn told(inbox: &mut Inbox) -> Vec<Arc<Message>> {
        let mut told = Vec::new();
        while let Ok(Some(message)) = tokio::time::timeout(Duration::from_millis(20), inbox.recv()).await {
            told.push(message);
        }
        told
    }

    /// Two hundred strangers on the same two channels, each on ten others besides: two look-ups, one text for all.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_post_costs_a_look_up_for_each_channel_it_is_on_however_many_listen() {
        let database = Arc::new(Database::fresh(Engine::Sqlite).await);
        let maple = Instance::start_on("maple", database, |_| {}).await;
        let dana = maple.member("dana").await;
        let dispatch = Dispatch {
            app: maple.app().clone(),
            rendered: Arc::default(),
            listeners: Listeners::default(),
            asked: AtomicUsize::new(0),
        };
        let mut all = Vec::new();
        for n in 0..200 {
            let (place, inbox) = dispatch.listeners.join(stranger(n)).unwrap();
            assert!(place.add(tag("tea")) && place.add(Channel::Public(Which::default())));
            assert!((0..10).all(|other| place.add(tag(&format!("own{n}x{other}")))));
            all.push((place, inbox));
        }
        let post = dana.publish("a cup of #tea, not #coffee", "public").await;
        let id: PostId = post["id"].as_str().unwrap().parse().unwrap();
        dispatch.post(id, "update").await.unwrap();
        assert_eq!(dispatch.asked.load(Ordering::Relaxed), 2);
        let mut first: Option<Vec<Arc<Message>>> = None;
        for (_, inbox) in all.iter_mut().take(50) {
            let told = told(inbox).await;
            let labels: Vec<_> = told.iter().map(|message| message.channel.label().concat()).collect();
            assert_eq!(labels, ["public", "hashtagtea"]);
            assert!(Arc::ptr_eq(&told[0].payload, &told[1].payload), "one text");
            let first = first.get_or_insert_with(|| told.clone());
            assert!(first.iter().zip(&told).all(|(a, b)| Arc::ptr_eq(a, b)), "one message a channel, for all of them");
        }

        // Its end is told where it was, and nowhere else.
        let mut conn = maple.app().db.read().await.unwrap();
        let tags = storage::tags::of_post(&mut conn, id).await.unwrap();
        let labels = |told: &[Arc<Message>]| told.iter().map(|m| m.channel.label().concat()).collect::<Vec<_>>();
        dispatch.deleted(id, &tags, false).await.unwrap();
        let told_now = told(&mut all[0].1).await;
        assert!(told_now.iter().all(|m| m.event == "delete" && m.payload.parse() == Ok(id)));
        assert_eq!(labels(&told_now), ["public", "hashtagtea"]);
        let private: PostId =
            dana.publish("not for strangers #tea", "private").await["id"].as_str().unwrap().parse().unwrap();
        dispatch.deleted(private, &tags, false).await.unwrap();
        assert!(told(&mut all[0].1).await.is_empty());
    }
}
