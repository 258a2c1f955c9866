//! What a member is told about.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{AccountId, NotificationId, PostId, ReportId};

/// The client API's notification types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    Mention,
    /// Somebody she asked to hear of posted.
    Status,
    Reblog,
    Follow,
    FollowRequest,
    Favourite,
    Poll,
    /// A post she boosted was edited.
    Update,
    /// Somebody signed up (for those who run the community).
    #[serde(rename = "admin.sign_up")]
    AdminSignUp,
    /// Somebody was reported (for those who run the community).
    #[serde(rename = "admin.report")]
    AdminReport,
}

impl NotificationKind {
    pub const ALL: [Self; 10] = [
        Self::Mention,
        Self::Status,
        Self::Reblog,
        Self::Follow,
        Self::FollowRequest,
        Self::Favourite,
        Self::Poll,
        Self::Update,
        Self::AdminSignUp,
        Self::AdminReport,
    ];

    /// What only those who run the community are told: of accounts that others may not see, too.
    pub const FOR_STAFF: [Self; 2] = [Self::AdminSignUp, Self::AdminReport];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::Status => "status",
            Self::Reblog => "reblog",
            Self::Follow => "follow",
            Self::FollowRequest => "follow_request",
            Self::Favourite => "favourite",
            Self::Poll => "poll",
            Self::Update => "update",
            Self::AdminSignUp => "admin.sign_up",
            Self::AdminReport => "admin.report",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub id: NotificationId,
    /// Who is told.
    pub account_id: AccountId,
    /// Who did it.
    pub from_account_id: AccountId,
    pub kind: NotificationKind,
    pub post_id: Option<PostId>,
    pub report_id: Option<ReportId>,
    pub created_at: Timestamp,
}
