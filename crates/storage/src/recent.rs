//! What was looked up a moment ago: bounded in number and in age.

use std::hash::Hash;
use std::time::{Duration, Instant};

use quick_cache::sync::{Cache, DefaultLifecycle, EntryAction, EntryResult};
use quick_cache::{DefaultHashBuilder, Equivalent, Options, OptionsBuilder, UnitWeighter};

/// Values by key, each with the time at which it was put in. One that has grown too old is never given out; it goes when
/// somebody asks for it, or when others need its place. [`Recent::update`] and [`Recent::get_or_make`] are not for the
/// same values: the one would hold up its thread while the other waits.
#[derive(Debug)]
pub struct Recent<K, V> {
    values: Cache<K, (Instant, V)>,
    /// How old a value may be.
    at_most: Duration,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    #[must_use]
    pub fn new(entries: usize, at_most: Duration) -> Self {
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { values: Cache::with_options(options(entries), UnitWeighter, hasher, lifecycle), at_most }
    }

    pub fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        self.get_at(Instant::now(), key)
    }

    /// As [`Recent::get`], for whoever asks for many at once.
    pub fn get_at<Q: Hash + Equivalent<K> + ?Sized>(&self, now: Instant, key: &Q) -> Option<V> {
        let (since, value) = self.values.get(key)?;
        if self.is_fresh(since, now) {
            return Some(value);
        }
        drop(self.values.remove_if(key, |(since, _)| !self.is_fresh(*since, now)));
        None
    }

    pub fn insert(&self, key: K, value: V) {
        self.values.insert(key, (Instant::now(), value));
    }

    /// What was under the key, however old.
    pub fn remove<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        self.values.remove(key).map(|(_, (_, value))| value)
    }

    pub fn retain(&self, keep: impl Fn(&K, &V) -> bool) {
        self.values.retain(|key, (_, value)| keep(key, value));
    }

    pub fn clear(&self) {
        self.values.clear();
    }

    /// Frees what has grown too old.
    pub fn sweep(&self) {
        let now = Instant::now();
        self.values.retain(|_, (since, _)| self.is_fresh(*since, now));
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Puts in what `change` makes of the value there is, if it is fresh. Nobody else changes it meanwhile.
    pub fn update<Q>(&self, key: &Q, change: impl Fn(Option<&V>) -> V)
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    {
        let now = Instant::now();
        let entry = self.values.entry(key, None, |_, (since, value)| {
            *value = change(self.is_fresh(*since, now).then_some(&*value));
            *since = now;
            EntryAction::Retain(())
        });
        if let EntryResult::Vacant(place) = entry {
            // It is refused only when the key was removed meanwhile: then nothing is to be kept.
            drop(place.insert((now, change(None))));
        }
    }

    /// The value under the key, or what `make` makes, while others who want it wait for the one that is being made.
    pub async fn get_or_make<Q>(&self, key: &Q, make: impl Future<Output = V>) -> V
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    {
        let now = Instant::now();
        drop(self.values.remove_if(key, |(since, _)| !self.is_fresh(*since, now)));
        match self.values.get_value_or_guard_async(key).await {
            Ok((_, value)) => value,
            Err(place) => {
                let value = make.await;
                // As above.
                drop(place.insert((Instant::now(), value.clone())));
                value
            }
        }
    }

    fn is_fresh(&self, since: Instant, now: Instant) -> bool {
        now.saturating_duration_since(since) < self.at_most
    }
}

/// Half of the places are for what came lately, asked for again or not: what grew old in the other half never keeps
/// the new out.
#[expect(clippy::expect_used, reason = "both capacities are given, all that it asks for")]
fn options(entries: usize) -> Options {
    let mut options = OptionsBuilder::new();
    options.estimated_items_capacity(entries).weight_capacity(entries as u64).hot_allocation(0.5);
    options.build().expect("both capacities")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn what_is_too_old_is_not_given_out() {
        let recent = Recent::new(10, LONG);
        recent.insert("a".to_owned(), 1);
        assert_eq!(recent.get("a"), Some(1));
        assert_eq!(recent.get_at(Instant::now() + LONG, "a"), None);
        assert_eq!(recent.get("a"), None, "it is gone");
        assert_eq!(Recent::<String, u8>::new(10, LONG).get("a"), None);
        let never = Recent::new(10, Duration::ZERO);
        never.insert("a".to_owned(), 1);
        assert_eq!(never.remove("a"), Some(1), "whoever takes it out gets it");
        never.insert("a".to_owned(), 1);
        assert_eq!(never.get("a"), None);
        assert_eq!(never.remove("a"), None);
    }

    #[test]
    fn a_single_value_stays_however_often_it_changes() {
        let recent = Recent::new(1, LONG);
        for n in 0..100 {
            recent.insert((), n);
            assert_eq!(recent.get(&()), Some(n));
        }
    }

    /// However much was asked for again and again before, what is new stays for a while.
    #[test]
    fn the_old_does_not_keep_the_new_out() {
        let recent = Recent::new(1_000, LONG);
        for n in 0..1_000 {
            recent.insert(n, n);
        }
        for n in (0..1_000).cycle().take(3_000) {
            let _ = recent.get(&n);
        }
        for n in 10_000..10_300 {
            recent.insert(n, n);
        }
        assert_eq!((10_000..10_300).filter(|n| recent.get(n).is_some()).count(), 300);
    }

    #[test]
    fn changes_build_on_what_is_fresh() {
        let recent = Recent::new(10, LONG);
        let count = |known: Option<&u32>| known.map_or(1, |n| n + 1);
        recent.update("a", count);
        recent.update("a", count);
        assert_eq!(recent.get("a"), Some(2));
        let forgetful: Recent<String, u32> = Recent::new(10, Duration::ZERO);
        forgetful.update("a", count);
        forgetful.update("a", count);
        assert_eq!(forgetful.remove("a"), Some(1));
    }

    #[test]
    fn what_is_not_wanted_goes() {
        let recent = Recent::new(10, LONG);
        for n in 0..5 {
            recent.insert(n, n * 10);
        }
        recent.retain(|key, value| *key != 3 && *value != 10);
        assert_eq!((0..5).filter(|n| recent.get(n).is_some()).collect::<Vec<_>>(), [0, 2, 4]);
        recent.clear();
        assert_eq!(recent.get(&0), None);
    }

    #[test]
    fn what_has_grown_too_old_is_freed() {
        let (kept, gone) = (Recent::new(10, LONG), Recent::new(10, Duration::ZERO));
        for recent in [&kept, &gone] {
            recent.insert("a".to_owned(), 1);
            recent.sweep();
        }
        assert_eq!((kept.len(), gone.len()), (1, 0));
        assert!(gone.is_empty() && !kept.is_empty());
    }

    #[tokio::test]
    async fn what_many_want_is_made_once() {
        let recent = Arc::new(Recent::new(10, LONG));
        let made = Arc::new(AtomicUsize::new(0));
        let ask = || {
            let (recent, made) = (Arc::clone(&recent), Arc::clone(&made));
            tokio::spawn(async move {
                let make = async {
                    tokio::task::yield_now().await;
                    made.fetch_add(1, Ordering::SeqCst)
                };
                recent.get_or_make("a", make).await
            })
        };
        let asked: Vec<_> = (0..20).map(|_| ask()).collect();
        for answer in asked {
            assert_eq!(answer.await.unwrap(), 0);
        }
        assert_eq!(made.load(Ordering::SeqCst), 1);
        // Whoever makes it and gives up leaves it to the next.
        assert_eq!(recent.remove("a"), Some(0));
        let given_up = recent.get_or_make("a", std::future::pending());
        assert!(tokio::time::timeout(Duration::from_millis(20), given_up).await.is_err());
        assert_eq!(ask().await.unwrap(), 1);
    }
}
