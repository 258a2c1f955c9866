//! `Status` and what belongs to it: mentions, tags, history, source, context.

use std::borrow::Cow;
use std::sync::Arc;

use domain::Visibility;
use domain::text::plain;
use domain::view::{Mention, PostCore, PostFlags, PostView};
use serde::Serialize;
use serde_json::value::RawValue;

use super::emoji::CustomEmoji;
use super::media::{Addresses, MediaAttachment};
use super::value::{Id, Time};

/// The client API's name of an audience.
#[must_use]
pub fn visibility_name(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "public",
        Visibility::Unlisted => "unlisted",
        Visibility::Followers => "private",
        Visibility::Direct => "direct",
    }
}

/// Reads the client API's name of an audience.
#[must_use]
pub fn visibility_from(name: &str) -> Option<Visibility> {
    Some(match name {
        "public" => Visibility::Public,
        "unlisted" => Visibility::Unlisted,
        "private" => Visibility::Followers,
        "direct" => Visibility::Direct,
        _ => return None,
    })
}

/// Never there: this server has no such thing, and apps expect the field.
type Never = Option<()>;

#[derive(Debug, Serialize)]
pub struct Status<'a> {
    id: Id,
    created_at: Time,
    in_reply_to_id: Option<Id>,
    in_reply_to_account_id: Option<Id>,
    sensitive: bool,
    spoiler_text: &'a str,
    visibility: &'static str,
    language: Option<&'a str>,
    uri: &'a str,
    url: &'a str,
    replies_count: i64,
    reblogs_count: i64,
    favourites_count: i64,
    quotes_count: i64,
    edited_at: Option<Time>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    own: Option<Flags>,
    content: &'a str,
    /// What its author typed; only in the answer to a deletion, to write it anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    reblog: Option<Arc<RawValue>>,
    application: Option<App<'a>>,
    account: Arc<RawValue>,
    media_attachments: Vec<MediaAttachment<'a>>,
    mentions: Vec<StatusMention<'a>>,
    tags: Vec<StatusTag<'a>>,
    emojis: Vec<CustomEmoji<'a>>,
    card: Never,
    poll: Never,
    quote: Never,
}

/// What the viewer did with the post; only for those who are signed in.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is Mastodon's")]
struct Flags {
    favourited: bool,
    reblogged: bool,
    muted: bool,
    bookmarked: bool,
    /// Only on the viewer's own posts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned: Option<bool>,
    filtered: [(); 0],
}

#[derive(Debug, Serialize)]
struct App<'a> {
    name: &'a str,
    website: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub struct StatusMention<'a> {
    id: Id,
    username: &'a str,
    url: &'a str,
    acct: &'a str,
}

#[derive(Debug, Serialize)]
pub struct StatusTag<'a> {
    name: &'a str,
    url: String,
}

/// Who looks, as far as it shows in a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    ByNobody,
    BySomebody,
    ByAuthor,
}

impl<'a> Status<'a> {
    /// `account` and `reblog` are already rendered, since they are the same for many.
    pub fn new(
        core: &'a PostCore,
        flags: PostFlags,
        seen: Seen,
        account: Arc<RawValue>,
        reblog: Option<Arc<RawValue>>,
        addresses: &Addresses<'_>,
    ) -> Self {
        let (post, urls) = (&core.post, addresses.files.urls());
        Self {
            id: Id::of(post.id),
            created_at: Time(post.created_at),
            in_reply_to_id: post.in_reply_to_id.map(Id::of),
            in_reply_to_account_id: post.in_reply_to_account_id.map(Id::of),
            sensitive: post.sensitive,
            spoiler_text: &post.spoiler_text,
            visibility: visibility_name(post.visibility),
            language: post.language.as_deref(),
            uri: &post.uri,
            url: if post.url.is_empty() { &post.uri } else { &post.url },
            replies_count: post.replies_count,
            reblogs_count: post.boosts_count,
            favourites_count: post.favourites_count,
            quotes_count: 0,
            edited_at: post.edited_at.map(Time),
            own: (seen != Seen::ByNobody).then(|| Flags {
                favourited: flags.favourited,
                reblogged: flags.boosted,
                muted: flags.muted,
                bookmarked: flags.bookmarked,
                pinned: (seen == Seen::ByAuthor).then_some(flags.pinned),
                filtered: [],
            }),
            content: &post.content,
            text: None,
            reblog,
            application: core.app.as_ref().map(|(name, website)| App { name, website: website.as_deref() }),
            account,
            media_attachments: core.attachments.iter().map(|a| MediaAttachment::new(a, addresses)).collect(),
            mentions: core.mentions.iter().map(StatusMention::new).collect(),
            tags: core.tags.iter().map(|name| StatusTag { name, url: urls.tag(name) }).collect(),
            emojis: CustomEmoji::all(&core.emojis, urls),
            card: None,
            poll: None,
            quote: None,
        }
    }

    /// With what the author typed, for deleting and writing anew.
    #[must_use]
    pub fn with_text(mut self, text: &'a str) -> Self {
        self.text = Some(text);
        self
    }
}

impl<'a> StatusMention<'a> {
    fn new(m: &'a Mention) -> Self {
        Self {
            id: Id::of(m.account_id),
            username: &m.username,
            url: if m.url.is_empty() { &m.uri } else { &m.url },
            acct: &m.acct,
        }
    }
}

/// What an author typed; of a post from elsewhere, its words.
#[derive(Debug, Serialize)]
pub struct StatusSource<'a> {
    id: Id,
    text: Cow<'a, str>,
    spoiler_text: &'a str,
}

impl<'a> StatusSource<'a> {
    pub fn new(view: &'a PostView) -> Self {
        let post = view.post();
        let text = post.source.as_deref().map_or_else(|| plain(&post.content).into(), Cow::Borrowed);
        Self { id: Id::of(post.id), text, spoiler_text: &post.spoiler_text }
    }
}

/// Why a post was not published: it mentions these accounts, which its author did not name.
#[derive(Debug, Serialize)]
pub struct UnexpectedAccounts {
    pub error: &'static str,
    pub unexpected_accounts: Vec<Arc<RawValue>>,
}

/// One version of a post.
#[derive(Debug, Serialize)]
pub struct StatusEdit<'a> {
    pub content: &'a str,
    pub spoiler_text: &'a str,
    pub sensitive: bool,
    pub created_at: Time,
    pub account: Arc<RawValue>,
    pub media_attachments: Vec<MediaAttachment<'a>>,
    pub emojis: Vec<CustomEmoji<'a>>,
    pub poll: Never,
}

/// The discussion around a post.
#[derive(Debug, Serialize)]
pub struct Context {
    pub ancestors: Vec<Arc<RawValue>>,
    pub descendants: Vec<Arc<RawValue>>,
}
