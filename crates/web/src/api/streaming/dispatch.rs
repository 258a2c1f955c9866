//! Live events → messages for those who listen. One task a process, in the order things happened.
//!
//! A post is on a stream exactly if it is in the timeline of that name for that listener: the same rules decide, asked
//! for all who listen at once, and the post is read and written with the listener's own eyes.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use app::App;
use domain::event::Event;
use domain::page::Page;
use domain::post::Post;
use domain::view::PostView;
use domain::{AccountId, ConversationId, ListId, NotificationId, PostId, TokenId, Viewer, Visibility};
use storage::timelines::{self, PublicFilter, TagFilter};
use storage::{Conn, Recent, audience, conversations, follows, homes, hydrate, notifications, oauth, posts};
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

/// Of how many posts the hashtags are remembered, and for how long.
const TAGS_OF: usize = 10_000;
const TAGS_FOR: Duration = Duration::from_secs(24 * 3600);

/// Serves listeners for as long as the database lives.
pub fn start(app: &App, rendered: &Arc<Rendered>, listeners: &Listeners) {
    let dispatch = Dispatch {
        app: app.clone(),
        rendered: Arc::clone(rendered),
        listeners: listeners.clone(),
        tags: Recent::new(TAGS_OF, TAGS_FOR),
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
    /// The hashtags of posts that were told lately: a deleted post has none any more.
    tags: Recent<PostId, Arc<[String]>>,
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
            self.tags.insert(post.id, keys.into());
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
        let all: HashSet<AccountId> = channels
            .iter()
            .filter(|(channel, _)| open(channel))
            .flat_map(|(_, ears)| ears.iter().filter_map(|ear| ear.viewer.account()))
            .collect();
        let all: Vec<AccountId> = all.into_iter().collect();
        let mut wanted_by: HashSet<Viewer> = HashSet::from([Viewer::Anonymous]);
        for some in all.chunks(TOGETHER) {
            wanted_by.extend(audience::wanted_by(conn, post.account_id, some).await?.into_iter().map(Viewer::Account));
        }
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
    fn hidden(&self, id: PostId, account: AccountId) {
        for ear in &self.listeners.of(account, |channel| matches!(channel, Channel::User | Channel::List(_))) {
            self.tell(ear, "delete", Arc::from(id.to_string()));
        }
    }

    /// The post is gone, so no timeline can be asked. Its id is told to those who could have seen it: on hashtags, to
    /// those of the post where they are known still, and else once to each who listens to any.
    async fn deleted(&self, id: PostId, author: AccountId, visibility: Visibility) -> Result<()> {
        let public = visibility == Visibility::Public;
        let apart = self.listeners.apart_from_tags(|channel| match channel {
            Channel::Public(_) => public,
            Channel::User | Channel::List(_) => true,
            Channel::UserNotification | Channel::Direct | Channel::Hashtag { .. } => false,
        });
        let mut ears: Vec<_> = apart.into_iter().flat_map(|(_, ears)| ears).collect();
        let known_tags = self.tags.remove(&id);
        if public {
            match known_tags {
                Some(keys) => ears.extend(named(&keys).flat_map(|channel| self.listeners.on(&channel))),
                None => ears.extend(self.listeners.on_any_tag()),
            }
        }
        if ears.is_empty() {
            return Ok(());
        }
        let mut conn = self.app.db.read().await?;
        let addressed: Vec<AccountId> =
            posts::mentions(&mut conn, id).await?.into_iter().map(|(account, _)| account).collect();
        let payload: Arc<str> = Arc::from(id.to_string());
        let mut may_have_seen: HashMap<Viewer, bool> = HashMap::new();
        for ear in &ears {
            let saw = match may_have_seen.entry(ear.viewer) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(unknown) => *unknown.insert(match visibility {
                    Visibility::Public | Visibility::Unlisted => true,
                    Visibility::Followers | Visibility::Direct => match ear.viewer.account() {
                        None => false,
                        Some(me) if me == author => true,
                        Some(me) if addressed.contains(&me) => {
                            !follows::is_blocked_either_way(&mut conn, me, author).await?
                        }
                        Some(_) if visibility == Visibility::Direct => false,
                        Some(_) => follows::is_following(&mut conn, ear.viewer, author).await?,
                    },
                }),
            };
            if saw {
                self.tell(ear, "delete", payload.clone());
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
            tags: Recent::new(TAGS_OF, TAGS_FOR),
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

        // Its end is told where it was, and once to each who may have seen it where that is not known any more.
        dispatch.deleted(id, AccountId(1), Visibility::Public).await.unwrap();
        let of = |told: &[Arc<Message>]| told.iter().map(|m| m.channel.label().concat()).collect::<Vec<_>>();
        assert_eq!(of(&told(&mut all[0].1).await), ["public", "hashtagtea"]);
        dispatch.deleted(id, AccountId(1), Visibility::Public).await.unwrap();
        assert_eq!(of(&told(&mut all[0].1).await), ["public", "hashtagtea"], "the first hashtag");
        dispatch.deleted(id, AccountId(1), Visibility::Followers).await.unwrap();
        assert!(told(&mut all[1].1).await.iter().all(|m| m.event == "delete" && m.payload.parse() == Ok(id)));
        assert!(told(&mut all[2].1).await.len() == 4, "and nothing of what is not for strangers");
    }
}
