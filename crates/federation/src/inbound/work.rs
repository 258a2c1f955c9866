//! Takes accepted activities out of the queue, processes them, and settles them together.
//!
//! Those of one actor one after the other, those of different actors at the same time; every server in turn, and
//! none may have more than its share under way: a server that answers slowly keeps nobody else waiting.
//! Stopping at any moment loses nothing: what was not settled is claimed again when its lease ends, and
//! processing it twice changes nothing.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::account::Account;
use domain::{AccountId, Host, InboxItemId};
use futures_util::FutureExt as _;
use storage::inbox_items::{self, Claimed};
use storage::{Queue, accounts};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Verdict;
use super::lines::{Lines, Said};
use super::places::{Place, Places};
use crate::Federation;
use crate::wire::lenient;

/// How long a claim holds: longer than [`PATIENCE`] for every activity that one actor can have in a batch.
const LEASE: Duration = Duration::from_secs(20 * 60);
/// For one activity with everything that is fetched for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Activities under way at the same time, and of those from one server.
const AT_ONCE: usize = 256;
const PER_HOST: usize = 32;
/// Of those under way, how many are worked on, in the order they came: so what came in a burst is shown about in its
/// order. Whichever is not done after so long waits for another server, and lets others have its place.
const PLACES: usize = 16;
const PLACE_FOR: Duration = Duration::from_millis(50);
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// While something is under way, activities are not claimed one by one as they come.
const BETWEEN_CLAIMS: Duration = Duration::from_millis(4);
/// What was processed is settled together: so many, or what there is after so long. Until then it may be processed
/// again if this process dies, which changes nothing.
const TOGETHER: usize = 64;
const GATHER: Duration = Duration::from_millis(10);
/// How long an actor is believed to be as the claim read it: who was suspended since may still have said so much.
const AS_CLAIMED: Duration = Duration::from_secs(1);
/// Activities by which an actor may change what is known of itself.
const CHANGES_ITSELF: [&str; 3] = ["Update", "Delete", "Move"];
/// Tried so often, with growing pauses (about two days in all); then it is given up.
const ATTEMPTS: i64 = 20;

/// How many activities of each server are under way.
type Busy = HashMap<Host, usize>;

/// An activity that was processed, and what became of it.
type Ended = (Claimed, Verdict);

/// Whose turn it is.
#[derive(Default)]
struct Turn {
    /// The server that had its turn last; empty where all have had theirs.
    after: String,
    /// When what had been put off was last looked for.
    brought_back: Option<Instant>,
}

impl Federation {
    /// Processes what was accepted and what will be, until told to stop; then what is under way ends first.
    pub async fn process_until(&self, stop: CancellationToken) {
        let (places, lines) = (Places::new(PLACES), Arc::new(Lines::default()));
        let (done, mut ended) = mpsc::unbounded_channel::<Ended>();
        let mut running: JoinSet<()> = JoinSet::new();
        let mut busy = Busy::new();
        let mut look = true;
        let mut turn = Turn::default();
        let mut settled: Vec<Ended> = Vec::new();
        // When what was processed is settled at the latest.
        let mut due: Option<tokio::time::Instant> = None;
        let mut claimed_at = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            let room = AT_ONCE.saturating_sub(busy.values().sum());
            let at_once = busy.is_empty() || claimed_at.elapsed() >= BETWEEN_CLAIMS;
            if look && room >= AT_ONCE / 4 && at_once {
                claimed_at = tokio::time::Instant::now();
                match self.claim_received(room, &busy, &mut turn).await {
                    Ok(claimed) => {
                        // What is due and was not taken waits for something to end.
                        look = claimed.len() >= room;
                        // All ask for their places before the first begins.
                        let mut first = Vec::with_capacity(claimed.len());
                        for said in claimed {
                            *busy.entry(said.item.host.clone()).or_default() += 1;
                            if let Some(said) = lines.join(said) {
                                let place = places.take(said.item.id.0);
                                first.push((said, place));
                            }
                        }
                        for (said, place) in first {
                            let (this, done) = (self.clone(), done.clone());
                            let (places, lines) = (Arc::clone(&places), Arc::clone(&lines));
                            running.spawn(async move { this.process_line(said, place, &places, &lines, &done).await });
                        }
                        if !turn.after.is_empty() {
                            // Not every server has had its turn.
                            look = true;
                            continue;
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "received activities could not be claimed");
                        tokio::time::sleep(LOOK_AGAIN).await;
                        continue;
                    }
                }
            }
            let next = (look && !at_once).then(|| claimed_at + BETWEEN_CLAIMS);
            tokio::select! {
                Some(first) = ended.recv() => {
                    let from = settled.len();
                    settled.push(first);
                    while let Ok(more) = ended.try_recv() {
                        settled.push(more);
                    }
                    for (item, _) in settled.iter().skip(from) {
                        if let Some(count) = busy.get_mut(&item.host) {
                            *count = count.saturating_sub(1);
                        }
                    }
                    busy.retain(|_, count| *count > 0);
                    while running.try_join_next().is_some() {}
                    if busy.is_empty() || settled.len() >= TOGETHER {
                        self.settle_received_or_log(std::mem::take(&mut settled)).await;
                        due = None;
                    } else {
                        due.get_or_insert(tokio::time::Instant::now() + GATHER);
                    }
                    look = true;
                }
                () = until(due) => {
                    self.settle_received_or_log(std::mem::take(&mut settled)).await;
                    due = None;
                }
                () = until(next) => {}
                () = self.app.db.hub().wait(Queue::Inbox, LOOK_AGAIN), if !look => look = true,
                () = stop.cancelled() => {}
            }
        }
        while running.join_next().await.is_some() {}
        while let Ok(last) = ended.try_recv() {
            settled.push(last);
        }
        self.settle_received_or_log(settled).await;
    }

    /// Claims what is due, in the order it came.
    async fn claim_received(&self, room: usize, busy: &Busy, turn: &mut Turn) -> app::Result<Vec<Said>> {
        let full: Vec<Host> = busy.iter().filter(|(_, n)| **n >= PER_HOST).map(|(host, _)| host.clone()).collect();
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut tx = self.app.db.write_repeatable().await?;
        let lease = tx.now().plus(LEASE);
        if turn.brought_back.is_none_or(|at| at.elapsed() >= LOOK_AGAIN) {
            inbox_items::bring_back(&mut tx).await?;
            turn.brought_back = Some(Instant::now());
        }
        let claim = inbox_items::claim(&mut tx, lease, number(room), number(PER_HOST), &full, &turn.after).await?;
        let mut ids: Vec<AccountId> = claim.items.iter().map(|item| item.actor_id).collect();
        ids.sort();
        ids.dedup();
        let actors = accounts::many(&mut tx, &ids).await?;
        let read = Instant::now();
        tx.commit().await?;
        turn.after = claim.after.unwrap_or_default();
        let actors: HashMap<AccountId, Arc<Account>> =
            actors.into_iter().map(|actor| (actor.id, Arc::new(actor))).collect();
        let said = |item: Claimed| Said { actor: actors.get(&item.actor_id).cloned(), item, read };
        Ok(claim.items.into_iter().map(said).collect())
    }

    /// Processes an activity, whose place is being waited for, and what waits in line behind it.
    async fn process_line(
        &self,
        first: Said,
        place: impl Future<Output = Place> + Send,
        places: &Arc<Places>,
        lines: &Lines,
        done: &UnboundedSender<Ended>,
    ) {
        let whose = first.whose();
        let (mut said, mut place) = (first, place.await);
        // When the actor may have changed itself last.
        let mut changed: Option<Instant> = None;
        loop {
            let Said { item, actor, read } = said;
            let as_claimed = (read.elapsed() < AS_CLAIMED && changed.is_none_or(|at| at < read)).then_some(actor);
            let work = AssertUnwindSafe(self.process_item(&item, as_claimed)).catch_unwind();
            let verdict = match leaving(place, tokio::time::timeout(PATIENCE, Box::pin(work))).await {
                Ok(Ok((verdict, changes_itself))) => {
                    if changes_itself {
                        changed = Some(Instant::now());
                    }
                    verdict
                }
                Ok(Err(_)) => Verdict::RetryLater("something in here broke".to_owned()),
                Err(_) => Verdict::RetryLater("took too long".to_owned()),
            };
            // Nobody listens only where all of this has ended.
            drop(done.send((item, verdict)));
            match lines.next(whose) {
                Some(next) => {
                    place = places.take(next.item.id.0).await;
                    said = next;
                }
                None => return,
            }
        }
    }

    /// What becomes of it, and whether its actor may have changed itself by it. `as_claimed` is the actor, where it need
    /// not be read again.
    async fn process_item(&self, item: &Claimed, as_claimed: Option<Option<Arc<Account>>>) -> (Verdict, bool) {
        let Ok(body) = lenient::parse(item.body.as_bytes()) else { return (Verdict::Rejected("not JSON"), false) };
        let actor = match as_claimed {
            Some(actor) => Ok(actor),
            None => self.actor_now(item.actor_id).await,
        };
        let verdict = match actor {
            Ok(Some(actor)) if item.forwarded && actor.is_suspended() => {
                Verdict::Ignored("who passed it on is suspended")
            }
            Ok(Some(_)) if item.forwarded => self.process_forwarded(&body, &item.host).await,
            Ok(Some(actor)) => self.process(&actor, &body).await,
            Ok(None) => Verdict::Ignored("its actor is gone"),
            Err(e) => Verdict::RetryLater(e.to_string()),
        };
        (verdict, lenient::types(&body).any(|kind| CHANGES_ITSELF.contains(&kind)))
    }

    async fn actor_now(&self, id: AccountId) -> storage::Result<Option<Arc<Account>>> {
        let mut conn = self.app.db.read().await?;
        match accounts::get(&mut conn, id).await {
            Ok(actor) => Ok(Some(Arc::new(actor))),
            Err(storage::Error::NotFound) => Ok(None),
            Err(e) => Err(e),
        }
    }

    async fn settle_received_or_log(&self, settled: Vec<Ended>) {
        if let Err(error) = self.settle_received(settled).await {
            // Processed again when the lease ends, which changes nothing.
            tracing::error!(%error, "processed activities could not be settled");
        }
    }

    async fn settle_received(&self, settled: Vec<Ended>) -> app::Result<()> {
        if settled.is_empty() {
            return Ok(());
        }
        let mut tx = self.app.db.write_repeatable().await?;
        let now = tx.now();
        let mut ended: Vec<InboxItemId> = Vec::new();
        for (item, verdict) in settled {
            match verdict {
                Verdict::RetryLater(why) if item.attempts + 1 < ATTEMPTS => {
                    inbox_items::retry(&mut tx, item.id, now.plus(pause(item.attempts)), &why).await?;
                }
                verdict => {
                    tracing::debug!(item = %item.id, ?verdict, "an activity was processed");
                    ended.push(item.id);
                }
            }
        }
        inbox_items::finish(&mut tx, &ended).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Does something, and leaves its place when that is done, or is not done after [`PLACE_FOR`].
async fn leaving<P, T>(place: P, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    match tokio::time::timeout(PLACE_FOR, &mut work).await {
        Ok(done) => done,
        Err(_) => {
            drop(place);
            work.await
        }
    }
}

/// Until then; for ever where that is never.
async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// The pause after the nth failure (from 0): 5 s, then twice as long each time, at most 6 hours.
fn pause(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(0, 13)).unwrap_or(0);
    Duration::from_secs((5u64 << doublings).min(6 * 60 * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_days() {
        assert_eq!(pause(0), Duration::from_secs(5));
        assert_eq!(pause(3), Duration::from_secs(40));
        let all: Duration = (0..ATTEMPTS - 1).map(pause).sum();
        assert!(all > Duration::from_secs(36 * 3600) && all < Duration::from_secs(3 * 24 * 3600), "{all:?}");
    }
}
