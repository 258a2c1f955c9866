//! Takes accepted activities out of the queue, processes them, and settles them together.
//!
//! Those of one actor one after the other, those of different actors at the same time; every server in turn, and
//! none may have more than its share under way: a server that answers slowly keeps nobody else waiting.
//! Stopping at any moment loses nothing: what was not settled is claimed again when its lease ends, and
//! processing it twice changes nothing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::{AccountId, Host, InboxItemId};
use storage::inbox_items::{self, Claimed};
use storage::{Queue, accounts};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Verdict;
use crate::Federation;
use crate::wire::lenient;

/// How long a claim holds: longer than [`PATIENCE`] for every activity that one actor can have in a batch.
const LEASE: Duration = Duration::from_secs(20 * 60);
/// For one activity with everything that is fetched for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Activities under way at the same time, and of those from one server.
const AT_ONCE: usize = 256;
const PER_HOST: usize = 32;
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// What was processed is settled together: so many, or what there is after so long. Until then it may be processed
/// again if this process dies, which changes nothing.
const TOGETHER: usize = 64;
const GATHER: Duration = Duration::from_millis(10);
/// Tried so often, with growing pauses (about two days in all); then it is given up.
const ATTEMPTS: i64 = 20;

/// How many activities of each server are under way.
type Busy = HashMap<Host, usize>;

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
        let mut running: JoinSet<Vec<(Claimed, Verdict)>> = JoinSet::new();
        let mut busy = Busy::new();
        let mut look = true;
        let mut turn = Turn::default();
        let mut settled: Vec<(Claimed, Verdict)> = Vec::new();
        // When what was processed is settled at the latest.
        let mut due: Option<tokio::time::Instant> = None;
        while !stop.is_cancelled() {
            let room = AT_ONCE.saturating_sub(busy.values().sum());
            if look && room >= AT_ONCE / 4 {
                match self.claim_received(room, &busy, &mut turn).await {
                    Ok(batches) => {
                        look = !batches.is_empty();
                        for batch in batches {
                            if let Some(first) = batch.first() {
                                *busy.entry(first.host.clone()).or_default() += batch.len();
                            }
                            let this = self.clone();
                            running.spawn(async move { Box::pin(this.process_in_order(batch)).await });
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
                    }
                }
            }
            tokio::select! {
                Some(first) = running.join_next() => {
                    let mut ended = first.unwrap_or_default();
                    while let Some(more) = running.try_join_next() {
                        ended.extend(more.unwrap_or_default());
                    }
                    for (item, _) in &ended {
                        if let Some(count) = busy.get_mut(&item.host) {
                            *count = count.saturating_sub(1);
                        }
                    }
                    busy.retain(|_, count| *count > 0);
                    settled.extend(ended);
                    if running.is_empty() {
                        // Also what a task that panicked held.
                        busy.clear();
                    }
                    if running.is_empty() || settled.len() >= TOGETHER {
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
                () = self.app.db.hub().wait(Queue::Inbox, LOOK_AGAIN) => look = true,
                () = stop.cancelled() => {}
            }
        }
        while let Some(batch) = running.join_next().await {
            settled.extend(batch.unwrap_or_default());
        }
        self.settle_received_or_log(settled).await;
    }

    /// Claims what is due: for each actor its activities in their order, and apart from them what it passed on.
    async fn claim_received(&self, room: usize, busy: &Busy, turn: &mut Turn) -> app::Result<Vec<Vec<Claimed>>> {
        let full: Vec<Host> = busy.iter().filter(|(_, n)| **n >= PER_HOST).map(|(host, _)| host.clone()).collect();
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut tx = self.app.db.write_of_worker().await?;
        let lease = tx.now().plus(LEASE);
        if turn.brought_back.is_none_or(|at| at.elapsed() >= LOOK_AGAIN) {
            inbox_items::bring_back(&mut tx).await?;
            turn.brought_back = Some(Instant::now());
        }
        let claim = inbox_items::claim(&mut tx, lease, number(room), number(PER_HOST), &full, &turn.after).await?;
        tx.commit().await?;
        turn.after = claim.after.unwrap_or_default();
        let claimed = claim.items;
        let mut order: Vec<(AccountId, bool)> = Vec::new();
        let mut by_actor: HashMap<(AccountId, bool), Vec<Claimed>> = HashMap::new();
        for item in claimed {
            let whose = (item.actor_id, item.forwarded);
            let items = by_actor.entry(whose).or_default();
            if items.is_empty() {
                order.push(whose);
            }
            items.push(item);
        }
        Ok(order.into_iter().filter_map(|whose| by_actor.remove(&whose)).collect())
    }

    async fn process_in_order(&self, batch: Vec<Claimed>) -> Vec<(Claimed, Verdict)> {
        let mut settled = Vec::with_capacity(batch.len());
        for item in batch {
            let verdict = match tokio::time::timeout(PATIENCE, self.process_item(&item)).await {
                Ok(verdict) => verdict,
                Err(_) => Verdict::RetryLater("took too long".to_owned()),
            };
            settled.push((item, verdict));
        }
        settled
    }

    async fn process_item(&self, item: &Claimed) -> Verdict {
        let Ok(body) = lenient::parse(item.body.as_bytes()) else { return Verdict::Rejected("not JSON") };
        let actor = async {
            let mut conn = self.app.db.read().await?;
            accounts::get(&mut conn, item.actor_id).await
        };
        match actor.await {
            Ok(actor) if item.forwarded && actor.is_suspended() => Verdict::Ignored("who passed it on is suspended"),
            Ok(_) if item.forwarded => self.process_forwarded(&body, &item.host).await,
            Ok(actor) => self.process(&actor, &body).await,
            Err(storage::Error::NotFound) => Verdict::Ignored("its actor is gone"),
            Err(e) => Verdict::RetryLater(e.to_string()),
        }
    }

    async fn settle_received_or_log(&self, settled: Vec<(Claimed, Verdict)>) {
        if let Err(error) = self.settle_received(settled).await {
            // Processed again when the lease ends, which changes nothing.
            tracing::error!(%error, "processed activities could not be settled");
        }
    }

    async fn settle_received(&self, settled: Vec<(Claimed, Verdict)>) -> app::Result<()> {
        if settled.is_empty() {
            return Ok(());
        }
        let mut tx = self.app.db.write_of_worker().await?;
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
