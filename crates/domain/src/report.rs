//! Reports: what somebody asks those who run the community to look at.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::host::Host;
use crate::id::{AccountId, PostId, ReportId};

/// What a report is about, in the words of the client API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportCategory {
    Spam,
    /// Against the law.
    Legal,
    /// Against a rule of the community.
    Violation,
    #[default]
    Other,
}

impl ReportCategory {
    pub const ALL: [Self; 4] = [Self::Spam, Self::Legal, Self::Violation, Self::Other];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Legal => "legal",
            Self::Violation => "violation",
            Self::Other => "other",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == text)
    }
}

/// A rule of the community as it was when the report was written: the list of rules may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenRule {
    /// Its id in the client API.
    pub id: String,
    pub text: String,
}

/// A report as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub id: ReportId,
    /// Its ActivityPub id. Says nothing about the reporter where the report was written here.
    pub uri: String,
    /// Who reports: a member, or an account of another server, often the one in whose name that server itself speaks.
    pub account_id: AccountId,
    /// The account that is reported.
    pub target_id: AccountId,
    /// Those of the target's posts that are named.
    pub posts: Vec<PostId>,
    /// Plain text, in the reporter's words.
    pub comment: String,
    pub category: ReportCategory,
    pub rules: Vec<BrokenRule>,
    /// The server it came from; `None` where a member wrote it.
    pub host: Option<Host>,
    /// The target's server is told, without the reporter's name.
    pub forwarded: bool,
    pub created_at: Timestamp,
    /// When somebody who runs the community said that it was dealt with, and who; nobody where it was the operator.
    pub resolved_at: Option<Timestamp>,
    pub resolved_by: Option<AccountId>,
}
