//! Posts on the wire, outgoing: pure builders from a `PostView` of one of our own posts.
//!
//! Never writes `bto` or `bcc`, never names a circle, and addresses exactly those whom the post's audience holds.

use activitypub_federation::kinds::link::MentionType;
use activitypub_federation::kinds::object::{DocumentType, NoteType, TombstoneType};
use domain::attachment::Attachment;
use domain::view::{Emoji, Mention, PostView};
use domain::{FileUrls, Urls, Visibility, Whom};
use serde::Serialize;
use std::collections::BTreeMap;

/// The collection of everybody.
pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// Whom a document is addressed to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Audience {
    pub to: Vec<String>,
    pub cc: Vec<String>,
}

impl Audience {
    /// Addressed to everybody.
    #[must_use]
    pub fn public() -> Self {
        Self { to: vec![PUBLIC.to_owned()], cc: Vec::new() }
    }

    /// Addressed to one account alone.
    #[must_use]
    pub fn only(uri: &str) -> Self {
        Self { to: vec![uri.to_owned()], cc: Vec::new() }
    }

    /// The addresses of a visibility, as Mastodon writes and reads them.
    #[must_use]
    pub fn of(visibility: Visibility, followers: String, others: Vec<String>) -> Self {
        let public = PUBLIC.to_owned();
        match visibility {
            Visibility::Public => Self { to: vec![public], cc: [vec![followers], others].concat() },
            Visibility::Unlisted => Self { to: vec![followers], cc: [vec![public], others].concat() },
            Visibility::Followers => Self { to: vec![followers], cc: others },
            Visibility::Direct => Self { to: others, cc: Vec::new() },
        }
    }
}

/// A post of ours.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    pub id: String,
    #[serde(rename = "type")]
    kind: NoteType,
    /// The content warning; `null` where there is none.
    pub summary: Option<String>,
    pub in_reply_to: Option<String>,
    pub published: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    pub url: String,
    pub attributed_to: String,
    #[serde(flatten)]
    pub audience: Audience,
    pub sensitive: bool,
    pub conversation: String,
    pub content: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub content_map: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    pub attachment: Vec<Document>,
    pub tag: Vec<Tag>,
    pub replies: String,
}

/// What the author typed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    pub content: String,
    pub media_type: &'static str,
}

/// A picture, video or sound.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    #[serde(rename = "type")]
    kind: DocumentType,
    pub media_type: String,
    pub url: String,
    /// The alternative text.
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blurhash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focal_point: Option<[f64; 2]>,
}

/// What a text points at.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Tag {
    Mention {
        #[serde(rename = "type")]
        kind: MentionType,
        href: String,
        /// `@name@domain`.
        name: String,
    },
    Hashtag {
        #[serde(rename = "type")]
        kind: HashtagType,
        href: String,
        /// `#name`.
        name: String,
    },
    Emoji {
        id: String,
        #[serde(rename = "type")]
        kind: EmojiType,
        /// `:shortcode:`.
        name: String,
        icon: Image,
    },
}

#[derive(Debug, Clone, Copy, Default, Serialize)]
pub enum HashtagType {
    #[default]
    Hashtag,
}

#[derive(Debug, Clone, Copy, Default, Serialize)]
pub enum EmojiType {
    #[default]
    Emoji,
}

/// A picture without a text of its own: avatars, headers, emoji.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    #[serde(rename = "type")]
    kind: activitypub_federation::kinds::object::ImageType,
    pub media_type: &'static str,
    pub url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Image {
    /// A file of our media store, its type told by its ending.
    #[must_use]
    pub fn new(key: &str, description: &str, urls: &Urls) -> Self {
        let media_type = match key.rsplit('.').next().unwrap_or_default() {
            "png" => "image/png",
            "gif" => "image/gif",
            "webp" => "image/webp",
            "svg" => "image/svg+xml",
            _ => "image/jpeg",
        };
        let name = (!description.is_empty()).then(|| description.to_owned());
        Self { kind: Default::default(), media_type, url: urls.media(key), name }
    }
}

/// What is left of a deleted post.
#[derive(Debug, Clone, Serialize)]
pub struct Tombstone {
    pub id: String,
    #[serde(rename = "type")]
    kind: TombstoneType,
}

impl Tombstone {
    #[must_use]
    pub fn new(id: String) -> Self {
        Self { id, kind: TombstoneType::Tombstone }
    }
}

/// Builds the `Note` of a local post (never of a boost).
#[must_use]
pub fn note(view: &PostView, files: &FileUrls) -> Note {
    let (post, urls) = (view.post(), files.urls());
    let whom = Whom::peers(post.visibility);
    let author = &view.account.account;
    let content_map =
        post.language.iter().map(|language| (language.clone(), post.content.clone())).collect::<BTreeMap<_, _>>();
    Note {
        id: post.uri.clone(),
        kind: NoteType::Note,
        summary: (!post.spoiler_text.is_empty()).then(|| post.spoiler_text.clone()),
        in_reply_to: post.in_reply_to_uri.clone(),
        published: post.created_at.to_rfc3339(),
        updated: post.edited_at.map(|at| at.to_rfc3339()),
        url: post.url.clone(),
        attributed_to: author.uri.clone(),
        audience: audience(view, urls),
        sensitive: post.sensitive || !post.spoiler_text.is_empty(),
        conversation: files.discussion(post.thread_id),
        content: post.content.clone(),
        content_map,
        source: post.source.clone().map(|content| Source { content, media_type: "text/plain" }),
        attachment: view.core.attachments.iter().map(|a| document(a, files.original(a, whom))).collect(),
        tag: tags(view, urls),
        replies: format!("{}/replies", post.uri),
    }
}

/// Whom a post (or boost) is for. For a boost, `others` is the author of what is boosted.
#[must_use]
pub fn audience(view: &PostView, urls: &Urls) -> Audience {
    let followers = urls.followers(&view.account.account.username);
    let others = match &view.boost_of {
        Some(boosted) => vec![boosted.account.account.uri.clone()],
        None => mentioned(&view.core.mentions),
    };
    Audience::of(view.post().visibility, followers, others)
}

fn mentioned(mentions: &[Mention]) -> Vec<String> {
    mentions.iter().map(|m| m.uri.clone()).collect()
}

fn document(attachment: &Attachment, url: String) -> Document {
    Document {
        kind: DocumentType::Document,
        media_type: attachment.mime.clone(),
        url,
        name: (!attachment.description.is_empty()).then(|| attachment.description.clone()),
        blurhash: attachment.blurhash.clone(),
        width: attachment.width,
        height: attachment.height,
        focal_point: attachment.focus.map(|focus| [focus.x, focus.y]),
    }
}

fn tags(view: &PostView, urls: &Urls) -> Vec<Tag> {
    let mentions = view.core.mentions.iter().map(|m| Tag::Mention {
        kind: MentionType::Mention,
        href: m.uri.clone(),
        name: if m.acct.contains('@') { format!("@{}", m.acct) } else { format!("@{}@{}", m.acct, urls.domain()) },
    });
    let hashtags = view.core.tags.iter().map(|name| Tag::Hashtag {
        kind: HashtagType::Hashtag,
        href: urls.tag(&name.to_lowercase()),
        name: format!("#{name}"),
    });
    mentions.chain(hashtags).chain(emoji_tags(&view.core.emojis, urls)).collect()
}

/// The custom emojis of a text or profile; only our own, which have a file here.
pub fn emoji_tags<'a>(emojis: &'a [Emoji], urls: &'a Urls) -> impl Iterator<Item = Tag> + use<'a> {
    emojis.iter().filter_map(move |emoji| {
        let key = emoji.key.as_deref()?;
        Some(Tag::Emoji {
            id: urls.path(&format!("/emojis/{}", emoji.id)),
            kind: EmojiType::Emoji,
            name: format!(":{}:", emoji.shortcode),
            icon: Image::new(key, "", urls),
        })
    })
}
