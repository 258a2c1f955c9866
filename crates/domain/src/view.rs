//! What every renderer starts from: the client API's JSON, the wire's JSON-LD, the pages, the feeds.
//!
//! What is the same for every viewer is shared (`Arc`) and may come from a cache; what depends on the viewer
//! (`PostFlags`) is always read for that viewer.

use std::sync::Arc;

use crate::account::{Account, Role};
use crate::attachment::Attachment;
use crate::clock::Timestamp;
use crate::host::Host;
use crate::id::{AccountId, ConversationId, EmojiId, PostId};
use crate::notification::Notification;
use crate::post::Post;
use crate::report::Report;

/// A custom emoji: `:shortcode:` in texts and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emoji {
    pub id: EmojiId,
    pub shortcode: String,
    /// `None` = this community's own.
    pub domain: Option<Host>,
    /// In the media store; `None` while a remote picture was not fetched.
    pub key: Option<String>,
    pub remote_url: Option<String>,
    /// Shown in the picker.
    pub visible: bool,
    pub category: Option<String>,
}

/// An account with what is needed to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    pub account: Account,
    pub emojis: Vec<Emoji>,
    /// Local accounts only.
    pub role: Option<Role>,
    /// Where she is now, if she moved and it is known here. One level: its own is always `None`.
    pub moved: Option<Arc<AccountView>>,
}

/// Somebody a post addresses by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    pub account_id: AccountId,
    pub username: String,
    /// `name` or `name@domain`.
    pub acct: String,
    pub uri: String,
    pub url: String,
}

/// The viewer-independent part of a post.
#[derive(Debug, Clone, PartialEq)]
pub struct PostCore {
    pub post: Post,
    pub mentions: Vec<Mention>,
    /// Names without `#`, as first written.
    pub tags: Vec<String>,
    pub attachments: Vec<Attachment>,
    pub emojis: Vec<Emoji>,
    /// Name and website of the app it was written with.
    pub app: Option<(String, Option<String>)>,
}

/// What the viewer did with a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "mirrors the facts one by one")]
pub struct PostFlags {
    pub favourited: bool,
    pub boosted: bool,
    pub bookmarked: bool,
    pub pinned: bool,
    /// She asked for no more notifications from this discussion.
    pub muted: bool,
}

/// A post as one viewer may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct PostView {
    pub core: Arc<PostCore>,
    pub account: Arc<AccountView>,
    /// Of a boost, what the viewer did with the post that it shows.
    pub flags: PostFlags,
    pub boost_of: Option<Box<PostView>>,
}

impl PostView {
    #[must_use]
    pub fn id(&self) -> PostId {
        self.core.post.id
    }

    #[must_use]
    pub fn post(&self) -> &Post {
        &self.core.post
    }

    /// This is a boost of `original`. What the viewer did with one they did with the other: nothing is done with a
    /// boost itself.
    pub fn show(&mut self, original: PostView) {
        self.flags = original.flags;
        self.boost_of = Some(Box::new(original));
    }
}

/// A notification with whom and what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationView {
    pub notification: Notification,
    pub from: Arc<AccountView>,
    pub post: Option<PostView>,
    pub report: Option<ReportView>,
}

/// A report with the account that is reported.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportView {
    pub report: Report,
    pub target: Arc<AccountView>,
}

/// A private discussion from one member's side.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationView {
    pub id: ConversationId,
    pub unread: bool,
    /// The others; the member alone where there are none.
    pub accounts: Vec<Arc<AccountView>>,
    /// The newest that she may see.
    pub last_post: PostView,
    pub updated_at: Timestamp,
}
