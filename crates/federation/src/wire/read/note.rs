//! Received posts, whatever their type: notes, polls, articles, pages, events, videos.

use domain::attachment::{AttachmentKind, Focus};
use domain::urls::page_of;
use domain::{Timestamp, Visibility};
use serde::Serialize;
use serde_json::Value;

use super::{ReceivedEmoji, Unusable, emojis, same_server};
use crate::wire::lenient::{
    cut, elements, file_link, flag, id, id_of, ids, list, page_link, pixels, said, text, time, translations, types,
    web_address,
};
use crate::wire::note::PUBLIC;
use crate::wire::{escape, sanitise};

const MAX_CONTENT: usize = 200_000;
const MAX_SUMMARY: usize = 2_000;
const MAX_ATTACHMENTS: usize = 32;
const MAX_MENTIONS: usize = 200;
const MAX_TAGS: usize = 100;
const MAX_OPTIONS: usize = 40;
const MAX_DESCRIPTION: usize = 10_000;
/// The digits of a blurhash.
const BASE83: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

/// What kind of object became a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum NoteKind {
    Note,
    Question,
    Article,
    Page,
    Event,
    Image,
    Video,
    Audio,
}

impl NoteKind {
    /// `None` for what cannot be a post.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "Note" | "ChatMessage" => Self::Note,
            "Question" => Self::Question,
            "Article" => Self::Article,
            "Page" => Self::Page,
            "Event" => Self::Event,
            "Image" => Self::Image,
            "Video" => Self::Video,
            "Audio" => Self::Audio,
            _ => return None,
        })
    }

    /// Does its title stand for itself, so that it must be shown?
    fn is_titled(self) -> bool {
        !matches!(self, Self::Note | Self::Question)
    }
}

/// A post as far as we understand it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceivedNote {
    pub id: String,
    pub kind: NoteKind,
    pub url: Option<String>,
    pub attributed_to: String,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    /// Safe HTML.
    pub content: String,
    /// Plain text.
    pub spoiler_text: String,
    pub sensitive: bool,
    pub language: Option<String>,
    pub in_reply_to: Option<String>,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub mentions: Vec<ReceivedMention>,
    /// Names without `#`.
    pub hashtags: Vec<String>,
    pub emojis: Vec<ReceivedEmoji>,
    pub attachments: Vec<ReceivedAttachment>,
    pub quote: Option<String>,
    pub poll: Option<ReceivedPoll>,
    /// `name` of a note without content that answers something: a vote.
    pub vote: Option<String>,
}

/// Somebody whom the text names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceivedMention {
    /// The actor's id, or (from some servers) the address of its page.
    pub href: String,
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceivedAttachment {
    pub url: String,
    pub kind: AttachmentKind,
    pub mime: String,
    pub description: String,
    pub blurhash: Option<String>,
    pub focus: Option<Focus>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// A smaller picture that stands for it.
    pub preview_url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceivedPoll {
    pub multiple: bool,
    /// Plain text and the votes it has.
    pub options: Vec<(String, i64)>,
    pub voters: Option<i64>,
    pub ends_at: Option<Timestamp>,
    pub closed: bool,
}

impl ReceivedNote {
    /// # Errors
    /// When it is no post, has no id or author, or its author is on another server than its id.
    pub fn read(value: &Value) -> Result<Self, Unusable> {
        let kind = types(value).find_map(NoteKind::parse).ok_or(Unusable::UnknownType)?;
        let note_id = id_of(value).and_then(web_address).ok_or(Unusable::Missing("id"))?.to_owned();
        let attributed_to = author(value).ok_or(Unusable::Missing("attributedTo"))?;
        if !same_server(&note_id, &attributed_to) {
            return Err(Unusable::ForeignHost("attributedTo"));
        }
        let url = page_link(value).map(str::to_owned);
        let (raw, language) = content(value);
        let name = said(value, "name", language.as_deref()).map(|name| cut(name.trim(), 1_000));
        let summary = said(value, "summary", language.as_deref());
        let in_reply_to = id(value, "inReplyTo").and_then(web_address).map(str::to_owned);
        let poll = poll(value);
        let vote = match kind {
            NoteKind::Note if raw.is_none() && in_reply_to.is_some() => name.clone(),
            _ => None,
        };
        let page = page_of(url.clone(), &note_id, None);
        let content = if kind.is_titled() {
            titled(name.as_deref(), raw.or(summary), &page)
        } else {
            sanitise(&cut(raw.unwrap_or_default(), MAX_CONTENT))
        };
        // The summary of an article is an abstract, that of a note a content warning.
        let spoiler_text = match summary.filter(|_| !kind.is_titled()) {
            Some(html) => cut(&plain(html), MAX_SUMMARY),
            None => String::new(),
        };
        let mut attachments = attachments(value);
        if matches!(kind, NoteKind::Image | NoteKind::Audio | NoteKind::Video) {
            attachments.extend(own_media(value, kind));
        }
        attachments.truncate(MAX_ATTACHMENTS);
        Ok(Self {
            kind,
            url,
            attributed_to,
            to: audience(value, "to"),
            cc: audience(value, "cc"),
            content,
            sensitive: is_sensitive(value) || !spoiler_text.is_empty(),
            spoiler_text,
            language,
            in_reply_to,
            published: time(value, "published"),
            updated: time(value, "updated"),
            mentions: mentions(value),
            hashtags: hashtags(value),
            emojis: emojis(value, &note_id),
            attachments,
            quote: ["quote", "quoteUrl", "quoteUri", "_misskey_quote"]
                .iter()
                .find_map(|key| id(value, key))
                .and_then(web_address)
                .map(str::to_owned),
            poll,
            vote,
            id: note_id,
        })
    }

    /// The audience, deduced as Mastodon does. Without the author's followers collection what is addressed to
    /// it counts as direct: never wider than what was meant.
    #[must_use]
    pub fn visibility(&self, followers: Option<&str>) -> Visibility {
        visibility(&self.to, &self.cc, followers)
    }

    /// Is this account addressed? Being tagged alone is no address.
    #[must_use]
    pub fn addresses(&self, uri: &str) -> bool {
        self.to.iter().chain(&self.cc).any(|to| to == uri)
    }
}

/// See [`ReceivedNote::visibility`]; for activities that have an audience of their own, such as boosts.
#[must_use]
pub fn visibility(to: &[String], cc: &[String], followers: Option<&str>) -> Visibility {
    let followers_in = |list: &[String]| followers.is_some_and(|f| list.iter().any(|to| to == f));
    if to.iter().any(|to| to == PUBLIC) {
        Visibility::Public
    } else if cc.iter().any(|to| to == PUBLIC) {
        Visibility::Unlisted
    } else if followers_in(to) || followers_in(cc) {
        Visibility::Followers
    } else {
        Visibility::Direct
    }
}

/// Addressees, with every spelling of "everybody" made one.
pub(crate) fn audience(value: &Value, key: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for uri in ids(value, key) {
        let uri = match uri.as_str() {
            "Public" | "as:Public" => PUBLIC.to_owned(),
            _ => uri,
        };
        if !all.contains(&uri) {
            all.push(uri);
        }
    }
    all
}

/// The first author that is a person where there are several (a channel and its owner), otherwise the first.
fn author(value: &Value) -> Option<String> {
    let person = list(value, "attributedTo").find(|a| types(a).any(|t| t == "Person")).and_then(id_of);
    person.or_else(|| id(value, "attributedTo")).and_then(web_address).map(str::to_owned)
}

/// The text and its language: `contentMap` tells the language, `content` the text.
fn content(value: &Value) -> (Option<&str>, Option<String>) {
    let texts = translations(value, "content");
    let given = text(value, "content");
    // The entry that says the same as `content`; otherwise the first with a language.
    let entry = texts
        .clone()
        .find(|(language, text)| Some(*text) == given && *language != "und")
        .or_else(|| texts.clone().find(|(language, _)| *language != "und"))
        .or_else(|| texts.clone().next());
    let language = entry.map(|(language, _)| language).filter(|language| *language != "und").and_then(language_tag);
    (given.or(entry.map(|(_, text)| text)), language)
}

/// A language tag of sensible shape, in lower case for its first part.
fn language_tag(text: &str) -> Option<String> {
    let sound = (2..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    sound.then(|| text.to_owned())
}

/// A post out of something with a title: the title, what it says, and where to read it.
fn titled(name: Option<&str>, html: Option<&str>, page: &str) -> String {
    let mut out = String::new();
    if let Some(name) = name {
        out.push_str(&format!("<p><strong>{}</strong></p>", escape(name)));
    }
    if let Some(html) = html {
        out.push_str(&sanitise(&cut(html, MAX_CONTENT)));
    }
    let page = escape(page);
    out.push_str(&format!("<p><a href=\"{page}\">{page}</a></p>"));
    // Sanitised once more as a whole: the link gets the attributes that every link gets.
    sanitise(&out)
}

/// The flag, as it is called now and was before; a picture that has it; or the hashtag that stood for it.
fn is_sensitive(value: &Value) -> bool {
    let flagged = |value: &Value| ["sensitive", "as:sensitive"].iter().any(|key| flag(value, key) == Some(true));
    let tagged = |tag: &Value| {
        let name = tag.as_str().or_else(|| text(tag, "name").filter(|_| types(tag).any(|t| t == "Hashtag")));
        name.is_some_and(|name| name.trim_start_matches('#').eq_ignore_ascii_case("nsfw"))
    };
    flagged(value) || list(value, "attachment").any(flagged) || list(value, "tag").any(tagged)
}

/// A content warning is plain text, but some send it as HTML.
fn plain(text: &str) -> String {
    if !text.contains('<') && !text.contains('&') {
        return text.trim().to_owned();
    }
    crate::wire::to_plain(text)
}

fn mentions(value: &Value) -> Vec<ReceivedMention> {
    let mut all: Vec<ReceivedMention> = Vec::new();
    for tag in list(value, "tag").filter(|tag| types(tag).any(|t| t == "Mention")) {
        let Some(href) = tag.get("href").and_then(Value::as_str).and_then(web_address) else { continue };
        if all.len() < MAX_MENTIONS && !all.iter().any(|known| known.href == href) {
            let name = text(tag, "name").map(|name| cut(name, 600));
            all.push(ReceivedMention { href: href.to_owned(), name });
        }
    }
    all
}

fn hashtags(value: &Value) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for tag in list(value, "tag").filter(|tag| types(tag).any(|t| t == "Hashtag")) {
        let Some(name) = text(tag, "name") else { continue };
        let name = name.trim().trim_start_matches('#');
        let sound = !name.is_empty()
            && name.chars().count() <= 100
            && !name.chars().any(|c| c.is_whitespace() || c.is_control());
        let known = all.iter().any(|known| known.to_lowercase() == name.to_lowercase());
        if sound && !known && all.len() < MAX_TAGS {
            all.push(name.to_owned());
        }
    }
    all
}

fn attachments(value: &Value) -> Vec<ReceivedAttachment> {
    let mut all: Vec<ReceivedAttachment> = Vec::new();
    for media in list(value, "attachment").take(MAX_ATTACHMENTS) {
        let named = types(media).next();
        let url = media.get("url").or_else(|| media.get("href")).and_then(file_link);
        let Some(url) = url.or_else(|| media.get("href").and_then(file_link)) else { continue };
        let kind_name = match named {
            Some(kind @ ("Document" | "Image" | "Video" | "Audio")) => kind,
            // Without a type it is one all the same, if it is a file that can be shown.
            None if is_media(media, &url) => "Document",
            _ => continue,
        };
        if !all.iter().any(|known| known.url == url) {
            all.push(attachment(media, &url, kind_name));
        }
    }
    all
}

fn is_media(value: &Value, url: &str) -> bool {
    let kind = text(value, "mediaType").unwrap_or_else(|| mime_of_ending(url));
    ["image/", "video/", "audio/"].iter().any(|of| kind.starts_with(of))
}

/// The media that a picture, video or sound is itself.
fn own_media(value: &Value, kind: NoteKind) -> Option<ReceivedAttachment> {
    let wanted = match kind {
        NoteKind::Video => "video/",
        NoteKind::Audio => "audio/",
        _ => "image/",
    };
    let file = list(value, "url").find(|v| text(v, "mediaType").is_some_and(|t| t.starts_with(wanted)))?;
    let mut media = attachment(file, &file_link(file)?, "Document");
    media.description = said(value, "name", None).map(|name| cut(name, MAX_DESCRIPTION)).unwrap_or_default();
    media.preview_url = list(value, "icon").find_map(file_link);
    Some(media)
}

fn attachment(media: &Value, url: &str, kind_name: &str) -> ReceivedAttachment {
    let mime = text(media, "mediaType").map(|mime| cut(mime, 100).to_ascii_lowercase());
    let kind = match (&mime, kind_name) {
        (Some(mime), _) => AttachmentKind::from_mime(mime),
        (None, "Image") => AttachmentKind::Image,
        (None, "Video") => AttachmentKind::Video,
        (None, "Audio") => AttachmentKind::Audio,
        (None, _) => AttachmentKind::from_mime(mime_of_ending(url)),
    };
    let description = said(media, "name", None).or_else(|| said(media, "summary", None)).unwrap_or_default();
    ReceivedAttachment {
        url: url.to_owned(),
        kind,
        mime: mime.unwrap_or_else(|| mime_of_ending(url).to_owned()),
        description: cut(&plain(description), MAX_DESCRIPTION),
        blurhash: text(media, "blurhash")
            .filter(|hash| (6..=128).contains(&hash.len()) && hash.bytes().all(|b| BASE83.contains(&b)))
            .map(str::to_owned),
        focus: focus(media),
        width: pixels(media, "width"),
        height: pixels(media, "height"),
        preview_url: list(media, "icon").chain(list(media, "preview")).find_map(file_link),
    }
}

fn mime_of_ending(url: &str) -> &'static str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" => "audio/ogg",
        _ => "application/octet-stream",
    }
}

fn focus(media: &Value) -> Option<Focus> {
    let point = media.get("focalPoint")?.as_array()?;
    let coordinate = |i: usize| point.get(i)?.as_f64().filter(|n| (-1.0..=1.0).contains(n));
    Some(Focus { x: coordinate(0)?, y: coordinate(1)? })
}

fn poll(value: &Value) -> Option<ReceivedPoll> {
    let (multiple, options) = match (value.get("oneOf"), value.get("anyOf")) {
        (Some(one), _) if !one.is_null() => (false, one),
        (_, Some(any)) if !any.is_null() => (true, any),
        _ => return None,
    };
    let options: Vec<(String, i64)> = elements(options)
        .filter_map(|option| {
            let votes = option.get("replies").and_then(|r| r.get("totalItems")).and_then(Value::as_i64).unwrap_or(0);
            Some((cut(said(option, "name", None)?, 500), votes.max(0)))
        })
        .take(MAX_OPTIONS)
        .collect();
    let closed = value.get("closed").is_some_and(|c| c.as_bool() == Some(true) || c.is_string());
    let poll = ReceivedPoll {
        multiple,
        voters: value.get("votersCount").and_then(Value::as_i64).map(|n| n.max(0)),
        ends_at: time(value, "endTime").or_else(|| time(value, "closed")),
        closed,
        options,
    };
    (!poll.options.is_empty()).then_some(poll)
}
