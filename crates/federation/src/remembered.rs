//! What was read from the database a moment ago, for as long as nothing says that it changed.
//!
//! Before anything is given out, the events that came since are looked at: within this process no answer is staler than
//! the last commit. What was being read while something changed is not kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::AccountId;
use domain::event::Event;
use domain::instance::DomainPolicy;
use storage::{Hub, Recent};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::keys::Sender;

/// How long policies, and answers about our accounts, are believed without looking again. A change made in this
/// process, or in another on PostgreSQL, is told at once; on the embedded database a command beside the server tells
/// nobody.
const POLICIES_FOR: Duration = Duration::from_secs(5);
/// How long another server's key is believed without looking at its account again.
const SENDERS_FOR: Duration = Duration::from_secs(600);

/// What is told of a local account, or of the community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// Her actor document.
    Actor,
    /// `WebFinger`'s.
    Finger,
    /// The community's `NodeInfo`.
    NodeInfo,
}

/// When something was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    accounts: u64,
    policies: u64,
}

#[derive(Debug)]
pub(crate) struct Remembered {
    /// By key id.
    senders: Recent<String, Arc<Sender>>,
    policies: Recent<(), Arc<Vec<DomainPolicy>>>,
    /// By lower-case name, or `NodeInfo`'s version.
    answers: Recent<(Answer, String), Bytes>,
    /// The names and key ids under which something of an account is kept above.
    names: Recent<AccountId, Arc<[String]>>,
    /// What happened since somebody last asked.
    events: Mutex<Receiver<Event>>,
    /// How often something of an account was forgotten, and how often settings and policies were.
    accounts_changed: AtomicU64,
    policies_changed: AtomicU64,
}

impl Remembered {
    pub(crate) fn new(hub: &Hub) -> Self {
        Self {
            senders: Recent::new(50_000, SENDERS_FOR),
            policies: Recent::new(1, POLICIES_FOR),
            answers: Recent::new(10_000, POLICIES_FOR),
            names: Recent::new(60_000, SENDERS_FOR),
            events: Mutex::new(hub.subscribe()),
            accounts_changed: AtomicU64::new(0),
            policies_changed: AtomicU64::new(0),
        }
    }

    /// To be asked before that is read which is to be kept.
    pub(crate) fn now(&self) -> Moment {
        let _events = self.catch_up();
        Moment {
            accounts: self.accounts_changed.load(Ordering::Acquire),
            policies: self.policies_changed.load(Ordering::Acquire),
        }
    }

    /// Who signs with a key.
    pub(crate) fn sender(&self, key_id: &str) -> Option<Arc<Sender>> {
        drop(self.catch_up());
        let sender = self.senders.get(key_id)?;
        // Whose name was pushed out by others' would not be forgotten when her account changes.
        let names = self.names.get(&sender.id)?;
        names.iter().any(|name| name == key_id).then_some(sender)
    }

    pub(crate) fn keep_sender(&self, read: Moment, key_id: &str, sender: Arc<Sender>) {
        self.keep(&self.accounts_changed, read.accounts, || {
            self.remember(sender.id, key_id);
            self.senders.insert(key_id.to_owned(), sender);
        });
    }

    /// What is told of a local account, by its name without regard to case, or of the community.
    pub(crate) fn answer(&self, which: Answer, name: &str) -> Option<Bytes> {
        drop(self.catch_up());
        self.answers.get(&(which, name.to_lowercase()))
    }

    pub(crate) fn keep_answer(&self, read: Moment, which: Answer, name: &str, account: AccountId, bytes: Bytes) {
        let name = name.to_lowercase();
        self.keep(&self.accounts_changed, read.accounts, || {
            self.remember(account, &name);
            self.answers.insert((which, name), bytes);
        });
    }

    pub(crate) fn keep_node_info(&self, read: Moment, version: String, bytes: Bytes) {
        self.keep(&self.policies_changed, read.policies, || self.answers.insert((Answer::NodeInfo, version), bytes));
    }

    /// What the owner decided about other communities.
    pub(crate) fn policies(&self) -> Option<Arc<Vec<DomainPolicy>>> {
        drop(self.catch_up());
        self.policies.get(&())
    }

    pub(crate) fn keep_policies(&self, read: Moment, policies: Arc<Vec<DomainPolicy>>) {
        self.keep(&self.policies_changed, read.policies, || self.policies.insert((), policies));
    }

    /// An account was written: what is kept of it is stale, whether or not an event says so.
    pub(crate) fn forget_account(&self, account: AccountId) {
        let _events = self.catch_up();
        self.forget(account);
    }

    /// Puts in what was read at a moment, unless something has changed since.
    fn keep(&self, changed: &AtomicU64, read: u64, put: impl FnOnce()) {
        // Held until it is in: nothing changes between the question and the answer.
        let _events = self.catch_up();
        if changed.load(Ordering::Acquire) == read {
            put();
        }
    }

    fn remember(&self, account: AccountId, name: &str) {
        self.names.update(&account, |known| match known {
            Some(known) if known.iter().any(|other| other == name) => Arc::clone(known),
            _ => known.iter().flat_map(|known| known.iter()).cloned().chain([name.to_owned()]).collect(),
        });
    }

    /// Drops what a change made stale.
    fn catch_up(&self) -> MutexGuard<'_, Receiver<Event>> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match events.try_recv() {
                Ok(Event::AccountChanged { account }) => self.forget(account),
                // A domain that was blocked takes its accounts along.
                Ok(Event::SettingsChanged | Event::SomeMissed) | Err(TryRecvError::Lagged(_)) => self.forget_all(),
                Ok(_) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return events,
            }
        }
    }

    fn forget(&self, account: AccountId) {
        for name in self.names.remove(&account).iter().flat_map(|names| names.iter()) {
            for which in [Answer::Actor, Answer::Finger] {
                self.answers.remove(&(which, name.clone()));
            }
            self.senders.remove(name);
        }
        self.accounts_changed.fetch_add(1, Ordering::Release);
    }

    fn forget_all(&self) {
        self.policies.clear();
        self.answers.clear();
        self.senders.clear();
        self.accounts_changed.fetch_add(1, Ordering::Release);
        self.policies_changed.fetch_add(1, Ordering::Release);
    }
}
