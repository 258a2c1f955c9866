//! Places to work at, of which the oldest who waits gets the next that is free.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

#[derive(Debug)]
pub(super) struct Places(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// By when they came.
    waiting: BTreeMap<i64, oneshot::Sender<Place>>,
}

/// Free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Places {
    pub(super) fn new(free: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free, waiting: BTreeMap::new() })))
    }

    /// Asks for a place at once, which is waited for; nobody else may wait with the same `came`.
    pub(super) fn take(self: &Arc<Self>, came: i64) -> impl Future<Output = Place> + Send + use<> {
        let (give, comes) = oneshot::channel();
        let mut state = self.state();
        let free = (state.free > 0).then(|| Place(Arc::clone(self)));
        match &free {
            Some(_) => state.free -= 1,
            None => drop(state.waiting.insert(came, give)),
        }
        drop(state);
        let places = Arc::clone(self);
        async move {
            match free {
                Some(place) => place,
                // Else it was pushed out by another that came then: one more works than there are places for.
                None => comes.await.unwrap_or_else(|_| Place(places)),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.state();
            let next = state.waiting.pop_first();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some((_, give)) = next {
            // Where nobody waits for it any more, this place is dropped in turn.
            drop(give.send(Self(Arc::clone(&self.0))));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_oldest_is_next() {
        let places = Places::new(1);
        let first = places.take(5).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = tokio::task::JoinSet::new();
        for came in [9, 7, 8, 3] {
            let (places, order) = (Arc::clone(&places), Arc::clone(&order));
            waiting.spawn(async move {
                let _place = places.take(came).await;
                order.lock().unwrap().push(came);
            });
        }
        tokio::task::yield_now().await;
        drop(first);
        while waiting.join_next().await.is_some() {}
        assert_eq!(*order.lock().unwrap(), [3, 7, 8, 9]);
    }

    /// However it ends, waited for or not, a place is there for the next.
    #[tokio::test]
    async fn no_place_is_lost() {
        let places = Places::new(2);
        let both = (places.take(1).await, places.take(2).await);
        for came in 3..6 {
            let gives_up = tokio::time::timeout(Duration::from_millis(1), places.take(came)).await;
            assert!(gives_up.is_err(), "there were two");
        }
        drop(both);
        assert_eq!(places.state().free, 2);
        // Given, and not taken: whoever waited is gone before it looks.
        let held = (places.take(1).await, places.take(2).await);
        let mut waits = Box::pin(places.take(3));
        assert!(futures_util::poll!(&mut waits).is_pending());
        drop(held);
        drop(waits);
        assert_eq!(places.state().free, 2);
        assert!(places.state().waiting.is_empty());
    }
}
