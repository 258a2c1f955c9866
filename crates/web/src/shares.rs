//! Something limited that many take from, such as places for connections or bytes of memory: a bound for all together,
//! and a share for each address.
//!
//! The share shrinks with what is free: an address may hold at most a quarter of what nobody holds. One address alone
//! can use much, many greedy ones get less and less each, and something is always left for the next newcomer, who
//! needs little. A fixed share would have to be chosen for one of the three. Keeps no queue: who finds nothing free is
//! refused at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::Origin;

/// An address holds at most one part in so many of what is free.
const PARTS: usize = 4;

/// What is shared, in pieces or bytes.
#[derive(Debug)]
pub struct Shares {
    all: usize,
    each: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    sum: usize,
    by: HashMap<Origin, usize>,
}

/// Why nothing more can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// This address holds its share.
    Share,
    /// There is too little left for anybody.
    All,
}

impl Shares {
    /// `all` for all addresses together, never more than `each` for one of them.
    #[must_use]
    pub fn new(all: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { all, each, held: Mutex::default() })
    }

    /// A holder that holds nothing yet. Without an origin it counts among all, and has no share that it could exceed.
    #[must_use]
    pub fn open(self: &Arc<Self>, origin: Option<Origin>) -> Share {
        Share { of: self.clone(), origin, holds: AtomicUsize::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one connection, request or file holds of its address's share. Dropped, it gives everything back.
#[derive(Debug)]
pub struct Share {
    of: Arc<Shares>,
    origin: Option<Origin>,
    holds: AtomicUsize,
}

impl Share {
    /// Takes `n` more.
    ///
    /// # Errors
    /// [`Full`]; then it holds what it held.
    pub fn take(&self, n: usize) -> Result<(), Full> {
        let mut held = self.of.lock();
        let free = self.of.all.saturating_sub(held.sum);
        if n > free {
            return Err(Full::All);
        }
        if let Some(origin) = self.origin {
            let mine = held.by.get(&origin).copied().unwrap_or_default() + n;
            if n > free / PARTS {
                return Err(Full::All);
            }
            if mine > self.of.each.min(free / PARTS) {
                return Err(Full::Share);
            }
            held.by.insert(origin, mine);
        }
        held.sum += n;
        self.holds.fetch_add(n, Ordering::Relaxed);
        Ok(())
    }

    /// Gives `n` back, or all that it holds if that is less.
    pub fn give_back(&self, n: usize) {
        let mut held = self.of.lock();
        let n = n.min(self.holds.load(Ordering::Relaxed));
        self.holds.fetch_sub(n, Ordering::Relaxed);
        held.sum = held.sum.saturating_sub(n);
        if let Some(origin) = self.origin
            && let Some(mine) = held.by.get_mut(&origin)
        {
            *mine = mine.saturating_sub(n);
            if *mine == 0 {
                held.by.remove(&origin);
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let holds = *self.holds.get_mut();
        if holds > 0 {
            self.give_back(holds);
        }
    }
}

/// The memory that the bytes of a request's body take, in the request's extensions. It is given back once the request
/// is answered; who puts bytes elsewhere before that (on the disk) gives them back at once.
#[derive(Debug, Clone)]
pub struct BodyMemory(pub Arc<Share>);

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn from(n: u16) -> Option<Origin> {
        let [a, b] = n.to_be_bytes();
        Some(Origin::new(IpAddr::from([10, 0, a, b])))
    }

    #[test]
    fn one_address_never_takes_what_others_need() {
        let shares = Shares::new(64 << 20, usize::MAX);
        let greedy: Vec<Share> = (0..1000).map(|n| shares.open(from(n))).collect();
        // Each in turn takes what it can get, a thousand times over.
        for _ in 0..1000 {
            for share in &greedy {
                let _ = share.take(16 << 10);
            }
        }
        assert!(greedy.iter().all(|share| share.take(64 << 10).is_err()));
        shares.open(from(5000)).take(8 << 10).expect("a newcomer with a post finds room");
    }

    #[test]
    fn alone_it_has_at_most_a_fifth_and_never_more_than_its_own_bound() {
        let (wide, narrow) = (Shares::new(1000, usize::MAX), Shares::new(1000, 10));
        let (one, other) = (wide.open(from(1)), narrow.open(from(1)));
        assert_eq!((0..1000).filter(|_| one.take(1).is_ok()).count(), 200);
        assert_eq!(one.take(1), Err(Full::Share));
        assert_eq!((0..1000).filter(|_| other.take(1).is_ok()).count(), 10);
        let proxy = wide.open(None);
        assert_eq!((0..1000).filter(|_| proxy.take(1).is_ok()).count(), 800, "without an origin there is no share");
        assert_eq!(wide.open(from(2)).take(1), Err(Full::All));
    }

    #[test]
    fn what_is_given_back_or_dropped_is_free_again() {
        let shares = Shares::new(100, 50);
        let one = shares.open(from(1));
        one.take(10).unwrap();
        one.give_back(4);
        one.give_back(1000);
        assert_eq!(shares.lock().sum, 0, "never more than it holds");
        one.take(10).unwrap();
        drop(one);
        assert_eq!(shares.lock().sum, 0);
        assert!(shares.lock().by.is_empty(), "addresses that hold nothing are forgotten");
    }
}
