//! `Relationship`.

use domain::AccountId;
use domain::follow::Relationship as Facts;
use serde::Serialize;

use super::value::{Id, Time};

#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is Mastodon's")]
pub struct Relationship<'a> {
    id: Id,
    following: bool,
    showing_reblogs: bool,
    notifying: bool,
    languages: Option<&'a [String]>,
    followed_by: bool,
    blocking: bool,
    blocked_by: bool,
    muting: bool,
    muting_notifications: bool,
    muting_expires_at: Option<Time>,
    requested: bool,
    requested_by: bool,
    domain_blocking: bool,
    endorsed: bool,
    note: &'a str,
}

impl<'a> Relationship<'a> {
    pub fn new(target: AccountId, facts: &'a Facts) -> Self {
        Self {
            id: Id::of(target),
            following: facts.following,
            showing_reblogs: facts.showing_boosts,
            notifying: facts.notifying,
            languages: Some(facts.languages.as_slice()).filter(|l| !l.is_empty()),
            followed_by: facts.followed_by,
            blocking: facts.blocking,
            blocked_by: facts.blocked_by,
            muting: facts.muting,
            muting_notifications: facts.muting_notifications,
            muting_expires_at: facts.muting_until.map(Time),
            requested: facts.requested,
            requested_by: facts.requested_by,
            domain_blocking: facts.domain_blocking,
            endorsed: false,
            note: &facts.note,
        }
    }
}
