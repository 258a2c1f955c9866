//! How two accounts stand to each other.

use crate::clock::Timestamp;
use crate::id::AccountId;

/// The client API's `Relationship`, from one account's side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "mirrors the facts one by one")]
pub struct Relationship {
    pub target: Option<AccountId>,
    pub following: bool,
    pub showing_boosts: bool,
    pub notifying: bool,
    pub languages: Vec<String>,
    pub followed_by: bool,
    pub blocking: bool,
    pub blocked_by: bool,
    pub muting: bool,
    pub muting_notifications: bool,
    /// When the mute ends; `None` = never, or there is none.
    pub muting_until: Option<Timestamp>,
    /// She asked and waits for an answer.
    pub requested: bool,
    /// The other asked and waits for hers.
    pub requested_by: bool,
    pub domain_blocking: bool,
    /// Her private note on the other.
    pub note: String,
}

/// What a follower wants to see of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowOptions {
    pub show_boosts: bool,
    /// Tell her of every new post.
    pub notify: bool,
    /// Only posts in these languages; empty = all.
    pub languages: Vec<String>,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self { show_boosts: true, notify: false, languages: Vec::new() }
    }
}
