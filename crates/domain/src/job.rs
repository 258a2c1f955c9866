//! Work that is done after the change that asked for it, and survives a crash.
//!
//! A job carries ids (and the ActivityPub id of what is gone), never content. It may run twice: whoever handles
//! it must find that out by itself. Received activities and deliveries have tables of their own.

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::id::{AccountId, PostId, ReportId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Send a new local post or boost to those who should have it (`Create`, `Announce`).
    DistributePost {
        #[serde(default = "not_said")]
        author: AccountId,
        post: PostId,
    },
    /// Send an edit (`Update`), and the post itself (`Create`) to whom the edit addresses first.
    DistributeEdit {
        #[serde(default = "not_said")]
        author: AccountId,
        post: PostId,
        #[serde(default)]
        newly_addressed: Vec<AccountId>,
    },
    /// Take a post or boost back (`Delete`, `Undo` of `Announce`). The row is a tombstone by now.
    DistributeDelete {
        post: PostId,
        /// Inboxes that waited for it and were never sent it.
        #[serde(default)]
        unsent: Vec<String>,
        /// No server was sent it: only whose accounts answered or boosted it can have it.
        #[serde(default)]
        from_nobody: bool,
    },
    DistributeFavourite {
        account: AccountId,
        post: PostId,
        uri: String,
    },
    DistributeUnfavourite {
        account: AccountId,
        post: PostId,
        uri: String,
    },
    DistributeFollow {
        account: AccountId,
        target: AccountId,
        uri: String,
        /// It may have been told before.
        #[serde(default)]
        again: bool,
    },
    DistributeUnfollow {
        account: AccountId,
        target: AccountId,
        uri: String,
    },
    /// `account` (local) lets `follower` (remote) follow; `uri` is the `Follow` it answers.
    DistributeAccept {
        account: AccountId,
        follower: AccountId,
        uri: String,
    },
    /// Refuses a request, or ends a follow that was accepted.
    DistributeReject {
        account: AccountId,
        follower: AccountId,
        uri: String,
    },
    DistributeBlock {
        account: AccountId,
        target: AccountId,
        uri: String,
    },
    DistributeUnblock {
        account: AccountId,
        target: AccountId,
        uri: String,
    },
    /// A profile changed (`Update` of the actor).
    DistributeAccount {
        account: AccountId,
    },
    /// A local account was deleted (`Delete` of the actor).
    DistributeAccountDelete {
        account: AccountId,
    },
    /// A post was pinned or unpinned (`Add`, `Remove` on the featured collection).
    DistributePin {
        account: AccountId,
        post: PostId,
        pinned: bool,
    },
    /// Tell the server of somebody who was reported (`Flag`), in the name of this server.
    ForwardReport {
        report: ReportId,
    },
    /// Look for what a received post answers, upward to the start of the discussion.
    FetchThread {
        post: PostId,
    },
    /// Read a remote actor again.
    RefreshAccount {
        account: AccountId,
    },
    /// Remove what a deleted account left: posts, media, relations.
    PurgeAccount {
        account: AccountId,
    },
    /// A domain was blocked: take what came from there out of home timelines.
    ForgetDomain {
        domain: Host,
    },
    /// Remove bytes from the media store that no row points at any more.
    DeleteMedia {
        keys: Vec<String>,
    },
}

/// The subject of whatever brings a post or boost.
#[must_use]
pub fn subject_of_post(post: PostId) -> String {
    format!("{OF_POST}{post}")
}

/// The reverse of [`subject_of_post`].
#[must_use]
pub fn post_of_subject(subject: &str) -> Option<PostId> {
    subject.strip_prefix(OF_POST)?.parse().ok()
}

const OF_POST: &str = "post ";

/// The author in a job that was kept before jobs named one. Its line was decided when it was kept: it has none.
fn not_said() -> AccountId {
    AccountId(0)
}

/// The subject of whatever brings what an account says of itself.
#[must_use]
pub fn subject_of_profile(account: AccountId) -> String {
    format!("profile {account}")
}

impl Job {
    /// What the job brings to other servers, or here: a post or boost ([`subject_of_post`]), or the ActivityPub id of a
    /// like, follow or block. When that is deleted or undone while the job waits, the job is dropped. `None` for jobs
    /// that take something back.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::DistributePost { post, .. }
            | Self::DistributeEdit { post, .. }
            | Self::DistributePin { post, .. }
            | Self::FetchThread { post } => Some(subject_of_post(*post)),
            Self::DistributeFavourite { uri, .. }
            | Self::DistributeFollow { uri, .. }
            | Self::DistributeBlock { uri, .. } => Some(uri.clone()),
            _ => None,
        }
    }

    /// The account in whose line it stands: what a member says and does is told in its order, and so is what one that
    /// asks to follow is answered. `None` for what is told at once (deletions: they look for themselves at what is
    /// under way) and for work done here.
    #[must_use]
    pub fn line(&self) -> Option<AccountId> {
        match self {
            Self::DistributePost { author: account, .. }
            | Self::DistributeEdit { author: account, .. }
            | Self::DistributeFavourite { account, .. }
            | Self::DistributeUnfavourite { account, .. }
            | Self::DistributeFollow { account, .. }
            | Self::DistributeUnfollow { account, .. }
            | Self::DistributeAccept { follower: account, .. }
            | Self::DistributeReject { follower: account, .. }
            | Self::DistributeBlock { account, .. }
            | Self::DistributeUnblock { account, .. }
            | Self::DistributeAccount { account }
            | Self::DistributePin { account, .. } => Some(*account),
            Self::DistributeDelete { .. }
            | Self::DistributeAccountDelete { .. }
            | Self::ForwardReport { .. }
            | Self::FetchThread { .. }
            | Self::RefreshAccount { .. }
            | Self::PurgeAccount { .. }
            | Self::ForgetDomain { .. }
            | Self::DeleteMedia { .. } => None,
        }
    }

    /// Does it tell other servers of its subject for the first time?
    #[must_use]
    pub fn publishes(&self) -> bool {
        matches!(
            self,
            Self::DistributePost { .. }
                | Self::DistributeFavourite { .. }
                | Self::DistributeFollow { again: false, .. }
                | Self::DistributeBlock { .. }
        )
    }

    /// Does it take back what others can read? Then it is done before other jobs.
    #[must_use]
    pub fn deletes(&self) -> bool {
        matches!(self, Self::DistributeDelete { .. } | Self::DistributeAccountDelete { .. })
    }

    /// The name under which the queue and the metrics know it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::DistributePost { .. } => "distribute_post",
            Self::DistributeEdit { .. } => "distribute_edit",
            Self::DistributeDelete { .. } => "distribute_delete",
            Self::DistributeFavourite { .. } => "distribute_favourite",
            Self::DistributeUnfavourite { .. } => "distribute_unfavourite",
            Self::DistributeFollow { .. } => "distribute_follow",
            Self::DistributeUnfollow { .. } => "distribute_unfollow",
            Self::DistributeAccept { .. } => "distribute_accept",
            Self::DistributeReject { .. } => "distribute_reject",
            Self::DistributeBlock { .. } => "distribute_block",
            Self::DistributeUnblock { .. } => "distribute_unblock",
            Self::DistributeAccount { .. } => "distribute_account",
            Self::DistributeAccountDelete { .. } => "distribute_account_delete",
            Self::DistributePin { .. } => "distribute_pin",
            Self::ForwardReport { .. } => "forward_report",
            Self::FetchThread { .. } => "fetch_thread",
            Self::RefreshAccount { .. } => "refresh_account",
            Self::PurgeAccount { .. } => "purge_account",
            Self::ForgetDomain { .. } => "forget_domain",
            Self::DeleteMedia { .. } => "delete_media",
        }
    }
}
