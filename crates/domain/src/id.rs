//! Identifiers: 63-bit integers that sort by time, as Mastodon's do.
//!
//! Layout: `milliseconds since 1970 << 16 | node (6 bits) << 10 | sequence (10 bits)`. The node number is
//! held exclusively by one process (see `storage::node`), so processes on one database never collide.
//! The client API shows ids as decimal strings; nothing may read a time out of one except this file.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Timestamp};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                parse(s).map(Self)
            }
        }

        impl From<i64> for $name {
            fn from(raw: i64) -> Self {
                Self(raw)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }
    )*};
}

ids! {
    /// A person (or group, or service), local or remote.
    AccountId;
    /// A post, or a boost of one.
    PostId;
    /// A discussion: every post of one reply tree shares it.
    ThreadId;
    /// A picture, video or sound that belongs to a post.
    AttachmentId;
    /// One entry of a member's notifications.
    NotificationId;
    /// A member's view of a private discussion.
    ConversationId;
    /// A hashtag.
    TagId;
    /// A member's list of accounts.
    ListId;
    /// A client application registered through OAuth.
    AppId;
    /// An OAuth access token.
    TokenId;
    /// An invite link.
    InviteId;
    /// A follow, or the request for one.
    FollowId;
    /// A custom emoji.
    EmojiId;
    /// A row of the job queue.
    JobId;
    /// An outgoing activity whose bytes are kept until every delivery of it ended.
    ActivityId;
    /// One (activity, inbox) delivery.
    DeliveryId;
    /// A received activity that waits to be processed.
    InboxItemId;
    /// A report about a member.
    ReportId;
}

/// The text was not a decimal number between 0 and 2^63 − 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct InvalidId;

fn parse(s: &str) -> Result<i64, InvalidId> {
    if s.is_empty() || !s.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidId);
    }
    s.parse().map_err(|_| InvalidId)
}

/// Makes ids. One per process; `node` must be held by this process alone.
#[derive(Debug)]
pub struct IdGenerator {
    clock: Clock,
    node: AtomicU8,
    /// The last `milliseconds << 10 | sequence` given out.
    last: AtomicI64,
    /// Spreads ids of backdated posts, whose published times share a second.
    spread: AtomicI64,
}

impl IdGenerator {
    /// How many processes may make ids on one database.
    pub const NODES: u8 = 64;

    #[must_use]
    pub fn new(clock: Clock, node: u8) -> Self {
        let node = AtomicU8::new(node % Self::NODES);
        Self { clock, node, last: AtomicI64::new(0), spread: AtomicI64::new(0) }
    }

    #[must_use]
    pub fn node(&self) -> u8 {
        self.node.load(Ordering::Relaxed)
    }

    /// From now on ids are made with another number, which this process alone must hold.
    pub fn set_node(&self, node: u8) {
        self.node.store(node % Self::NODES, Ordering::Relaxed);
    }

    /// The next id: larger than every id this generator gave before.
    pub fn next<I: From<i64>>(&self) -> I {
        let now = self.clock.now().0 << 10;
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let tick = now.max(last + 1);
            match self.last.compare_exchange_weak(last, tick, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return I::from(self.assemble(tick)),
                Err(seen) => last = seen,
            }
        }
    }

    /// Ids made from now on are larger than this one, which somebody made whose clock is ahead of ours, or was. One
    /// that our clock has passed changes nothing.
    pub fn continue_after(&self, seen: i64) {
        let millis = Self::made_at(seen).0;
        if millis >= self.clock.now().0 {
            // To the end of that millisecond: another process's ids within it may be larger by its node number.
            self.last.fetch_max((millis << 10) | 0x3FF, Ordering::Relaxed);
        }
    }

    /// When an id of the generator was made, by the clock of whoever made it.
    #[must_use]
    pub fn made_at(id: i64) -> Timestamp {
        Timestamp(id >> 16)
    }

    /// An id that sorts at `at`, for what was made elsewhere and reaches us late.
    ///
    /// Published times often have whole seconds, so the id is spread over the second that follows.
    /// Two calls may collide (about 1 in a million for the same second): the insert must then retry.
    pub fn at<I: From<i64>>(&self, at: Timestamp) -> I {
        // A Weyl sequence: consecutive values land far apart and repeat only after 2^20 calls.
        let step = self.spread.fetch_add(0x9_E377, Ordering::Relaxed) & 0xF_FFFF;
        let millis = at.0.max(0) + (step >> 10) % 1000;
        I::from(self.assemble((millis << 10) | (step & 0x3FF)))
    }

    /// The smallest id that anything made at `at` or later can have: a bound for scans by id.
    #[must_use]
    pub fn first_at<I: From<i64>>(at: Timestamp) -> I {
        I::from(at.0.max(0) << 16)
    }

    fn assemble(&self, tick: i64) -> i64 {
        ((tick >> 10) << 16) | (i64::from(self.node()) << 10) | (tick & 0x3FF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_stands_still_or_steps_back() {
        let clock = Clock::manual(Timestamp(1_700_000_000_000));
        let ids = IdGenerator::new(clock.clone(), 3);
        let mut last = 0i64;
        for n in 0..5_000 {
            if n == 2_500 {
                clock.set(Timestamp(1_600_000_000_000));
            }
            let id: i64 = ids.next();
            assert!(id > last);
            last = id;
        }
    }

    #[test]
    fn ids_continue_after_those_of_a_clock_that_was_ahead() {
        let clock = Clock::manual(Timestamp(1_700_000_000_000));
        let ahead: i64 = IdGenerator::new(Clock::manual(Timestamp(1_700_003_600_000)), 63).next();
        let ids = IdGenerator::new(clock.clone(), 0);
        ids.continue_after(ahead);
        let first: i64 = ids.next();
        assert!(first > ahead);
        ids.continue_after(ahead);
        assert_eq!(ids.next::<i64>(), first + 1, "seen twice is as good as once");
        // An id of the past changes nothing.
        clock.set(Timestamp(1_700_010_000_000));
        ids.continue_after(ahead);
        assert_eq!(IdGenerator::made_at(ids.next()), clock.now());
    }

    #[test]
    fn two_nodes_never_make_the_same_id() {
        let clock = Clock::manual(Timestamp(1_700_000_000_000));
        let (a, b) = (IdGenerator::new(clock.clone(), 1), IdGenerator::new(clock, 2));
        let first: std::collections::HashSet<i64> = (0..2_000).map(|_| a.next()).collect();
        assert!((0..2_000).all(|_| !first.contains(&b.next::<i64>())));
    }

    #[test]
    fn backdated_ids_of_one_second_differ() {
        let ids = IdGenerator::new(Clock::manual(Timestamp(0)), 0);
        let made: std::collections::HashSet<i64> = (0..10_000).map(|_| ids.at(Timestamp(1_700_000_000_000))).collect();
        assert_eq!(made.len(), 10_000);
    }

    #[test]
    fn only_plain_decimal_numbers_are_ids() {
        assert_eq!("42".parse::<PostId>(), Ok(PostId(42)));
        for bad in ["", "-1", "+1", "0x1", "1 ", "99999999999999999999", "abc"] {
            assert_eq!(bad.parse::<PostId>(), Err(InvalidId), "{bad}");
        }
    }
}
