//! A member's lists of accounts: timelines of chosen people.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ListId};

/// Which answers of its members a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepliesPolicy {
    /// Answers to anybody the list's owner follows.
    Followed,
    /// Answers to other members of the list.
    #[default]
    List,
    /// No answers.
    None,
}

impl RepliesPolicy {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Followed => "followed",
            Self::List => "list",
            Self::None => "none",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "followed" => Self::Followed,
            "list" => Self::List,
            "none" => Self::None,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub id: ListId,
    /// Whose list it is; nobody else knows of it.
    pub account_id: AccountId,
    pub title: String,
    pub replies_policy: RepliesPolicy,
    /// Posts of its members are left out of the home timeline.
    pub exclusive: bool,
}
