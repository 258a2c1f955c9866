//! Places that are bounded in all and for each who takes them: held requests, open streams.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts who holds how many places. Cheap to clone.
#[derive(Debug)]
pub struct Places<K: Debug + Eq + Hash + Clone> {
    inner: Arc<Inner<K>>,
}

#[derive(Debug)]
struct Inner<K> {
    in_all: usize,
    by_each: usize,
    taken: Mutex<Taken<K>>,
}

#[derive(Debug)]
struct Taken<K> {
    in_all: usize,
    by: HashMap<K, usize>,
}

impl<K: Debug + Eq + Hash + Clone> Clone for Places<K> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<K: Debug + Eq + Hash + Clone> Places<K> {
    #[must_use]
    pub fn new(in_all: usize, by_each: usize) -> Self {
        let taken = Mutex::new(Taken { in_all: 0, by: HashMap::new() });
        Self { inner: Arc::new(Inner { in_all, by_each, taken }) }
    }

    /// A place, held until it is dropped; `None` when there is none left, in all or for this one.
    #[must_use]
    pub fn take(&self, key: K) -> Option<Place<K>> {
        let mut taken = self.inner.locked();
        let of_key = taken.by.get(&key).copied().unwrap_or(0);
        if taken.in_all >= self.inner.in_all || of_key >= self.inner.by_each {
            return None;
        }
        taken.in_all += 1;
        taken.by.insert(key.clone(), of_key + 1);
        Some(Place { key, inner: Arc::clone(&self.inner) })
    }
}

impl<K> Inner<K> {
    fn locked(&self) -> MutexGuard<'_, Taken<K>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place.
#[derive(Debug)]
pub struct Place<K: Debug + Eq + Hash> {
    key: K,
    inner: Arc<Inner<K>>,
}

impl<K: Debug + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.inner.locked();
        taken.in_all = taken.in_all.saturating_sub(1);
        if let Some(count) = taken.by.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_for_each_and_in_all_and_come_back() {
        let places = Places::new(3, 2);
        let held = [places.take("a").unwrap(), places.take("a").unwrap()];
        assert!(places.take("a").is_none(), "its share is taken");
        let other = places.take("b").unwrap();
        assert!(places.take("c").is_none(), "all are taken");
        drop(other);
        let last = places.take("c").unwrap();
        drop((held, last));
        assert_eq!(places.inner.locked().in_all, 0);
        assert!(places.inner.locked().by.is_empty(), "nothing is left of whoever went");
    }
}
