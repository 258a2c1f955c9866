//! Who listens to what in this process, and how messages reach them.
//!
//! Channels lead to their listeners by an index, so that an event costs as much as there are channels it is on, not as
//! there are listeners. Everything a listener may take is bounded: how many there are for an address, for a member and
//! without a member in all; how many channels each has; how many messages wait for it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::extract::ws::Utf8Bytes;
use domain::{AccountId, TokenId, Viewer};
use tokio::sync::Notify;

use super::channel::Channel;
use crate::limits::Origin;
use crate::places::{Place, Places};

/// Messages that wait for a slow listener, and their bytes. One that falls further behind is let go: it connects again
/// and reads what it missed from the timelines.
const WAITING: usize = 512;
const WAITING_BYTES: usize = 2 * 1024 * 1024;
/// Listeners that are not signed in, in all and from one address.
const STRANGERS: usize = 512;
const STRANGERS_EACH: usize = 16;
/// Listeners of members, in all and of each.
const MEMBERS: usize = 8_192;
const MEMBERS_EACH: usize = 32;
/// Channels of one listener.
const CHANNELS: usize = 64;
const CHANNELS_OF_STRANGERS: usize = 16;

/// An event on its way to those who listen to one channel: they share it, however many they are.
#[derive(Debug)]
pub struct Message {
    pub channel: Arc<Channel>,
    /// `update`, `delete`, `notification` …
    pub event: &'static str,
    /// JSON, or an id.
    pub payload: Arc<str>,
    /// As sockets are told it. The first that tells it writes it.
    pub(super) text: OnceLock<Utf8Bytes>,
}

impl Message {
    pub(super) fn new(channel: Arc<Channel>, event: &'static str, payload: Arc<str>) -> Arc<Self> {
        Arc::new(Self { channel, event, payload, text: OnceLock::new() })
    }
}

/// Who begins to listen.
#[derive(Debug, Clone, Copy)]
pub enum Who {
    Stranger(Origin),
    Member {
        account: AccountId,
        token: TokenId,
        /// The token also covers notifications.
        notifications: bool,
    },
}

#[derive(Debug)]
struct Listener {
    who: Who,
    channels: Vec<Arc<Channel>>,
    mailbox: Arc<Mailbox>,
}

impl Listener {
    fn viewer(&self) -> Viewer {
        match self.who {
            Who::Stranger(_) => Viewer::Anonymous,
            Who::Member { account, .. } => Viewer::Account(account),
        }
    }

    fn token(&self) -> Option<TokenId> {
        match self.who {
            Who::Stranger(_) => None,
            Who::Member { token, .. } => Some(token),
        }
    }
}

/// A listener as the dispatcher sees it: one channel of it.
#[derive(Debug, Clone)]
pub(super) struct Ear {
    id: u64,
    pub(super) viewer: Viewer,
    pub(super) channel: Arc<Channel>,
    mailbox: Arc<Mailbox>,
}

/// Everybody who listens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Listeners {
    state: Arc<Mutex<State>>,
    strangers: Places<Origin>,
    members: Places<AccountId>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            strangers: Places::new(STRANGERS, STRANGERS_EACH),
            members: Places::new(MEMBERS, MEMBERS_EACH),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    all: HashMap<u64, Listener>,
    by_account: HashMap<AccountId, Vec<u64>>,
    /// Hashtags: any number of them, of which an event concerns a few.
    tags: HashMap<Arc<Channel>, Vec<u64>>,
    /// Every other channel.
    others: HashMap<Arc<Channel>, Vec<u64>>,
}

impl State {
    fn index(&mut self, channel: &Channel) -> &mut HashMap<Arc<Channel>, Vec<u64>> {
        if matches!(channel, Channel::Hashtag { .. }) { &mut self.tags } else { &mut self.others }
    }

    /// The channel as the index has it, so that its name is in memory once.
    fn listen(&mut self, id: u64, channel: Channel) -> Arc<Channel> {
        match self.index(&channel).entry(Arc::new(channel)) {
            Entry::Occupied(mut known) => {
                known.get_mut().push(id);
                Arc::clone(known.key())
            }
            Entry::Vacant(new) => {
                let channel = Arc::clone(new.key());
                new.insert(vec![id]);
                channel
            }
        }
    }

    fn stop_listening(&mut self, id: u64, channel: &Channel) {
        let index = self.index(channel);
        if let Some(ids) = index.get_mut(channel) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                index.remove(channel);
            }
        }
    }

    fn remove(&mut self, id: u64) {
        let Some(listener) = self.all.remove(&id) else { return };
        for channel in &listener.channels {
            self.stop_listening(id, channel);
        }
        if let Viewer::Account(account) = listener.viewer()
            && let Entry::Occupied(mut ids) = self.by_account.entry(account)
        {
            ids.get_mut().retain(|other| *other != id);
            if ids.get().is_empty() {
                ids.remove();
            }
        }
        listener.mailbox.close();
    }

    fn ears(&self, channel: &Arc<Channel>, ids: &[u64]) -> Vec<Ear> {
        let listeners = ids.iter().filter_map(|id| Some((*id, self.all.get(id)?)));
        listeners.map(|(id, listener)| ear(id, listener, channel)).collect()
    }
}

fn ear(id: u64, listener: &Listener, channel: &Arc<Channel>) -> Ear {
    let (channel, mailbox) = (Arc::clone(channel), Arc::clone(&listener.mailbox));
    Ear { id, viewer: listener.viewer(), channel, mailbox }
}

impl Listeners {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to listen; ends when the subscription is dropped. `None` when this address or member has too many
    /// listeners, or all together are too many.
    #[must_use]
    pub fn join(&self, who: Who) -> Option<(Subscription, Inbox)> {
        let place = match who {
            Who::Stranger(origin) => Held::Stranger(self.strangers.take(origin)?),
            Who::Member { account, .. } => Held::Member(self.members.take(account)?),
        };
        let mailbox = Arc::new(Mailbox::default());
        let listener = Listener { who, channels: Vec::new(), mailbox: Arc::clone(&mailbox) };
        let mut state = self.locked();
        let id = state.next;
        state.next += 1;
        if let Viewer::Account(account) = listener.viewer() {
            state.by_account.entry(account).or_default().push(id);
        }
        state.all.insert(id, listener);
        drop(state);
        Some((Subscription { id, listeners: self.clone(), _place: place }, Inbox { mailbox }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.locked().all.is_empty()
    }

    /// Every channel but hashtags that somebody listens to and `wanted` chooses, in the order of their kinds.
    pub(super) fn apart_from_tags(&self, wanted: impl Fn(&Channel) -> bool) -> Vec<(Arc<Channel>, Vec<Ear>)> {
        let state = self.locked();
        let wanted = state.others.iter().filter(|(channel, _)| wanted(channel));
        let mut found: Vec<_> = wanted.map(|(channel, ids)| (Arc::clone(channel), state.ears(channel, ids))).collect();
        drop(state);
        found.sort_by_key(|(channel, _)| channel.rank());
        found
    }

    /// Does anybody listen to a hashtag?
    pub(super) fn has_tags(&self) -> bool {
        !self.locked().tags.is_empty()
    }

    /// Who listens to one channel.
    pub(super) fn on(&self, channel: &Channel) -> Vec<Ear> {
        let mut state = self.locked();
        let Some((channel, ids)) =
            state.index(channel).get_key_value(channel).map(|(c, ids)| (Arc::clone(c), ids.clone()))
        else {
            return Vec::new();
        };
        state.ears(&channel, &ids)
    }

    /// A member's channels that `wanted` chooses.
    pub(super) fn of(&self, account: AccountId, wanted: impl Fn(&Channel) -> bool) -> Vec<Ear> {
        self.of_those(account, |_| true, wanted)
    }

    /// Where a member hears of notifications.
    pub(super) fn notified(&self, account: AccountId) -> Vec<Ear> {
        let may = |who: &Who| matches!(who, Who::Member { notifications: true, .. });
        self.of_those(account, may, |channel| matches!(channel, Channel::User | Channel::UserNotification))
    }

    fn of_those(&self, account: AccountId, may: impl Fn(&Who) -> bool, wanted: impl Fn(&Channel) -> bool) -> Vec<Ear> {
        let state = self.locked();
        let ids = state.by_account.get(&account).map(Vec::as_slice).unwrap_or_default();
        let listeners = ids.iter().filter_map(|id| Some((*id, state.all.get(id)?)));
        listeners
            .filter(|(_, listener)| may(&listener.who))
            .flat_map(|(id, listener)| listener.channels.iter().map(move |channel| (id, listener, channel)))
            .filter(|(_, _, channel)| wanted(channel))
            .map(|(id, listener, channel)| ear(id, listener, channel))
            .collect()
    }

    /// Sends; a listener that cannot keep up is let go.
    pub(super) fn tell(&self, ear: &Ear, message: Arc<Message>) {
        if !ear.mailbox.put(message) {
            self.locked().remove(ear.id);
        }
    }

    /// The tokens that somebody listens with, each once.
    pub(super) fn tokens(&self) -> Vec<TokenId> {
        let tokens: HashSet<TokenId> = self.locked().all.values().filter_map(Listener::token).collect();
        tokens.into_iter().collect()
    }

    /// A token ended: its streams close.
    pub(super) fn close(&self, token: TokenId) {
        let mut state = self.locked();
        let ended: Vec<u64> =
            state.all.iter().filter(|(_, listener)| listener.token() == Some(token)).map(|(id, _)| *id).collect();
        ended.into_iter().for_each(|id| state.remove(id));
    }

    /// Events were lost: everybody connects again and reads afresh.
    pub(super) fn close_all(&self) {
        let mut state = self.locked();
        let all: Vec<u64> = state.all.keys().copied().collect();
        all.into_iter().for_each(|id| state.remove(id));
    }
}

/// What waits for a listener.
#[derive(Debug, Default)]
struct Mailbox {
    queue: Mutex<Queue>,
    /// Something came, or it was closed.
    stirred: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Arc<Message>>,
    bytes: usize,
    closed: bool,
}

impl Mailbox {
    fn locked(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `false` when there is no room, or nobody reads any more.
    fn put(&self, message: Arc<Message>) -> bool {
        let mut queue = self.locked();
        let bytes = queue.bytes + message.payload.len();
        let full = queue.messages.len() >= WAITING || (bytes > WAITING_BYTES && !queue.messages.is_empty());
        if queue.closed || full {
            return false;
        }
        queue.bytes = bytes;
        queue.messages.push_back(message);
        drop(queue);
        self.stirred.notify_one();
        true
    }

    /// What waits is dropped: whoever is let go reads afresh, and one that reads nothing keeps nothing in memory.
    fn close(&self) {
        let mut queue = self.locked();
        *queue = Queue { closed: true, ..Queue::default() };
        drop(queue);
        self.stirred.notify_one();
    }
}

/// What arrives.
#[derive(Debug)]
pub struct Inbox {
    mailbox: Arc<Mailbox>,
}

impl Inbox {
    /// The next message; `None` when the listener was let go. Nothing is lost when this is given up half-way.
    pub async fn recv(&mut self) -> Option<Arc<Message>> {
        loop {
            if let Some(message) = self.waiting() {
                return Some(message);
            }
            if self.mailbox.locked().closed {
                return None;
            }
            self.mailbox.stirred.notified().await;
        }
    }

    /// The next message if it is there already.
    pub fn waiting(&mut self) -> Option<Arc<Message>> {
        let mut queue = self.mailbox.locked();
        let message = queue.messages.pop_front()?;
        queue.bytes = queue.bytes.saturating_sub(message.payload.len());
        if queue.messages.is_empty() {
            // A burst leaves no room behind.
            queue.messages = VecDeque::new();
        }
        Some(message)
    }
}

/// A place that is counted.
#[derive(Debug)]
#[expect(dead_code, reason = "held, never read")]
enum Held {
    Stranger(Place<Origin>),
    Member(Place<AccountId>),
}

/// A place among the listeners.
#[derive(Debug)]
pub struct Subscription {
    id: u64,
    listeners: Listeners,
    _place: Held,
}

impl Subscription {
    /// `false` when it listens to too much already.
    #[must_use]
    pub fn add(&self, channel: Channel) -> bool {
        let mut state = self.listeners.locked();
        let Some(listener) = state.all.get(&self.id) else { return true };
        if listener.channels.iter().any(|known| **known == channel) {
            return true;
        }
        let most = if matches!(listener.who, Who::Stranger(_)) { CHANNELS_OF_STRANGERS } else { CHANNELS };
        if listener.channels.len() >= most {
            return false;
        }
        let channel = state.listen(self.id, channel);
        if let Some(listener) = state.all.get_mut(&self.id) {
            listener.channels.push(channel);
        }
        true
    }

    pub fn remove(&self, channel: &Channel) {
        let mut state = self.listeners.locked();
        let Some(listener) = state.all.get_mut(&self.id) else { return };
        let before = listener.channels.len();
        listener.channels.retain(|known| **known != *channel);
        if listener.channels.len() < before {
            state.stop_listening(self.id, channel);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.listeners.locked().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const DANA: AccountId = AccountId(1);

    fn member(token: i64, notifications: bool) -> Who {
        Who::Member { account: DANA, token: TokenId(token), notifications }
    }

    fn stranger(from: &str) -> Who {
        Who::Stranger(Origin::new(from.parse::<IpAddr>().unwrap()))
    }

    fn tag(key: impl Into<String>) -> Channel {
        Channel::Hashtag { key: key.into(), local: false }
    }

    #[tokio::test]
    async fn a_listener_hears_its_channels_until_it_leaves_or_its_token_ends() {
        let listeners = Listeners::default();
        let (place, mut inbox) = listeners.join(member(9, true)).unwrap();
        assert!(place.add(Channel::User) && place.add(Channel::User));
        let ears = listeners.on(&Channel::User);
        assert_eq!(ears.len(), 1, "twice the same is once");
        listeners.tell(&ears[0], Message::new(Arc::new(Channel::User), "update", "{}".into()));
        assert_eq!(inbox.recv().await.unwrap().event, "update");
        assert_eq!(listeners.notified(DANA).len(), 1);
        assert!(listeners.notified(AccountId(2)).is_empty());

        place.remove(&Channel::User);
        assert!(listeners.on(&Channel::User).is_empty() && listeners.apart_from_tags(|_| true).is_empty());
        listeners.close(TokenId(9));
        assert!(inbox.recv().await.is_none(), "the stream ends with the token");

        let (place, _inbox) = listeners.join(member(10, false)).unwrap();
        assert!(place.add(Channel::User));
        assert!(listeners.notified(DANA).is_empty(), "without the scope");
        assert_eq!(listeners.of(DANA, |_| true).len(), 1);
        drop(place);
        assert!(listeners.is_empty());
        let state = listeners.locked();
        assert!(state.others.is_empty() && state.by_account.is_empty(), "nothing is left of it");
    }

    #[tokio::test]
    async fn a_listener_that_does_not_read_is_let_go_and_keeps_nothing() {
        let listeners = Listeners::default();
        for payload in ["{}".to_owned(), "x".repeat(WAITING_BYTES / 4)] {
            let (place, mut inbox) = listeners.join(member(9, false)).unwrap();
            assert!(place.add(Channel::User));
            let ears = listeners.on(&Channel::User);
            for _ in 0..=WAITING {
                listeners.tell(&ears[0], Message::new(Arc::new(Channel::User), "update", payload.as_str().into()));
            }
            assert!(listeners.is_empty());
            assert!(inbox.recv().await.is_none(), "what waited for it is gone");
        }
    }

    #[test]
    fn listeners_are_bounded_by_address_by_member_and_in_all() {
        let listeners = Listeners::default();
        let join =
            |from: &str, count: usize| -> Vec<_> { (0..count).map_while(|_| listeners.join(stranger(from))).collect() };
        let household = [join("2001:db8:1:2::1", 10), join("2001:db8:1:2:3::9", 10)];
        assert_eq!(household.iter().map(Vec::len).sum::<usize>(), STRANGERS_EACH, "a /64 is one");
        let street: Vec<_> = (0..100).map(|n| join(&format!("10.0.0.{n}"), 10)).collect();
        assert_eq!(street.iter().map(Vec::len).sum::<usize>() + STRANGERS_EACH, STRANGERS);
        let mine: Vec<_> = (0..100).map_while(|_| listeners.join(member(1, true))).collect();
        assert_eq!(mine.len(), MEMBERS_EACH, "members have places of their own");
        drop((household, street, mine));
        assert!(listeners.is_empty() && listeners.join(stranger("10.0.0.1")).is_some());
    }

    #[test]
    fn channels_are_bounded_and_lead_to_their_listeners() {
        let listeners = Listeners::default();
        let (hers, _inbox) = listeners.join(member(1, true)).unwrap();
        let (theirs, _inbox) = listeners.join(stranger("10.0.0.1")).unwrap();
        assert_eq!((0..100).filter(|n| hers.add(tag(format!("t{n}")))).count(), CHANNELS);
        assert_eq!((0..100).filter(|n| theirs.add(tag(format!("t{n}")))).count(), CHANNELS_OF_STRANGERS);
        assert_eq!((listeners.on(&tag("t0")).len(), listeners.on(&tag("t63")).len()), (2, 1));
        assert!(listeners.on(&tag("t99")).is_empty() && listeners.has_tags());
        let shared = listeners.on(&tag("t0"));
        assert!(Arc::ptr_eq(&shared[0].channel, &shared[1].channel), "a name is in memory once");
        theirs.remove(&tag("t0"));
        assert!(theirs.add(tag("t99")), "one for another");
        drop((hers, theirs, shared));
        assert!(!listeners.has_tags());
    }
}
