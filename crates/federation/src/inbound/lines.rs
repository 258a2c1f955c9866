//! What waits of an actor behind what the same actor said before, and is worked on.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain::AccountId;
use domain::account::Account;
use storage::inbox_items::Claimed;

/// An activity, and who said or passed it on.
#[derive(Debug)]
pub(super) struct Said {
    pub item: Claimed,
    /// As read with the claim; `None` where the actor is gone.
    pub actor: Option<Arc<Account>>,
    /// `None` where the actor could not be read.
    pub read: Option<Instant>,
}

/// What an actor says is one line, and what it passes on another.
pub(super) type Whose = (AccountId, bool);

impl Said {
    pub(super) fn whose(&self) -> Whose {
        (self.item.actor_id, self.item.forwarded)
    }
}

/// A line is there while somebody works on its first, who asks for the next.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<HashMap<Whose, VecDeque<Said>>>);

impl Lines {
    /// Puts it at the end of its line. Given back where it is the first, to be worked on.
    pub(super) fn join(&self, said: Said) -> Option<Said> {
        match self.lines().entry(said.whose()) {
            Entry::Occupied(mut line) => {
                line.get_mut().push_back(said);
                None
            }
            Entry::Vacant(none) => {
                none.insert(VecDeque::new());
                Some(said)
            }
        }
    }

    /// The first was worked on: who is next? Without any, the line ends.
    pub(super) fn next(&self, whose: Whose) -> Option<Said> {
        let mut lines = self.lines();
        let next = lines.get_mut(&whose).and_then(VecDeque::pop_front);
        if next.is_none() {
            lines.remove(&whose);
        }
        next
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Whose, VecDeque<Said>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
