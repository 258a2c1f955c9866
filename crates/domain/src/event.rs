//! What happened, told to whoever listens after the change was committed: streams and caches, in every process.
//!
//! An event carries ids only. A listener reads what it may show with its own `Viewer`.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ConversationId, NotificationId, PostId, TokenId};
use crate::visibility::Visibility;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Event {
    /// A post or boost came to be, by somebody here or elsewhere, and its timeline entries were written.
    PostCreated {
        post: PostId,
    },
    PostEdited {
        post: PostId,
    },
    /// An edit took this account out of those who may see the post.
    PostHidden {
        post: PostId,
        account: AccountId,
    },
    PostDeleted {
        post: PostId,
        author: AccountId,
        visibility: Visibility,
    },
    Notified {
        account: AccountId,
        notification: NotificationId,
    },
    ConversationChanged {
        account: AccountId,
        conversation: ConversationId,
    },
    /// Profile, counts or standing of an account changed: cached copies are stale.
    AccountChanged {
        account: AccountId,
    },
    /// Follows, blocks or mutes of this account changed: what it may see changed with them.
    RelationsChanged {
        account: AccountId,
    },
    /// A token ended: its streams must close.
    TokenRevoked {
        token: TokenId,
    },
    /// Settings of the community, domain policies or custom emojis changed.
    SettingsChanged,
    /// Others may have happened that nobody here was told of: whatever is kept in memory may be stale.
    SomeMissed,
}
