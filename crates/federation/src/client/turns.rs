//! Turns at asking other servers: how many requests are under way at once, to which server and for whom.
//!
//! One slow or hostile server never takes the places of others, and one asker never takes the places of others: each
//! has its own bound below the bound for all. A request without a place waits in a bounded line for a bounded time;
//! whoever cannot wait is refused at once with [`FetchError::Busy`]. A server that did not answer several times in a
//! row is left alone for a while, longer each time: those who wait for it are refused, too.
//!
//! Each [`Purpose`] has lanes of its own, so that pictures never hold up the keys of senders. Places in the line are
//! given in order among those that have room, so a full server holds up nobody behind it.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::{AccountId, Host};
use storage::Recent;
use tokio::sync::oneshot;

use super::error::FetchError;

/// What other servers are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A picture, video or sound that somebody wants to see now.
    Picture,
    /// An account or post that somebody looks for now.
    LookUp,
    /// The key of whoever sends something now.
    Sender,
    /// Received activities and jobs: tried again later by themselves.
    Work,
}

/// For whom a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asker {
    /// Nobody waits, or nobody who could be told apart.
    Nobody,
    /// An address, or the network that stands for a household.
    Address(IpAddr),
    Member(AccountId),
}

/// How many requests there may be.
#[derive(Debug, Clone, Copy)]
struct Most {
    in_all: usize,
    /// To the servers of one registered domain: whoever has one has any number of names below it.
    by_site: usize,
    by_host: usize,
    by_asker: usize,
}

/// The bounds of a purpose.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    running: Most,
    waiting: Most,
    /// How long a request waits for its turn.
    patience: Duration,
    /// Bytes of answers in memory, in all and of one site.
    bytes: (usize, usize),
    /// A server rests after so many requests in a row that it did not answer,
    failures: u32,
    /// at first for so long, then twice as long each time,
    rest: Duration,
    /// and never longer than this.
    longest_rest: Duration,
}

const MIB: usize = 1024 * 1024;

impl Bounds {
    const fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Picture => Self {
                running: Most { in_all: 32, by_site: 8, by_host: 4, by_asker: 8 },
                waiting: Most { in_all: 256, by_site: 64, by_host: 32, by_asker: 64 },
                patience: Duration::from_secs(5),
                bytes: (128 * MIB, 32 * MIB),
                failures: 2,
                rest: Duration::from_secs(60),
                longest_rest: Duration::from_secs(600),
            },
            Purpose::LookUp => Self {
                running: Most { in_all: 32, by_site: 8, by_host: 4, by_asker: 4 },
                waiting: Most { in_all: 64, by_site: 32, by_host: 16, by_asker: 16 },
                patience: Duration::from_secs(5),
                bytes: (32 * MIB, 8 * MIB),
                failures: 3,
                rest: Duration::from_secs(30),
                longest_rest: Duration::from_secs(300),
            },
            // A newcomer with many members sends many keys at once: it may have more under way, and rests less.
            Purpose::Sender => Self {
                running: Most { in_all: 64, by_site: 16, by_host: 8, by_asker: usize::MAX },
                waiting: Most { in_all: 512, by_site: 128, by_host: 64, by_asker: usize::MAX },
                patience: Duration::from_secs(5),
                bytes: (64 * MIB, 16 * MIB),
                failures: 4,
                rest: Duration::from_secs(15),
                longest_rest: Duration::from_secs(60),
            },
            // Half of the sixteen jobs that run at once can wait for one site.
            Purpose::Work => Self {
                running: Most { in_all: 64, by_site: 8, by_host: 8, by_asker: usize::MAX },
                waiting: Most { in_all: 256, by_site: 32, by_host: 32, by_asker: usize::MAX },
                patience: Duration::from_secs(1),
                bytes: (64 * MIB, 8 * MIB),
                failures: 3,
                rest: Duration::from_secs(30),
                longest_rest: Duration::from_secs(600),
            },
        }
    }
}

/// The lanes of every purpose. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    lanes: Arc<[Arc<Lane>; 4]>,
}

impl Default for Turns {
    fn default() -> Self {
        let purposes = [Purpose::Picture, Purpose::LookUp, Purpose::Sender, Purpose::Work];
        Self { lanes: Arc::new(purposes.map(|purpose| Arc::new(Lane::new(Bounds::of(purpose))))) }
    }
}

impl Turns {
    /// A turn at asking this server.
    ///
    /// # Errors
    /// [`FetchError::Busy`] when the server rests, the line is full, or no place became free in time.
    pub(super) async fn take(&self, host: Host, purpose: Purpose, asker: Asker) -> Result<Turn, FetchError> {
        let [picture, look_up, sender, work] = &*self.lanes;
        let lane = match purpose {
            Purpose::Picture => picture,
            Purpose::LookUp => look_up,
            Purpose::Sender => sender,
            Purpose::Work => work,
        };
        lane.take(Who { site: site(&host), host, asker }).await
    }
}

/// Whom a request is counted for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Who {
    site: String,
    host: Host,
    asker: Asker,
}

fn site(host: &Host) -> String {
    let name = host.name();
    let is_address = name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok();
    if is_address { name.to_owned() } else { site_of(name) }
}

/// What a domain's owner had to register, as far as the name shows it: its last two labels, or three where the second
/// is short below a country (`co.uk`). Some that belong to different owners (on a hoster's domain) share their bound.
pub(super) fn site_of(host: &str) -> String {
    let labels: Vec<&str> = host.rsplit('.').collect();
    let taken = match labels.as_slice() {
        [country, second, _, ..] if country.len() == 2 && second.len() <= 3 => 3,
        _ => 2,
    };
    let site: Vec<&str> = labels.into_iter().take(taken).collect();
    site.into_iter().rev().collect::<Vec<_>>().join(".")
}

#[derive(Debug)]
struct Lane {
    bounds: Bounds,
    state: Mutex<State>,
    /// By host.
    failing: Recent<Host, Failing>,
}

/// A server that did not answer lately.
#[derive(Debug, Clone, Copy)]
struct Failing {
    /// In a row.
    times: u32,
    rests_until: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    running: Tally,
    waiting: Tally,
    line: VecDeque<Waiter>,
    next: u64,
    bytes: usize,
    bytes_by_site: HashMap<String, usize>,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    who: Who,
    tell: oneshot::Sender<Turn>,
}

/// How many requests there are.
#[derive(Debug, Default)]
struct Tally {
    in_all: usize,
    by_site: HashMap<String, usize>,
    by_host: HashMap<Host, usize>,
    by_asker: HashMap<Asker, usize>,
}

impl Tally {
    fn has_room(&self, who: &Who, most: &Most) -> bool {
        let count = |of: Option<&usize>| of.copied().unwrap_or(0);
        self.in_all < most.in_all
            && count(self.by_site.get(&who.site)) < most.by_site
            && count(self.by_host.get(&who.host)) < most.by_host
            && (who.asker == Asker::Nobody || count(self.by_asker.get(&who.asker)) < most.by_asker)
    }

    fn add(&mut self, who: &Who) {
        self.in_all += 1;
        *self.by_site.entry(who.site.clone()).or_default() += 1;
        *self.by_host.entry(who.host.clone()).or_default() += 1;
        *self.by_asker.entry(who.asker).or_default() += 1;
    }

    fn remove(&mut self, who: &Who) {
        self.in_all = self.in_all.saturating_sub(1);
        less(&mut self.by_site, &who.site, 1);
        less(&mut self.by_host, &who.host, 1);
        less(&mut self.by_asker, &who.asker, 1);
    }
}

/// Counts down, and forgets what is at nought.
pub(super) fn less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K, by: usize) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(by);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Lane {
    fn new(bounds: Bounds) -> Self {
        // What a server did is forgotten some time after its longest rest.
        let failing = Recent::new(4_096, bounds.longest_rest * 2);
        Self { bounds, state: Mutex::default(), failing }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests(&self, host: &Host) -> bool {
        self.failing.get(host).and_then(|failing| failing.rests_until).is_some_and(|until| Instant::now() < until)
    }

    /// A server that has just rested is tried by one request at a time.
    fn most(&self, host: &Host) -> Most {
        let on_trial = self.failing.get(host).is_some_and(|failing| failing.times >= self.bounds.failures);
        Most { by_host: if on_trial { 1 } else { self.bounds.running.by_host }, ..self.bounds.running }
    }

    async fn take(self: &Arc<Self>, who: Who) -> Result<Turn, FetchError> {
        if self.rests(&who.host) {
            return Err(FetchError::Busy);
        }
        let (place, told) = {
            let mut state = self.locked();
            if state.running.has_room(&who, &self.most(&who.host)) {
                state.running.add(&who);
                return Ok(self.turn(who));
            }
            if !state.waiting.has_room(&who, &self.bounds.waiting) {
                return Err(FetchError::Busy);
            }
            let id = state.next;
            state.next += 1;
            let (tell, told) = oneshot::channel();
            state.waiting.add(&who);
            state.line.push_back(Waiter { id, who, tell });
            (Place { lane: self, id }, told)
        };
        let turn = tokio::time::timeout(self.bounds.patience, told).await;
        // Whoever gives up leaves the line. A turn that was given at the last moment is dropped with its channel, and
        // goes to the next.
        drop(place);
        match turn {
            Ok(Ok(turn)) => Ok(turn),
            // Its server was found to rest, or it waited too long.
            Ok(Err(_)) | Err(_) => Err(FetchError::Busy),
        }
    }

    fn turn(self: &Arc<Self>, who: Who) -> Turn {
        let held = Held { lane: Arc::clone(self), site: who.site.clone(), bytes: 0 };
        Turn { place: Running { lane: Arc::clone(self), who }, held }
    }

    /// A request has ended: those who have room now go on.
    fn leave(self: &Arc<Self>, who: &Who) {
        let mut given = Vec::new();
        {
            let mut state = self.locked();
            state.running.remove(who);
            let mut at = 0;
            while let Some(waiter) = state.line.get(at) {
                if state.running.in_all >= self.bounds.running.in_all {
                    break;
                }
                if !state.running.has_room(&waiter.who, &self.most(&waiter.who.host)) {
                    at += 1;
                    continue;
                }
                if let Some(waiter) = state.line.remove(at) {
                    state.waiting.remove(&waiter.who);
                    state.running.add(&waiter.who);
                    given.push(waiter);
                }
            }
        }
        // Outside the lock: a turn that nobody takes any more is given back here.
        for Waiter { who, tell, .. } in given {
            drop(tell.send(self.turn(who)));
        }
    }

    /// The server did not answer.
    fn failed(&self, host: &Host) {
        let now = Instant::now();
        let (bounds, mut rests) = (&self.bounds, false);
        let before = self.failing.get(host).unwrap_or(Failing { times: 0, rests_until: None });
        // Those that were under way when it began to rest tell nothing new.
        if before.rests_until.is_none_or(|until| until <= now) {
            let times = before.times.saturating_add(1);
            let doublings = times.checked_sub(bounds.failures);
            let rest = doublings.map(|n| (bounds.rest * (1 << n.min(16))).min(bounds.longest_rest));
            rests = rest.is_some();
            self.failing.insert(host.clone(), Failing { times, rests_until: rest.map(|rest| now + rest) });
        }
        if rests {
            tracing::debug!(%host, "a server that does not answer is left alone for a while");
            // Those who wait for it hear of it as their senders are dropped.
            let mut gone = Vec::new();
            let mut state = self.locked();
            let State { line, waiting, .. } = &mut *state;
            for waiter in std::mem::take(line) {
                if waiter.who.host == *host {
                    waiting.remove(&waiter.who);
                    gone.push(waiter);
                } else {
                    line.push_back(waiter);
                }
            }
        }
    }
}

/// A place in the line, left when it is dropped.
struct Place<'a> {
    lane: &'a Lane,
    id: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.lane.locked();
        if let Some(at) = state.line.iter().position(|waiter| waiter.id == self.id)
            && let Some(waiter) = state.line.remove(at)
        {
            state.waiting.remove(&waiter.who);
        }
    }
}

/// A request that is under way, and what of its answer is in memory.
#[derive(Debug)]
pub(super) struct Turn {
    place: Running,
    held: Held,
}

/// A place among the requests that are under way, left when it is dropped.
#[derive(Debug)]
struct Running {
    lane: Arc<Lane>,
    who: Who,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lane.leave(&self.who);
    }
}

impl Turn {
    /// More of the answer is in memory.
    ///
    /// # Errors
    /// [`FetchError::Busy`] when too much is in memory already, in all or of this site.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), FetchError> {
        self.held.more(bytes)
    }

    /// How many bytes came.
    pub(super) fn came(&self) -> usize {
        self.held.bytes
    }

    /// The server answered, whatever it was.
    pub(super) fn answered(&self) {
        self.place.lane.failing.remove(&self.place.who.host);
    }

    /// The server did not answer.
    pub(super) fn failed(&self) {
        self.place.lane.failed(&self.place.who.host);
    }

    /// Ends the request; what came of it stays in memory, and counted, for as long as this is kept.
    pub(super) fn into_held(self) -> Held {
        self.held
    }
}

/// Bytes of an answer that are in memory, counted until this is dropped.
#[derive(Debug)]
pub struct Held {
    lane: Arc<Lane>,
    site: String,
    bytes: usize,
}

impl Held {
    fn more(&mut self, bytes: usize) -> Result<(), FetchError> {
        let (in_all, by_site) = self.lane.bounds.bytes;
        let mut state = self.lane.locked();
        let of_site = state.bytes_by_site.get(&self.site).copied().unwrap_or(0);
        if state.bytes + bytes > in_all || of_site + bytes > by_site {
            return Err(FetchError::Busy);
        }
        state.bytes += bytes;
        *state.bytes_by_site.entry(self.site.clone()).or_default() += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes > 0 {
            let mut state = self.lane.locked();
            state.bytes = state.bytes.saturating_sub(self.bytes);
            less(&mut state.bytes_by_site, &self.site, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
