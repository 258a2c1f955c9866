//! Takes accepted activities out of the queue, processes them, and settles them together.
//!
//! Those of one actor one after the other, those of different actors at the same time; every server in turn, and
//! none may have more than its share under way: a server that answers slowly keeps nobody else waiting.
//! Stopping at any moment loses nothing: what was not settled is claimed again when its lease ends, and
//! processing it twice changes nothing.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::account::Account;
use domain::{AccountId, Host, InboxItemId};
use futures_util::FutureExt as _;
use storage::inbox_items::{self, Claimed};
use storage::{Era, Queue, accounts};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::lines::{Lines, Said};
use super::places::{Place, Places};
use super::{Came, Verdict};
use crate::Federation;
use crate::wire::lenient;

/// How long a claim holds: longer than [`PATIENCE`] for every activity that one actor can have under way.
const LEASE: Duration = Duration::from_secs(40 * 60);
/// For one activity with everything that is fetched for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Activities under way at the same time, and of those from one server.
const AT_ONCE: usize = 256;
const PER_HOST: usize = 32;
/// A server that has so many under way gets no more, and one that has fewer gets so many more at most.
const HALF: usize = PER_HOST / 2;
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
/// And by which it takes back what it said, or says later.
const TAKES_BACK: [&str; 2] = ["Undo", "Delete"];
/// Tried so often, with growing pauses (about two days in all); then it is given up.
const ATTEMPTS: i64 = 20;

/// What this process has claimed, until it is settled.
#[derive(Default)]
struct HeldItems {
    ids: HashSet<InboxItemId>,
    /// How many of each server are still worked on.
    busy: HashMap<Host, usize>,
}

impl HeldItems {
    /// `false` where it was begun before.
    fn begun(&mut self, item: &Claimed) -> bool {
        let new = self.ids.insert(item.id);
        if new {
            *self.busy.entry(item.host.clone()).or_default() += 1;
        }
        new
    }

    fn worked_on(&mut self, item: &Claimed) {
        if let Some(count) = self.busy.get_mut(&item.host) {
            *count = count.saturating_sub(1);
        }
        self.busy.retain(|_, count| *count > 0);
    }

    /// The servers that get no more.
    fn full(&self) -> Vec<Host> {
        self.busy.iter().filter(|(_, n)| **n >= HALF).map(|(host, _)| host.clone()).collect()
    }
}

/// An activity that was processed, and what became of it; `None` where that is settled already.
type Ended = (Claimed, Option<Settled>);

/// What became of an activity, and the era in which it was begun.
#[derive(Debug, Clone)]
struct Settled {
    verdict: Verdict,
    era: Era,
}

/// Whose turn it is.
#[derive(Default)]
struct Turn {
    /// The server that had its turn last; empty where all have had theirs.
    after: String,
    /// When what had been put off was last looked for.
    brought_back: Option<Instant>,
    /// The last claim failed, or it is not known to have been made.
    failed: bool,
}

impl Federation {
    /// Processes what was accepted and what will be, until told to stop; then what is worked on ends first.
    pub async fn process_until(&self, stop: CancellationToken) {
        let (places, lines) = (Places::new(PLACES), Arc::new(Lines::default()));
        let (done, mut ended) = mpsc::unbounded_channel::<Ended>();
        let mut running: JoinSet<()> = JoinSet::new();
        let mut held = HeldItems::default();
        let mut look = true;
        let mut turn = Turn::default();
        let mut settled: Vec<(Claimed, Settled)> = Vec::new();
        // When what was processed is settled at the latest, and when the next claim may be made at the earliest.
        let mut due: Option<tokio::time::Instant> = None;
        let mut next_claim = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            let room = AT_ONCE.saturating_sub(held.ids.len());
            let may_claim = next_claim <= tokio::time::Instant::now() || (held.ids.is_empty() && !turn.failed);
            if look && room >= AT_ONCE / 4 && may_claim {
                next_claim = tokio::time::Instant::now() + BETWEEN_CLAIMS;
                match self.claim_received(room, &held, &mut turn).await {
                    Ok(claimed) => {
                        turn.failed = false;
                        // What is due and was not taken waits for something to end.
                        look = claimed.len() >= room;
                        // All ask for their places before the first begins.
                        let mut first = Vec::with_capacity(claimed.len());
                        for said in claimed {
                            // What came again by a clock that jumped is under way already.
                            if !held.begun(&said.item) {
                                continue;
                            }
                            if let Some(said) = lines.join(said) {
                                let place = places.take(said.item.id.0);
                                first.push((said, place));
                            }
                        }
                        for (said, place) in first {
                            let (this, done) = (self.clone(), done.clone());
                            let (places, lines, stop) = (Arc::clone(&places), Arc::clone(&lines), stop.clone());
                            running.spawn(async move {
                                this.process_line(said, place, &places, &lines, &done, &stop).await;
                            });
                        }
                        if !turn.after.is_empty() {
                            // Not every server has had its turn.
                            look = true;
                            continue;
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "received activities could not be claimed");
                        turn.failed = true;
                        next_claim = tokio::time::Instant::now() + LOOK_AGAIN;
                    }
                }
            }
            let claims = (look && room >= AT_ONCE / 4).then_some(next_claim);
            tokio::select! {
                Some(first) = ended.recv() => {
                    let more = std::iter::from_fn(|| ended.try_recv().ok());
                    for (item, verdict) in std::iter::once(first).chain(more) {
                        held.worked_on(&item);
                        match verdict {
                            Some(verdict) => settled.push((item, verdict)),
                            None => drop(held.ids.remove(&item.id)),
                        }
                    }
                    while running.try_join_next().is_some() {}
                    if held.busy.is_empty() || settled.len() >= TOGETHER {
                        due = Some(tokio::time::Instant::now());
                    } else {
                        due.get_or_insert(tokio::time::Instant::now() + GATHER);
                    }
                    look = true;
                }
                () = until(due) => {
                    due = match self.settle_received(&settled).await {
                        Ok(all) => {
                            for (item, _) in settled.drain(..) {
                                held.ids.remove(&item.id);
                            }
                            // What was not settled is freed with the next claim, and done once more.
                            turn.failed |= !all;
                            None
                        }
                        Err(error) => {
                            tracing::error!(%error, "processed activities could not be settled");
                            Some(tokio::time::Instant::now() + LOOK_AGAIN)
                        }
                    };
                }
                () = until(claims) => {}
                () = self.app.db.hub().wait(Queue::Inbox, LOOK_AGAIN), if !look => look = true,
                () = stop.cancelled() => {}
            }
        }
        // What is worked on ends; what stands in line behind it is left to whoever comes next.
        loop {
            settled.extend(std::iter::from_fn(|| ended.try_recv().ok()).filter_map(|(item, v)| Some((item, v?))));
            match self.settle_received(&settled).await {
                Ok(_) => settled.clear(),
                // Processed once more, which changes nothing.
                Err(error) => tracing::error!(%error, "processed activities could not be settled"),
            }
            if running.join_next().await.is_none() {
                break;
            }
        }
        if let Err(error) = self.free_what_waits().await {
            tracing::error!(%error, "what was not begun stays claimed until this process is missed");
        }
    }

    async fn free_what_waits(&self) -> app::Result<()> {
        let mut tx = self.app.db.write_repeatable().await?;
        inbox_items::free_all_but(&mut tx, &[]).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Claims what is due, in the order it came.
    async fn claim_received(&self, room: usize, held: &HeldItems, turn: &mut Turn) -> app::Result<Vec<Said>> {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut tx = self.app.db.write_repeatable().await?;
        if turn.failed {
            let known: Vec<InboxItemId> = held.ids.iter().copied().collect();
            inbox_items::free_all_but(&mut tx, &known).await?;
        }
        let lease = tx.now().plus(LEASE);
        if turn.brought_back.is_none_or(|at| at.elapsed() >= LOOK_AGAIN) {
            inbox_items::bring_back(&mut tx).await?;
            turn.brought_back = Some(Instant::now());
        }
        let full = held.full();
        let claim = inbox_items::claim(&mut tx, lease, number(room), number(HALF), &full, &turn.after).await?;
        tx.commit().await?;
        turn.after = claim.after.unwrap_or_default();
        if claim.items.is_empty() {
            return Ok(Vec::new());
        }
        let mut ids: Vec<AccountId> = claim.items.iter().map(|item| item.actor_id).collect();
        ids.sort();
        ids.dedup();
        let read = Instant::now();
        // One that cannot be read keeps nobody else waiting: each is read by itself then.
        let actors = async { accounts::many(&mut self.app.db.read().await?, &ids).await }.await.ok();
        let read = actors.as_ref().map(|_| read);
        let actors: HashMap<AccountId, Arc<Account>> =
            actors.into_iter().flatten().map(|actor| (actor.id, Arc::new(actor))).collect();
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
        stop: &CancellationToken,
    ) {
        let whose = first.whose();
        let (mut said, mut place) = (first, place.await);
        // When the actor may have changed itself last.
        let mut changed: Option<Instant> = None;
        loop {
            let Said { item, actor, read } = said;
            let believed = |read: Instant| read.elapsed() < AS_CLAIMED && changed.is_none_or(|at| at < read);
            let as_claimed = read.is_some_and(believed).then_some(actor);
            // What the claim has read may be older than what the actor took back a moment ago.
            let read_lately = self.took_back.get(&item.actor_id).is_none();
            let came = Came { as_item: item.id, taken_back: read_lately.then_some(item.taken_back) };
            let era = self.app.db.era();
            let work = AssertUnwindSafe(self.process_item(&item, as_claimed, came)).catch_unwind();
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
            let settled = Settled { verdict, era };
            let settled = match settled.verdict {
                // Before the next in line: what takes it back finds it waiting, and not under way.
                Verdict::RetryLater(_) => {
                    let alone = (item.clone(), settled);
                    let done = self.settle_received(std::slice::from_ref(&alone)).await;
                    (!matches!(done, Ok(true))).then_some(alone.1)
                }
                _ => Some(settled),
            };
            // Nobody listens only where all of this has ended.
            drop(done.send((item, settled)));
            match lines.next(whose) {
                Some(next) if !stop.is_cancelled() => {
                    place = places.take(next.item.id.0).await;
                    said = next;
                }
                _ => return,
            }
        }
    }

    /// What becomes of it, and whether its actor may have changed itself by it. `as_claimed` is the actor, where it
    /// need not be read again.
    async fn process_item(
        &self,
        item: &Claimed,
        as_claimed: Option<Option<Arc<Account>>>,
        came: Came,
    ) -> (Verdict, bool) {
        let Ok(body) = lenient::parse(item.body.as_bytes()) else { return (Verdict::Rejected("not JSON"), false) };
        let is_any_of = |kinds: &[&str]| lenient::types(&body).any(|kind| kinds.contains(&kind));
        if is_any_of(&TAKES_BACK) {
            self.took_back.insert(item.actor_id, ());
        }
        let actor = match as_claimed {
            Some(actor) => Ok(actor),
            None => self.actor_now(item.actor_id).await,
        };
        let verdict = match actor {
            Ok(Some(actor)) if item.forwarded && actor.is_suspended() => {
                Verdict::Ignored("who passed it on is suspended")
            }
            Ok(Some(_)) if item.forwarded => self.process_forwarded(&body, &item.host).await,
            Ok(Some(actor)) => self.process_that_came(came, &actor, &body).await,
            Ok(None) => Verdict::Ignored("its actor is gone"),
            Err(e) => Verdict::RetryLater(e.to_string()),
        };
        (verdict, is_any_of(&CHANGES_ITSELF))
    }

    async fn actor_now(&self, id: AccountId) -> storage::Result<Option<Arc<Account>>> {
        let mut conn = self.app.db.read().await?;
        match accounts::get(&mut conn, id).await {
            Ok(actor) => Ok(Some(Arc::new(actor))),
            Err(storage::Error::NotFound) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// `false` where some are left as they are: what was written of them may be lost ([`storage::Era`]).
    async fn settle_received(&self, settled: &[(Claimed, Settled)]) -> app::Result<bool> {
        if settled.is_empty() {
            return Ok(true);
        }
        let mut tx = self.app.db.write_repeatable().await?;
        let now = tx.now();
        let mut ended: Vec<InboxItemId> = Vec::new();
        let mut all = true;
        for (item, Settled { verdict, era }) in settled {
            if !tx.is_of(*era) {
                all = false;
                continue;
            }
            match verdict {
                Verdict::RetryLater(why) if item.attempts + 1 < ATTEMPTS => {
                    inbox_items::retry(&mut tx, item.id, now.plus(pause(item.attempts)), why).await?;
                }
                verdict => {
                    tracing::debug!(item = %item.id, ?verdict, "an activity was processed");
                    ended.push(item.id);
                }
            }
        }
        inbox_items::finish(&mut tx, &ended).await?;
        tx.commit().await?;
        Ok(all)
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
