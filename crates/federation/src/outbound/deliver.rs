//! Deliveries: claimed in turn, signed, sent, and settled together.
//!
//! A delivery ends when the other server takes it (2xx) or refuses it for good (4xx, but not 401, 408 and 429); it
//! is tried again, at growing intervals over about a week, when the server does not answer or is in trouble.
//! Stopping at any moment loses nothing: what was claimed and not settled is claimed again when its lease ends,
//! and a receiver knows an activity that comes twice by its id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::job::Job;
use domain::{AccountId, ActivityId, DeliveryId, Host, Timestamp};
use storage::deliveries::{self, Claim, Claimed};
use storage::hosts::{self, Answered};
use storage::{Queue, Tx, accounts, peers};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::Federation;
use crate::client::{Answer, FetchError};
use crate::config::Config;
use crate::digest;
use crate::signature::SigningKey;

/// How long a claim holds. Longer than a batch takes: a host's own deliveries are bounded by the client's time limit,
/// [`TURNS`] times, or [`PER_HOST_CLAIM`] times where the configuration allows one at a time.
const LEASE: Duration = Duration::from_secs(200);
/// Deliveries claimed at a time.
const BATCH: i64 = 500;
/// Of those, to one host.
const PER_HOST_CLAIM: i64 = 16;
/// One after the other at the most, of those to one host.
const TURNS: usize = 8;
/// More are claimed when fewer than so many are under way.
const CLAIM_BELOW: usize = 250;
/// How long nothing is looked for when nobody calls: pauses of hosts that failed end unannounced.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Results are settled together, at most so many, at the latest after so long.
const SETTLE: usize = 100;
const SETTLE_AFTER: Duration = Duration::from_millis(100);
/// What nobody took for so long is dropped.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// No transaction is under way for so long.
const UNDER_WAY: Duration = Duration::from_secs(60 * 60);

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Delivered,
    /// It will never be taken.
    Refused(String),
    /// Not sent, and not to be: what is known of its host stays as it is.
    Dropped(String),
    /// The inbox is gone: nothing more is sent there.
    Gone,
    /// Not now. With the time the host asked for, and whether the whole host is in trouble.
    Later {
        why: String,
        retry_after: Option<u64>,
        host_failed: bool,
    },
}

/// A delivery with what it needs to be sent.
struct Parcel {
    delivery: Claimed,
    payload: Option<(Bytes, String)>,
    key: Option<Arc<SigningKey>>,
    host: Arc<Semaphore>,
}

impl Federation {
    /// Delivers what is due and what becomes due, until told to stop; then what is under way ends first.
    pub async fn deliver_until(&self, stop: CancellationToken) {
        let everywhere = Arc::new(Semaphore::new(self.config.deliveries.max(1)));
        let mut running: JoinSet<(Claimed, Ended)> = JoinSet::new();
        let mut work = Work::default();
        let mut settle_at = tokio::time::interval(SETTLE_AFTER);
        let mut look = true;
        while !stop.is_cancelled() {
            // Nothing more is begun while what was done cannot be settled.
            while look && running.len() < CLAIM_BELOW && work.results.len() < SETTLE && !stop.is_cancelled() {
                match self.claim(&mut work).await {
                    Ok((parcels, more)) => {
                        look = more;
                        for parcel in parcels {
                            let (this, everywhere) = (self.clone(), Arc::clone(&everywhere));
                            running.spawn(async move { this.deliver_one(parcel, everywhere).await });
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "deliveries could not be claimed");
                        tokio::time::sleep(LOOK_AGAIN).await;
                        break;
                    }
                }
            }
            tokio::select! {
                Some(finished) = running.join_next() => {
                    // A task that panicked settles nothing: its lease ends and it is claimed again.
                    work.end(finished.ok());
                }
                _ = settle_at.tick(), if !work.results.is_empty() => {
                    self.settle_or_log(&mut work).await;
                    look = true;
                }
                () = self.app.db.hub().wait(Queue::Deliveries, LOOK_AGAIN) => look = true,
                () = stop.cancelled() => {}
            }
            if work.results.len() >= SETTLE {
                self.settle_or_log(&mut work).await;
                look = true;
            }
        }
        while let Some(finished) = running.join_next().await {
            work.end(finished.ok());
        }
        self.settle_or_log(&mut work).await;
    }

    /// What is due, and whether there may be more.
    async fn claim(&self, work: &mut Work) -> app::Result<(Vec<Parcel>, bool)> {
        // On the disk before anything is sent: what takes it back must know that it was begun.
        let mut tx = self.app.db.write().await?;
        let lease = self.app.now().plus(LEASE);
        let Claim { deliveries: claimed, more } = deliveries::claim(&mut tx, lease, BATCH, PER_HOST_CLAIM).await?;
        tx.commit().await?;
        work.begin(&claimed);
        match self.parcels(&claimed).await {
            Ok(parcels) => Ok((parcels, more)),
            Err(error) => {
                let later = || Ended::Later { why: error.to_string(), retry_after: None, host_failed: false };
                claimed.into_iter().for_each(|delivery| work.end(Some((delivery, later()))));
                Err(error)
            }
        }
    }

    async fn parcels(&self, claimed: &[Claimed]) -> app::Result<Vec<Parcel>> {
        let payloads = self.payloads(claimed).await?;
        let keys = self.keys(claimed).await?;
        let hosts = at_each_host(&self.config, claimed.iter().map(|delivery| &delivery.host));
        Ok(claimed
            .iter()
            .map(|delivery| Parcel {
                payload: payloads.get(&delivery.activity_id).cloned(),
                key: keys.get(&delivery.account_id).cloned(),
                host: Arc::clone(&hosts[&delivery.host]),
                delivery: delivery.clone(),
            })
            .collect())
    }

    /// Drops what nobody took for [`GIVE_UP_AFTER`].
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn give_up_old_deliveries(&self) -> app::Result<usize> {
        let mut tx = self.app.db.write().await?;
        let n = deliveries::give_up_before(&mut tx, self.app.now().minus(GIVE_UP_AFTER)).await?;
        deliveries::forget_sent(&mut tx, self.app.now().minus(UNDER_WAY)).await?;
        hosts::call_forgotten(&mut tx).await?;
        tx.commit().await?;
        Ok(n)
    }

    async fn payloads(&self, claimed: &[Claimed]) -> app::Result<HashMap<ActivityId, (Bytes, String)>> {
        let ids: BTreeSet<ActivityId> = claimed.iter().map(|d| d.activity_id).collect();
        let mut conn = self.app.db.read().await?;
        let bodies = deliveries::bodies(&mut conn, &ids.into_iter().collect::<Vec<_>>()).await?;
        Ok(bodies
            .into_iter()
            .map(|(id, body)| {
                let body = Bytes::from(body);
                let digest = digest::header(&body);
                (id, (body, digest))
            })
            .collect())
    }

    async fn keys(&self, claimed: &[Claimed]) -> app::Result<HashMap<AccountId, Arc<SigningKey>>> {
        let ids: BTreeSet<AccountId> = claimed.iter().map(|d| d.account_id).collect();
        let mut conn = self.app.db.read().await?;
        let authors = accounts::many_even_deleted(&mut conn, &ids.into_iter().collect::<Vec<_>>()).await?;
        drop(conn);
        let mut keys = HashMap::new();
        for author in authors {
            match self.signing_key(&author).await {
                Ok(key) => drop(keys.insert(author.id, key)),
                Err(app::Error::NotFound) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(keys)
    }

    async fn deliver_one(&self, parcel: Parcel, everywhere: Arc<Semaphore>) -> (Claimed, Ended) {
        let Parcel { delivery, payload, key, host } = parcel;
        let ended = match (payload, key, Url::parse(&delivery.inbox_url)) {
            (None, _, _) => Ended::Dropped("what it brings was withdrawn".to_owned()),
            (_, None, _) => Ended::Dropped("its author has no key any more".to_owned()),
            (_, _, Err(_)) => Ended::Dropped("no address".to_owned()),
            (Some((body, digest)), Some(key), Ok(url)) => {
                // The host's permit first: one that is slow must not keep permits from the others.
                let (_at_host, _of_all) = (host.acquire_owned().await, everywhere.acquire_owned().await);
                // A host that was blocked meanwhile is refused by the client.
                verdict(self.client.deliver(&url, body, &digest, &key).await)
            }
        };
        (delivery, ended)
    }

    /// What cannot be settled now is settled next time.
    async fn settle_or_log(&self, work: &mut Work) {
        match self.settle(work).await {
            Ok(()) => {
                work.results.clear();
                work.free.clear();
            }
            Err(error) => {
                // If that lasts until their leases end, they are delivered again: receivers know them by their ids.
                tracing::error!(%error, "deliveries could not be settled; it is tried again");
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    /// Writes down how deliveries ended, and that nothing is under way any more to the hosts that are free, in one
    /// transaction.
    async fn settle(&self, work: &Work) -> app::Result<()> {
        let Work { results, free, .. } = work;
        if results.is_empty() {
            return Ok(());
        }
        let mut tx = self.app.db.write_repeatable().await?;
        deliveries::hold_these(&mut tx, &results.iter().map(|(delivery, _)| delivery.id).collect::<Vec<_>>()).await?;
        let now = self.app.now();
        let mut ended: Vec<DeliveryId> = Vec::new();
        let mut answered: BTreeSet<Host> = BTreeSet::new();
        let mut failed: HashMap<Host, (String, Option<u64>)> = HashMap::new();
        for (delivery, result) in results {
            match result.clone() {
                Ended::Delivered => {
                    ended.push(delivery.id);
                    answered.insert(delivery.host.clone());
                }
                Ended::Refused(why) => {
                    tracing::debug!(inbox = %delivery.inbox_url, %why, "a delivery was refused");
                    ended.push(delivery.id);
                    answered.insert(delivery.host.clone());
                }
                Ended::Dropped(why) => {
                    tracing::debug!(inbox = %delivery.inbox_url, why, "a delivery was dropped");
                    ended.push(delivery.id);
                }
                Ended::Gone => {
                    ended.push(delivery.id);
                    deliveries::drop_inbox(&mut tx, &delivery.inbox_url).await?;
                    // Whoever it belonged to is probably gone too; her server says so when she is looked at again.
                    for account in peers::accounts_with_inbox(&mut tx, &delivery.inbox_url).await? {
                        tx.enqueue(Job::RefreshAccount { account });
                    }
                    answered.insert(delivery.host.clone());
                }
                Ended::Later { why, retry_after, host_failed } => {
                    let pause = retry_after.map_or_else(|| backoff(delivery.attempts), Duration::from_secs);
                    let run_at = now.plus(jittered(pause, delivery.id.0));
                    deliveries::retry(&mut tx, delivery.id, run_at, &why).await?;
                    if host_failed {
                        failed.insert(delivery.host.clone(), (why, retry_after));
                    }
                }
            }
        }
        deliveries::finish(&mut tx, &ended).await?;
        let free: Vec<Host> = free.iter().cloned().collect();
        self.mark_hosts(&mut tx, now, answered, failed, &free).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Hosts that answered are free again; those that failed (and did not answer anything meanwhile) rest.
    async fn mark_hosts(
        &self,
        tx: &mut Tx,
        now: Timestamp,
        answered: BTreeSet<Host>,
        failed: HashMap<Host, (String, Option<u64>)>,
        free: &[Host],
    ) -> app::Result<()> {
        let names: Vec<Host> = failed.keys().cloned().collect();
        let known: HashMap<Host, i64> = hosts::failing(tx, &names).await?.into_iter().collect();
        let mut answers: BTreeMap<Host, Answered> = answered.into_iter().map(|host| (host, Answered::Well)).collect();
        for (host, (error, retry_after)) in failed {
            let failures = known.get(&host).copied().unwrap_or(0);
            let pause = retry_after.map_or_else(|| backoff(failures), Duration::from_secs);
            let retry_at = now.plus(jittered(pause, now.0));
            answers.entry(host).or_insert(Answered::Not { retry_at, error });
        }
        hosts::settle(tx, &answers, free).await?;
        Ok(())
    }
}

/// What was begun and what came of it.
#[derive(Default)]
struct Work {
    /// How many deliveries are under way to each host.
    under_way: HashMap<Host, usize>,
    /// To be settled.
    results: Vec<(Claimed, Ended)>,
    /// Hosts that nothing is under way to any more, which is to be settled too.
    free: BTreeSet<Host>,
}

impl Work {
    fn begin(&mut self, claimed: &[Claimed]) {
        // Nothing else is under way to these, or what is was taken from this process when its lease ended.
        for delivery in claimed {
            self.under_way.remove(&delivery.host);
            self.free.remove(&delivery.host);
        }
        for delivery in claimed {
            *self.under_way.entry(delivery.host.clone()).or_default() += 1;
        }
    }

    fn end(&mut self, finished: Option<(Claimed, Ended)>) {
        let Some((delivery, ended)) = finished else { return };
        if let Some(n) = self.under_way.get_mut(&delivery.host) {
            *n -= 1;
            if *n == 0 {
                self.under_way.remove(&delivery.host);
                self.free.insert(delivery.host.clone());
            }
        }
        self.results.push((delivery, ended));
    }
}

/// How many deliveries of one claim are under way at a time to each of its hosts. Each needs a connection of its own, to
/// be opened and kept: so no more than it takes to keep [`Config::deliveries`] busy, shared among the hosts that get more
/// than one, and to be done within [`TURNS`].
fn at_each_host<'a>(config: &Config, claimed: impl Iterator<Item = &'a Host>) -> HashMap<Host, Arc<Semaphore>> {
    let mut hosts: BTreeMap<&Host, usize> = BTreeMap::new();
    for host in claimed {
        *hosts.entry(host).or_default() += 1;
    }
    let share = config.deliveries / hosts.values().filter(|parcels| **parcels > 1).count().max(1);
    let permits = |parcels: usize| share.max(parcels.div_ceil(TURNS)).clamp(1, config.deliveries_per_host.max(1));
    hosts.into_iter().map(|(host, n)| (host.clone(), Arc::new(Semaphore::new(permits(n))))).collect()
}

pub(super) fn verdict(answer: Result<Answer, FetchError>) -> Ended {
    match answer {
        Ok(Answer { status: 200..=299, .. }) => Ended::Delivered,
        Ok(Answer { status: 410, .. }) => Ended::Gone,
        // 401 may be a key that the other server has not fetched anew yet.
        Ok(Answer { status: status @ (401 | 408), retry_after }) => {
            Ended::Later { why: format!("answered {status}"), retry_after, host_failed: false }
        }
        Ok(Answer { status: 429, retry_after }) => {
            Ended::Later { why: "asked to be left alone".to_owned(), retry_after, host_failed: true }
        }
        Ok(Answer { status: status @ 400..=499, .. }) => Ended::Refused(format!("answered {status}")),
        Ok(Answer { status, retry_after }) => {
            Ended::Later { why: format!("answered {status}"), retry_after, host_failed: true }
        }
        // That says nothing of the host.
        Err(e @ (FetchError::Undecided | FetchError::Busy)) => {
            Ended::Later { why: e.to_string(), retry_after: None, host_failed: false }
        }
        Err(e) if e.is_temporary() => Ended::Later { why: e.to_string(), retry_after: None, host_failed: true },
        Err(e @ FetchError::Refused(_)) => Ended::Dropped(e.to_string()),
        Err(e) => Ended::Refused(e.to_string()),
    }
}

/// The pause after the nth failure in a row (from 0): 30 s, then twice as long each time, at most 12 hours; about
/// twenty-five tries in a week.
fn backoff(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(0, 11)).unwrap_or(0);
    Duration::from_secs((30u64 << doublings).min(12 * 60 * 60))
}

/// Up to a quarter longer, so that what failed together does not come back together.
fn jittered(pause: Duration, seed: i64) -> Duration {
    let spread = seed.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54;
    pause + pause.mul_f64(0.25 * f64::from(u32::try_from(spread).unwrap_or(0)) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Ended {
        verdict(Ok(Answer { status, retry_after: None }))
    }

    #[test]
    fn what_may_change_is_tried_again_and_what_is_final_is_not() {
        assert_eq!(answer(202), Ended::Delivered);
        assert_eq!(answer(410), Ended::Gone);
        for status in [400, 403, 404, 413, 422] {
            assert!(matches!(answer(status), Ended::Refused(_)), "{status}");
        }
        for status in [401, 408] {
            assert!(matches!(answer(status), Ended::Later { host_failed: false, .. }), "{status}");
        }
        for status in [301, 429, 500, 502, 503] {
            assert!(matches!(answer(status), Ended::Later { host_failed: true, .. }), "{status}");
        }
    }

    #[test]
    fn the_more_hosts_wait_the_fewer_connections_each_gets() {
        let config = Config { deliveries: 64, deliveries_per_host: 4, ..Config::default() };
        // So many hosts get so many each: the permits of one of them.
        let permits = |hosts: usize, each: usize| {
            let names: Vec<Host> = (0..hosts).map(|n| Host::parse(&format!("n{n}.example")).unwrap()).collect();
            let all = at_each_host(&config, names.iter().flat_map(|name| std::iter::repeat_n(name, each)));
            all[&names[0]].available_permits()
        };
        assert_eq!([1, 16, 17, 32, 33, 64, 250].map(|hosts| permits(hosts, 2)), [4, 4, 3, 2, 1, 1, 1]);
        assert_eq!([1, 31, 100].map(|hosts| permits(hosts, 16)), [4, 2, 2], "done before the lease ends");
        let names: Vec<Host> = (0..485).map(|n| Host::parse(&format!("n{n}.example")).unwrap()).collect();
        let all = names.iter().chain(std::iter::repeat_n(&names[0], 15));
        assert_eq!(at_each_host(&config, all)[&names[0]].available_permits(), 4, "nobody else needs them");
    }

    #[test]
    fn pauses_grow_to_half_a_day_and_fill_about_a_week() {
        assert_eq!(backoff(0), Duration::from_secs(30));
        assert_eq!(backoff(3), Duration::from_secs(240));
        assert_eq!(backoff(60), Duration::from_secs(43_200));
        let week: Duration = (0..24).map(backoff).sum();
        assert!(week > Duration::from_secs(6 * 24 * 3600) && week < Duration::from_secs(8 * 24 * 3600), "{week:?}");
    }

    #[test]
    fn jitter_adds_at_most_a_quarter() {
        let pause = Duration::from_secs(100);
        for seed in 0..1_000 {
            let with = jittered(pause, seed);
            assert!(with >= pause && with <= Duration::from_secs(125));
        }
    }
}
