//! Who makes this server ask others, and how much of that one may cause.
//!
//! A request from a stranger may make us look for a key, an activity may make us look for what it mentions. Each
//! request that leaves is charged to whom it is made for: the address that a signature came from, before it is known
//! whose it is, and the server that sent an activity, after that. So what a forger makes us ask of a good server is the
//! forger's to pay, and that server's own keys and newcomers stay known here.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::Host;
use storage::Recent;

/// The address that a request came from: an IPv4 address, or the first half of an IPv6 address. Whoever listens for
/// requests puts it into their extensions; what has none is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SentBy(pub Option<IpAddr>);

impl SentBy {
    pub(crate) fn of(parts: &http::request::Parts) -> Self {
        parts.extensions.get().copied().unwrap_or(Self(None))
    }
}

/// Whom requests are charged to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    Address(SentBy),
    /// The host of whoever signed an activity.
    Server(Host),
}

/// So many requests at once, and one more each time this has passed.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: u32,
    every: Duration,
}

/// What one address makes us ask of one host in vain.
const ADDRESS_AND_HOST: Rate = Rate { burst: 20, every: Duration::from_secs(4) };
/// The same, where the address has signed well for that host: it is that host's own, most likely.
const OWN_HOST: Rate = Rate { burst: 200, every: Duration::from_millis(500) };
/// What one address makes us ask of all hosts in vain.
const ADDRESS: Rate = Rate { burst: 100, every: Duration::from_secs(1) };
/// What all addresses together make us ask of one host in vain, except for the host's own.
const HOST: Rate = Rate { burst: 200, every: Duration::from_millis(500) };
/// Of [`HOST`], what is kept for addresses that have hardly made us ask that host for anything.
const RESERVE: u32 = 80;
/// Hardly anything: a newcomer is found with fewer requests.
const FEW: u32 = 5;
/// What the activities of one server make us ask of one other.
const SERVER_AND_HOST: Rate = Rate { burst: 300, every: Duration::from_millis(500) };
/// What the activities of one server make us ask of all others.
const SERVER: Rate = Rate { burst: 2_000, every: Duration::from_millis(50) };
/// Entries of each table.
const ENTRIES: usize = 20_000;
/// How long an address is known to sign well for a host.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// What is charged to whom. Kept in memory, per process.
#[derive(Debug)]
pub(crate) struct Charges {
    by_host: Meter<(Party, Host)>,
    in_all: Meter<Party>,
    hosts: Meter<Host>,
    signed_well: Recent<(SentBy, Host), ()>,
}

impl Charges {
    pub(crate) fn new() -> Self {
        Self {
            by_host: Meter::default(),
            in_all: Meter::default(),
            hosts: Meter::default(),
            signed_well: Recent::new(ENTRIES, KNOWN_FOR),
        }
    }

    /// A request to `host` for this party. `false` when it is not to be made now.
    pub(crate) fn take(&self, party: &Party, host: &Host) -> bool {
        self.take_at(Instant::now(), party, host)
    }

    /// The rates that count for host and party, and whether it is the host's own asking; `None` where nothing is
    /// counted.
    fn rates(&self, party: &Party, host: &Host) -> Option<(Rate, Rate, bool)> {
        match party {
            Party::Server(server) if server == host => None,
            Party::Server(_) => Some((SERVER_AND_HOST, SERVER, true)),
            Party::Address(from) => {
                let own = self.signed_well.get(&(*from, host.clone())).is_some();
                Some((if own { OWN_HOST } else { ADDRESS_AND_HOST }, ADDRESS, own))
            }
        }
    }

    fn take_at(&self, now: Instant, party: &Party, host: &Host) -> bool {
        let Some((of_host, of_party, own)) = self.rates(party, host) else { return true };
        let pair = (party.clone(), host.clone());
        let before = self.by_host.level(now, &pair, of_host);
        if !self.by_host.take(now, &pair, of_host, 0) {
            return false;
        }
        if !self.in_all.take(now, party, of_party, 0) {
            self.by_host.give_back(&pair, of_host);
            return false;
        }
        let reserve = if before < FEW { 0 } else { RESERVE };
        if !own && !self.hosts.take(now, host, HOST, reserve) {
            self.by_host.give_back(&pair, of_host);
            self.in_all.give_back(party, of_party);
            return false;
        }
        true
    }

    /// A request was not in vain: it costs nothing.
    pub(crate) fn give_back(&self, party: &Party, host: &Host) {
        let Some((of_host, of_party, own)) = self.rates(party, host) else { return };
        let pair = (party.clone(), host.clone());
        self.by_host.give_back(&pair, of_host);
        self.in_all.give_back(party, of_party);
        if !own {
            self.hosts.give_back(host, HOST);
        }
    }

    /// The address sent something that was properly signed by somebody at this host.
    pub(crate) fn signed_well(&self, from: SentBy, host: &Host) {
        let pair = (from, host.clone());
        if self.signed_well.get(&pair).is_none() {
            self.signed_well.insert(pair, ());
        }
    }
}

/// How much of a rate is used, by key: the time at which all of it will be free again.
#[derive(Debug)]
struct Meter<K>(Mutex<HashMap<K, Instant>>);

impl<K> Default for Meter<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone> Meter<K> {
    /// How many are used now.
    fn level(&self, now: Instant, key: &K, rate: Rate) -> u32 {
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = used.get(key).map_or(Duration::ZERO, |free| free.saturating_duration_since(now));
        u32::try_from(busy.as_millis().div_ceil(rate.every.as_millis().max(1))).unwrap_or(u32::MAX)
    }

    /// Takes one, unless so few are left.
    fn take(&self, now: Instant, key: &K, rate: Rate, leave: u32) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= ENTRIES && !used.contains_key(key) {
            used.retain(|_, free| *free > now);
            if used.len() >= ENTRIES {
                // So many at once: each is bounded by what all share, no more by itself.
                used.clear();
            }
        }
        let free = used.get(key).copied().unwrap_or(now).max(now);
        if free.saturating_duration_since(now) + rate.every > rate.every * rate.burst.saturating_sub(leave) {
            return false;
        }
        used.insert(key.clone(), free + rate.every);
        true
    }

    fn give_back(&self, key: &K, rate: Rate) {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(free) = used.get_mut(key) {
            *free = free.checked_sub(rate.every).unwrap_or(*free);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u8) -> Party {
        Party::Address(SentBy(Some(IpAddr::from([198, 51, 100, n]))))
    }

    fn host(name: &str) -> Host {
        Host::parse(name).unwrap()
    }

    fn taken(charges: &Charges, now: Instant, party: &Party, host: &str, tries: u32) -> u32 {
        let host = &self::host(host);
        (0..tries).map(|_| u32::from(charges.take_at(now, party, host))).sum()
    }

    #[test]
    fn one_address_is_stopped_and_others_are_served() {
        let (charges, now) = (Charges::new(), Instant::now());
        assert_eq!(taken(&charges, now, &address(1), "good.example", 500), 20);
        assert_eq!(taken(&charges, now, &address(2), "good.example", 4), 4, "another address");
        assert_eq!(taken(&charges, now, &address(1), "fine.example", 4), 4, "another host");
        let in_all: u32 = (0..50).map(|n| taken(&charges, now, &address(1), &format!("{n}.example"), 10)).sum();
        assert_eq!(in_all, 100 - 24, "and all hosts together");
        assert_eq!(
            taken(&charges, now + Duration::from_secs(60), &address(1), "good.example", 500),
            15,
            "a minute later"
        );
    }

    #[test]
    fn many_addresses_leave_a_reserve_to_newcomers_and_nothing_keeps_a_server_out_of_its_own_host() {
        let (charges, now) = (Charges::new(), Instant::now());
        let forgers: u32 = (0..40).map(|n| taken(&charges, now, &address(n), "good.example", 20)).sum();
        assert!(forgers >= 120, "{forgers}");
        // The first few of each are taken from the reserve too, until that is gone.
        assert!(forgers <= 200, "{forgers}");
        let few: u32 = (0..7).map(|n| taken(&charges, now, &address(n), "calm.example", 20)).sum();
        assert!(few < 200);
        assert_eq!(taken(&charges, now, &address(99), "calm.example", 3), 3, "a newcomer");
        let Party::Address(its_own) = address(200) else { return };
        charges.signed_well(its_own, &host("good.example"));
        assert_eq!(taken(&charges, now, &Party::Address(its_own), "good.example", 50), 50);
    }

    #[test]
    fn what_was_found_costs_nothing() {
        let (charges, now) = (Charges::new(), Instant::now());
        for _ in 0..300 {
            assert!(charges.take_at(now, &address(1), &host("good.example")));
            charges.give_back(&address(1), &host("good.example"));
        }
    }

    #[test]
    fn a_server_asks_for_its_own_as_much_as_it_likes_and_for_others_within_bounds() {
        let (charges, now) = (Charges::new(), Instant::now());
        let evil = Party::Server(host("evil.example"));
        assert_eq!(taken(&charges, now, &evil, "evil.example", 1_000), 1_000);
        assert_eq!(taken(&charges, now, &evil, "good.example", 1_000), 300);
        assert_eq!(taken(&charges, now, &address(1), "good.example", 10), 10, "at its own expense");
    }

    #[test]
    fn the_tables_stay_small() {
        let (meter, now) = (Meter::default(), Instant::now());
        for n in 0..3 * ENTRIES {
            assert!(meter.take(now, &n, ADDRESS, 0));
        }
        assert!(meter.0.lock().unwrap().len() <= ENTRIES);
    }
}
