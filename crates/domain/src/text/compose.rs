//! What a person typed → the HTML that other servers and apps expect, the way Mastodon writes it.
//!
//! Escapes exactly once: what was typed is never taken for HTML.

use std::collections::HashMap;

use super::escape_into;
use super::scan::{Entity, Kind, Scanned, Tag, collect, entities, ours_is_local};
use crate::account::{Account, Handle};
use crate::host::Host;
use crate::urls::Urls;

/// Links are shown without what comes before the name of the site, and this many characters long.
const SHOWN_LINK_CHARS: usize = 30;

/// Whom a mention means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MentionTarget {
    /// The page for people.
    pub url: String,
    pub username: String,
    /// `name` or `name@domain`; shown where one text mentions two people of one name.
    pub acct: String,
}

impl From<&Account> for MentionTarget {
    fn from(account: &Account) -> Self {
        Self { url: account.url.clone(), username: account.username.clone(), acct: account.acct() }
    }
}

/// A text made ready.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Composed {
    /// Safe HTML.
    pub html: String,
    pub tags: Vec<Tag>,
    /// Absolute addresses, for previews.
    pub links: Vec<String>,
    /// Names of custom emojis, without colons; they stay as typed in `html`.
    pub shortcodes: Vec<String>,
}

/// A post's text. `resolved` is asked for the handles of [`super::scan`], spelt as they are there; whoever it does
/// not know stays plain text.
#[must_use]
pub fn compose(source: &str, urls: &Urls, resolved: &dyn Fn(&Handle) -> Option<MentionTarget>) -> Composed {
    let found = entities(source);
    let html = paragraphs(&inline(source, &found, urls, resolved, ""));
    let Scanned { tags, links, shortcodes, .. } = collect(source, &found, urls);
    Composed { html, tags, links, shortcodes }
}

/// A profile's introduction → safe HTML.
#[must_use]
pub fn note(source: &str, urls: &Urls, resolved: &dyn Fn(&Handle) -> Option<MentionTarget>) -> String {
    paragraphs(&inline(source, &entities(source), urls, resolved, ""))
}

/// The value of a profile's row → safe HTML of one line, whose links say `rel="me"`.
#[must_use]
pub fn field(source: &str, urls: &Urls, resolved: &dyn Fn(&Handle) -> Option<MentionTarget>) -> String {
    inline(source, &entities(source), urls, resolved, "me ").replace('\n', " ").trim().to_owned()
}

/// Everything in HTML but paragraphs: newlines are kept.
fn inline(
    source: &str,
    found: &[Entity],
    urls: &Urls,
    resolved: &dyn Fn(&Handle) -> Option<MentionTarget>,
    rel: &str,
) -> String {
    // One person is asked for once, as first spelt, however often and in whatever case she is mentioned.
    let mut asked: HashMap<(String, Option<Host>), Option<MentionTarget>> = HashMap::new();
    let targets: Vec<Option<MentionTarget>> = found
        .iter()
        .map(|entity| match &entity.kind {
            Kind::Mention { handle, .. } => {
                let handle = ours_is_local(handle, urls);
                let who = (handle.username.to_lowercase(), handle.domain.clone());
                asked.entry(who).or_insert_with(|| resolved(&handle)).clone()
            }
            _ => None,
        })
        .collect();
    let shared_names = shared_names(&targets);
    let mut out = String::with_capacity(source.len() * 2);
    let mut from = 0;
    for (entity, target) in found.iter().zip(&targets) {
        escape_into(&mut out, &source[from..entity.range.start], false);
        from = entity.range.end;
        let typed = &source[entity.range.clone()];
        match (&entity.kind, target) {
            (Kind::Mention { .. }, Some(target)) => {
                let same_name = shared_names.get(&target.username.to_lowercase()).copied().unwrap_or(1) > 1;
                write_mention(&mut out, target, same_name);
            }
            (Kind::Mention { .. }, None) => escape_into(&mut out, typed, false),
            (Kind::Tag(tag), _) => write_tag(&mut out, tag, urls),
            (Kind::Link(href), _) => write_link(&mut out, href, typed, rel),
        }
    }
    escape_into(&mut out, &source[from..], false);
    out
}

/// How many different people each username stands for.
fn shared_names(targets: &[Option<MentionTarget>]) -> HashMap<String, usize> {
    let mut people: Vec<(String, &str)> =
        targets.iter().flatten().map(|t| (t.username.to_lowercase(), t.url.as_str())).collect();
    people.sort_unstable();
    people.dedup();
    let mut counts = HashMap::new();
    for (name, _) in people {
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}

fn write_mention(out: &mut String, target: &MentionTarget, same_name: bool) {
    let shown = if same_name { &target.acct } else { &target.username };
    out.push_str("<span class=\"h-card\" translate=\"no\"><a href=\"");
    escape_into(out, &target.url, true);
    out.push_str("\" class=\"u-url mention\">@<span>");
    escape_into(out, shown, false);
    out.push_str("</span></a></span>");
}

fn write_tag(out: &mut String, tag: &Tag, urls: &Urls) {
    out.push_str("<a href=\"");
    escape_into(out, &urls.tag(&tag.key), true);
    out.push_str("\" class=\"mention hashtag\" rel=\"tag\">#<span>");
    escape_into(out, &tag.name, false);
    out.push_str("</span></a>");
}

fn write_link(out: &mut String, href: &str, typed: &str, rel: &str) {
    out.push_str("<a href=\"");
    escape_into(out, href, true);
    out.push_str("\" rel=\"");
    out.push_str(rel);
    out.push_str("nofollow noopener noreferrer\" target=\"_blank\" translate=\"no\"><span class=\"invisible\">");
    let (prefix, shown) = typed.split_at(prefix_length(typed));
    escape_into(out, prefix, false);
    let cut = shown.char_indices().nth(SHOWN_LINK_CHARS).map(|(at, _)| at);
    out.push_str(if cut.is_some() { "</span><span class=\"ellipsis\">" } else { "</span><span>" });
    let (shown, rest) = shown.split_at(cut.unwrap_or(shown.len()));
    escape_into(out, shown, false);
    out.push_str("</span><span class=\"invisible\">");
    escape_into(out, rest, false);
    out.push_str("</span></a>");
}

/// The part that nobody reads: `https://` and `www.`.
fn prefix_length(typed: &str) -> usize {
    let starts = |at: usize, with: &str| {
        typed.as_bytes().get(at..at + with.len()).is_some_and(|s| s.eq_ignore_ascii_case(with.as_bytes()))
    };
    let scheme = ["https://", "http://"].iter().find(|scheme| starts(0, scheme)).map_or(0, |scheme| scheme.len());
    if starts(scheme, "www.") { scheme + 4 } else { scheme }
}

/// Blank lines part paragraphs, other newlines are line breaks. `inline` has none inside a tag.
fn paragraphs(inline: &str) -> String {
    let mut out = String::with_capacity(inline.len() + 16);
    let mut open = false;
    for line in inline.split('\n') {
        let line = line.trim_end();
        match (line.is_empty(), open) {
            (true, true) => {
                out.push_str("</p>");
                open = false;
            }
            (true, false) => {}
            (false, true) => {
                out.push_str("<br>");
                out.push_str(line);
            }
            (false, false) => {
                out.push_str("<p>");
                out.push_str(line.trim_start());
                open = true;
            }
        }
    }
    if open {
        out.push_str("</p>");
    }
    out
}
