//! Reports: what somebody asks those who run the community to look at.

use crate::clock::Timestamp;
use crate::host::Host;
use crate::id::{AccountId, PostId, ReportId};

/// A report as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub id: ReportId,
    /// Its ActivityPub id.
    pub uri: String,
    /// Who reports: an account of another server, often the one in whose name that server itself speaks.
    pub account_id: AccountId,
    /// The member whom it is about.
    pub target_id: AccountId,
    /// Those of the member's posts that are named.
    pub posts: Vec<PostId>,
    /// Plain text, in the reporter's words.
    pub comment: String,
    /// The server it came from.
    pub host: Host,
    pub created_at: Timestamp,
}
