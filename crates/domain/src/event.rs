//! What happened, told to whoever listens after the change was committed: streams and caches, in every process.
//!
//! An event carries ids only. A listener reads what it may show with its own `Viewer`.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ConversationId, NotificationId, PostId, TagId, TokenId};

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
    /// A deleted post was on these members' own streams: in their home timelines, or told to them as a mention. One
    /// event names few enough for a message between processes; of a post that was on more, there are several.
    PostLeft {
        post: PostId,
        accounts: Vec<AccountId>,
    },
    /// A post is a tombstone now, which no longer says what is here: its hashtags, and whether it showed media.
    PostDeleted {
        post: PostId,
        tags: Vec<TagId>,
        media: bool,
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
