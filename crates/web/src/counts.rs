//! Where limiters keep what they count: a bounded number of keys, each of a fixed size, and none for longer than it
//! matters. Where a stranger brings more keys than there is room for, what was not asked for lately is forgotten, which
//! errs for the one who asks.

use std::cell::RefCell;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::nanos::Nanos;
use governor::state::StateStore;
use storage::Recent;

/// Keys of one limiter: with what is kept of each, some 2 MB.
const KEYS: usize = 20_000;
/// Requests between two sweeps of what is too old to matter.
const SWEEP_EVERY: u64 = 10_000;

/// The counts of one limiter. `K` must not grow with what a stranger sends: names and addresses are hashed.
#[derive(Debug)]
pub(crate) struct Counts<K> {
    recent: Recent<K, Option<Nanos>>,
    asked: AtomicU64,
}

impl<K: Copy + Eq + Hash> Counts<K> {
    /// Counts that are as good as none after so long.
    pub(crate) fn new(matter_for: Duration) -> Self {
        Self { recent: Recent::new(KEYS, matter_for), asked: AtomicU64::new(0) }
    }
}

impl<K: Copy + Eq + Hash> StateStore for Counts<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.recent.sweep();
        }
        let decided = RefCell::new(None);
        self.recent.update(key, |known| {
            let known = known.copied().flatten();
            match decide(known) {
                Ok((answer, next)) => {
                    decided.replace(Some(Ok(answer)));
                    Some(next)
                }
                Err(refusal) => {
                    decided.replace(Some(Err(refusal)));
                    known
                }
            }
        });
        // `update` asks once; without a word from it, nothing is known of the key.
        decided.into_inner().unwrap_or_else(|| decide(None).map(|(answer, _)| answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a key through once.
    fn once(known: Option<Nanos>) -> Result<((), Nanos), ()> {
        if known.is_some() { Err(()) } else { Ok(((), Nanos::default())) }
    }

    #[test]
    fn strangers_fill_no_more_than_there_is_room_for() {
        let counts = Counts::<u64>::new(Duration::from_secs(3600));
        let last = 5 * KEYS as u64;
        for key in 0..=last {
            assert!(counts.measure_and_replace(&key, once).is_ok());
        }
        assert!(counts.recent.len() <= KEYS, "{}", counts.recent.len());
        assert!(counts.measure_and_replace(&last, once).is_err(), "who asks again is remembered");
        assert!(counts.measure_and_replace(&last, once).is_err(), "and a refusal changes nothing");
    }

    #[test]
    fn what_does_not_matter_any_more_is_freed() {
        let counts = Counts::<u64>::new(Duration::ZERO);
        for key in 0..SWEEP_EVERY {
            assert!(counts.measure_and_replace(&key, once).is_ok());
        }
        assert!(counts.recent.len() <= 1, "{}", counts.recent.len());
    }
}
