//! Posts: what people write, and boosts, which point at what somebody else wrote.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{AccountId, AppId, PostId, ThreadId};
use crate::visibility::Visibility;

/// A post as stored, the same whoever looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub id: PostId,
    /// The ActivityPub id; for a boost, the `Announce`'s.
    pub uri: String,
    /// The page for people.
    pub url: String,
    pub account_id: AccountId,
    /// The boosted post. A boost has no text of its own.
    pub boost_of_id: Option<PostId>,
    pub in_reply_to_id: Option<PostId>,
    pub in_reply_to_account_id: Option<AccountId>,
    /// What it answers, as the wire said it; kept where the parent is not known here.
    pub in_reply_to_uri: Option<String>,
    pub thread_id: ThreadId,
    pub visibility: Visibility,
    /// Safe HTML.
    pub content: String,
    /// What the author typed; local posts only.
    pub source: Option<String>,
    /// The content warning, plain text; empty = none.
    pub spoiler_text: String,
    pub sensitive: bool,
    /// BCP 47, mostly two letters.
    pub language: Option<String>,
    pub local: bool,
    pub app_id: Option<AppId>,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub replies_count: i64,
    pub boosts_count: i64,
    pub favourites_count: i64,
}

impl Post {
    /// May somebody who sees this post share it again, as far as its audience is concerned? What is for her own followers
    /// its author may.
    #[must_use]
    pub fn may_be_boosted_by(&self, who: AccountId) -> bool {
        self.visibility.is_open() || (self.account_id == who && self.visibility == Visibility::Followers)
    }
}

/// A version of a post before an edit (or the last one).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostEdit {
    pub content: String,
    pub spoiler_text: String,
    pub sensitive: bool,
    /// In the order they were shown.
    pub shown: Vec<crate::attachment::Shown>,
    pub created_at: Timestamp,
}
