//! Who listens to what in this process, and how messages reach them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::{AccountId, TokenId, Viewer};
use tokio::sync::mpsc;

use super::channel::Channel;

/// Messages that wait for a slow listener. One that falls further behind is let go: it connects again and reads
/// what it missed from the timelines.
const WAITING: usize = 512;

/// An event on its way to a listener.
#[derive(Debug, Clone)]
pub struct Message {
    pub channel: Channel,
    /// `update`, `delete`, `notification` …
    pub event: &'static str,
    /// JSON, or an id.
    pub payload: Arc<str>,
}

#[derive(Debug)]
struct Listener {
    viewer: Viewer,
    token: Option<TokenId>,
    /// Her token also covers notifications.
    notifications: bool,
    channels: Vec<Channel>,
    sender: mpsc::Sender<Message>,
}

/// A listener as the dispatcher sees it: one channel of hers.
#[derive(Debug, Clone)]
pub(super) struct Ear {
    id: u64,
    pub(super) viewer: Viewer,
    pub(super) channel: Channel,
    sender: mpsc::Sender<Message>,
}

/// Everybody who listens. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Listeners {
    all: Arc<Mutex<HashMap<u64, Listener>>>,
    next: Arc<AtomicU64>,
}

impl Listeners {
    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Listener>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to listen; ends when the subscription is dropped.
    #[must_use]
    pub fn join(&self, viewer: Viewer, token: Option<TokenId>, notifications: bool) -> (Subscription, Inbox) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::channel(WAITING);
        self.locked().insert(id, Listener { viewer, token, notifications, channels: Vec::new(), sender });
        (Subscription { id, listeners: self.clone() }, receiver)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.locked().is_empty()
    }

    /// Every channel that `wanted` chooses, with who listens to it.
    pub(super) fn ears(&self, wanted: impl Fn(Viewer, &Channel) -> bool) -> Vec<Ear> {
        let all = self.locked();
        all.iter()
            .flat_map(|(id, l)| l.channels.iter().map(move |c| (id, l, c)))
            .filter(|(_, l, c)| wanted(l.viewer, c))
            .map(|(id, l, c)| Ear { id: *id, viewer: l.viewer, channel: c.clone(), sender: l.sender.clone() })
            .collect()
    }

    /// Where a member hears of notifications.
    pub(super) fn notified(&self, account: AccountId) -> Vec<Ear> {
        let all = self.locked();
        all.iter()
            .filter(|(_, l)| l.viewer == Viewer::Account(account) && l.notifications)
            .flat_map(|(id, l)| l.channels.iter().map(move |c| (id, l, c)))
            .filter(|(_, _, c)| matches!(c, Channel::User | Channel::UserNotification))
            .map(|(id, l, c)| Ear { id: *id, viewer: l.viewer, channel: c.clone(), sender: l.sender.clone() })
            .collect()
    }

    /// Sends; a listener that cannot keep up is let go.
    pub(super) fn tell(&self, ear: &Ear, event: &'static str, payload: Arc<str>) {
        let message = Message { channel: ear.channel.clone(), event, payload };
        if ear.sender.try_send(message).is_err() {
            self.locked().remove(&ear.id);
        }
    }

    /// The tokens that somebody listens with, each once.
    pub(super) fn tokens(&self) -> Vec<TokenId> {
        let tokens: HashSet<TokenId> = self.locked().values().filter_map(|l| l.token).collect();
        tokens.into_iter().collect()
    }

    /// A token ended: its streams close.
    pub(super) fn close(&self, token: TokenId) {
        self.locked().retain(|_, l| l.token != Some(token));
    }

    /// Events were lost: everybody connects again and reads afresh.
    pub(super) fn close_all(&self) {
        self.locked().clear();
    }
}

/// What arrives. Ends when the listener was let go.
pub type Inbox = mpsc::Receiver<Message>;

/// A place among the listeners.
#[derive(Debug)]
pub struct Subscription {
    id: u64,
    listeners: Listeners,
}

impl Subscription {
    /// `false` when she listens to too much already.
    #[must_use]
    pub fn add(&self, channel: Channel) -> bool {
        const MOST: usize = 64;
        let mut all = self.listeners.locked();
        let Some(listener) = all.get_mut(&self.id) else { return true };
        if listener.channels.contains(&channel) {
            return true;
        }
        if listener.channels.len() >= MOST {
            return false;
        }
        listener.channels.push(channel);
        true
    }

    pub fn remove(&self, channel: &Channel) {
        if let Some(listener) = self.listeners.locked().get_mut(&self.id) {
            listener.channels.retain(|c| c != channel);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.listeners.locked().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DANA: Viewer = Viewer::Account(AccountId(1));

    #[tokio::test]
    async fn a_listener_hears_its_channels_until_it_leaves_or_its_token_ends() {
        let listeners = Listeners::default();
        let (place, mut inbox) = listeners.join(DANA, Some(TokenId(9)), true);
        assert!(place.add(Channel::User) && place.add(Channel::User));
        let ears = listeners.ears(|_, c| *c == Channel::User);
        assert_eq!(ears.len(), 1, "twice the same is once");
        listeners.tell(&ears[0], "update", "{}".into());
        assert_eq!(inbox.recv().await.unwrap().event, "update");
        assert_eq!(listeners.notified(AccountId(1)).len(), 1);
        assert!(listeners.notified(AccountId(2)).is_empty());

        place.remove(&Channel::User);
        assert!(listeners.ears(|_, _| true).is_empty());
        drop(ears);
        listeners.close(TokenId(9));
        assert!(inbox.recv().await.is_none(), "the stream ends with the token");

        let (place, _inbox) = listeners.join(DANA, None, false);
        assert!(place.add(Channel::User));
        assert!(listeners.notified(AccountId(1)).is_empty(), "without the scope");
        drop(place);
        assert!(listeners.is_empty());
    }

    #[tokio::test]
    async fn a_listener_that_does_not_read_is_let_go() {
        let listeners = Listeners::default();
        let (place, _inbox) = listeners.join(DANA, None, false);
        assert!(place.add(Channel::User));
        let ears = listeners.ears(|_, _| true);
        for _ in 0..=WAITING {
            listeners.tell(&ears[0], "update", "{}".into());
        }
        assert!(listeners.is_empty());
    }
}
