//! Finds mentions, hashtags, links and `:shortcodes:` in what a person typed, by Mastodon's rules, so that the same
//! text means the same on both sides.
//!
//! Looks at each character a bounded number of times; resolves nothing and writes no HTML.

use std::collections::HashSet;
use std::ops::Range;

use linkify::{LinkFinder, LinkKind};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use url::Url;

use super::sanitise::SAFE_SCHEMES;
use crate::account::Handle;
use crate::host::Host;
use crate::urls::{Urls, as_typed, has_credentials};

/// Longer names are no mentions.
const MAX_NAME_BYTES: usize = 100;
/// The longest a domain name can be (RFC 1035).
const MAX_DOMAIN_BYTES: usize = 253;
/// Longer hashtags stay plain text.
const MAX_TAG_BYTES: usize = 300;
/// Longer addresses stay plain text.
const MAX_LINK_BYTES: usize = 4_096;
/// Longer shortcodes are none.
const MAX_SHORTCODE_BYTES: usize = 100;

/// A hashtag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Without `#`, as written.
    pub name: String,
    /// What two spellings of one tag share: NFKC and lower case.
    pub key: String,
}

impl Tag {
    /// Reads a hashtag's name, with or without the `#`. `None` when the whole of it is not one: letters, digits,
    /// underscores, inner middle dots, and not digits alone.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let name = name.strip_prefix(['#', '＃']).unwrap_or(name);
        (tag_length(name) == Some(name.len())).then(|| Self { key: tag_key(name), name: name.to_owned() })
    }
}

fn tag_key(name: &str) -> String {
    name.nfkc().collect::<String>().to_lowercase()
}

/// What a text holds, in the order of first appearance and without repetitions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scanned {
    /// Our own domain is left out: `domain` is `None` for members of this community.
    pub mentions: Vec<Handle>,
    pub tags: Vec<Tag>,
    /// Absolute addresses.
    pub links: Vec<String>,
    /// Names of custom emojis, without colons.
    pub shortcodes: Vec<String>,
}

/// Finds what a text refers to. Needed before [`super::compose`], so that unknown people can be looked up.
#[must_use]
pub fn scan(source: &str, urls: &Urls) -> Scanned {
    collect(source, &entities(source), urls)
}

pub(super) fn collect(source: &str, entities: &[Entity], urls: &Urls) -> Scanned {
    let mut scanned = Scanned { shortcodes: shortcodes(source), ..Scanned::default() };
    let mut seen_handles = HashSet::new();
    let mut seen_tags = HashSet::new();
    let mut seen_links = HashSet::new();
    for entity in entities {
        match &entity.kind {
            Kind::Mention { handle, .. } => {
                let handle = ours_is_local(handle, urls);
                if seen_handles.insert((handle.username.to_lowercase(), handle.domain.clone())) {
                    scanned.mentions.push(handle);
                }
            }
            Kind::Tag(tag) => {
                if seen_tags.insert(tag.key.as_str()) {
                    scanned.tags.push(tag.clone());
                }
            }
            Kind::Link(href) => {
                if seen_links.insert(href.as_str()) {
                    scanned.links.push(href.clone());
                }
            }
        }
    }
    scanned
}

/// The handle with our own domain left out.
pub(super) fn ours_is_local(handle: &Handle, urls: &Urls) -> Handle {
    Handle { username: handle.username.clone(), domain: handle.elsewhere(urls).cloned() }
}

/// Something found in a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entity {
    pub range: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// `short` is the length of `@name`.
    Mention {
        handle: Handle,
        short: usize,
    },
    Tag(Tag),
    /// The address to link to.
    Link(String),
}

/// Everything found, in order, without overlaps.
pub(super) fn entities(source: &str) -> Vec<Entity> {
    let mut found = Vec::new();
    let mut from = 0;
    for (range, href) in links(source) {
        names(source, from..range.start, &mut found);
        from = range.end;
        if let Some(href) = href {
            found.push(Entity { range, kind: Kind::Link(href) });
        }
    }
    names(source, from..source.len(), &mut found);
    found
}

/// Mentions and hashtags of a stretch without links.
fn names(source: &str, within: Range<usize>, found: &mut Vec<Entity>) {
    let mut at = within.start;
    while let Some(offset) = source[at..within.end].find(['@', '#', '＃']) {
        let start = at + offset;
        let rest = &source[start..within.end];
        let before = source[..start].chars().next_back();
        let entity = if rest.starts_with('@') { mention(rest, before) } else { hashtag(rest, before) };
        match entity {
            Some((length, kind)) => {
                at = start + length;
                found.push(Entity { range: start..at, kind });
            }
            None => at = start + rest.chars().next().map_or(1, char::len_utf8),
        }
    }
}

/// What Ruby's `[[:word:]]` means: letters, marks, digits, underscore.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
}

/// `rest` starts with `@`. The length of the whole and what it is.
fn mention(rest: &str, before: Option<char>) -> Option<(usize, Kind)> {
    if before.is_some_and(|c| is_word(c) || matches!(c, '/' | '=')) {
        return None;
    }
    let after_at = &rest[1..];
    let run = after_at.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')));
    let username = after_at[..run.unwrap_or(after_at.len())].trim_end_matches(['.', '-']);
    if username.is_empty() || username.len() > MAX_NAME_BYTES || username.starts_with(['.', '-']) {
        return None;
    }
    // Whatever follows: scripts without spaces go on at once (`@bobさん`).
    let short = 1 + username.len();
    let tail = &rest[short..];
    let local = Handle { username: username.to_owned(), domain: None };
    let Some(domain) = tail.strip_prefix('@') else {
        return Some((short, Kind::Mention { handle: local, short }));
    };
    let run = domain.find(|c: char| !(is_word(c) || matches!(c, '.' | '-')));
    let host = domain[..run.unwrap_or(domain.len())].trim_end_matches(['.', '-']);
    if host.is_empty() {
        return Some((short, Kind::Mention { handle: local, short }));
    }
    if host.len() > MAX_DOMAIN_BYTES {
        return None;
    }
    let port = port(&domain[host.len()..]);
    if !(host.contains('.') || host == "localhost" || port.is_some()) {
        return None;
    }
    let length = host.len() + port.unwrap_or(0);
    let domain = Host::parse(&domain[..length]).ok()?;
    Some((short + 1 + length, Kind::Mention { handle: Handle { domain: Some(domain), ..local }, short }))
}

/// `:4001` at the start: its length with the colon.
fn port(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(':')?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if digits[end..].starts_with(is_word) || end > 5 {
        return None;
    }
    digits[..end].parse().ok().filter(|n: &u16| *n > 0).map(|_| end + 1)
}

/// `rest` starts with `#`. The length of the whole and what it is.
fn hashtag(rest: &str, before: Option<char>) -> Option<(usize, Kind)> {
    if before.is_some_and(|c| is_word(c) || matches!(c, '/' | '=' | ')' | '&')) {
        return None;
    }
    let sign = rest.chars().next()?.len_utf8();
    let length = tag_length(&rest[sign..])?;
    let name = &rest[sign..sign + length];
    Some((sign + length, Kind::Tag(Tag { name: name.to_owned(), key: tag_key(name) })))
}

/// How much of the start of `text` is a hashtag's name.
fn tag_length(text: &str) -> Option<usize> {
    let mut end = 0;
    let mut has_letter_or_digit = false;
    // A letter anywhere, or a separator with something on both sides.
    let mut named = false;
    let mut separated = false;
    for (at, c) in text.char_indices() {
        let separator = matches!(c, '\u{b7}' | '\u{30fb}' | '\u{200c}');
        if !(separator || is_word(c)) || (at == 0 && (separator || is_combining_mark(c))) {
            break;
        }
        if separator || (c == '_' && at > 0) {
            separated = true;
        } else if c.is_alphanumeric() {
            has_letter_or_digit = true;
            named |= c.is_alphabetic() || separated;
        }
        if !separator {
            end = at + c.len_utf8();
        }
    }
    (named && has_letter_or_digit && end <= MAX_TAG_BYTES).then_some(end)
}

/// Schemes whose addresses have no `//`, and what such an address must hold.
const WITHOUT_SLASHES: [(&str, &str); 2] = [("xmpp:", "@"), ("magnet:?", "xt=")];

/// Where addresses are. `None` for one that is not linked, whose inside is still no mention or hashtag.
fn links(source: &str) -> Vec<(Range<usize>, Option<String>)> {
    if !source.contains(':') {
        return Vec::new();
    }
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_must_have_scheme(true);
    let mut found = Vec::new();
    let mut start = 0;
    for piece in source.split_inclusive(ends_link) {
        let text = piece.trim_end_matches(ends_link);
        if text.contains("://") {
            let shown = for_finder(text);
            found.extend(finder.links(&shown).filter_map(|link| {
                let typed = text[link.start()..link.end()].trim_end_matches('|');
                let typed = &typed[..after_host(typed)];
                let scheme = typed.split(':').next().unwrap_or_default().to_ascii_lowercase();
                let range = start + link.start()..start + link.start() + typed.len();
                SAFE_SCHEMES.contains(&scheme.as_str()).then(|| (range, href(typed)))
            }));
        } else if text.contains(':')
            && let Some(range) = without_slashes(text)
        {
            let address = text[range.clone()].to_owned();
            let linked = address.len() <= MAX_LINK_BYTES;
            found.push((start + range.start..start + range.end, linked.then_some(address)));
        }
        start += piece.len();
    }
    found
}

/// As the finder of links is shown a text, with everything at the same place. It ends at `|`, which stands in queries,
/// and finds nothing where a host goes on with what cannot be in one.
fn for_finder(text: &str) -> String {
    let mut shown = text.replace('|', "~");
    for (at, _) in text.match_indices("://") {
        let end = at + after_host(&text[at..]);
        if !text[end..].starts_with(['/', '?', '#']) && text.as_bytes().get(end).is_some_and(u8::is_ascii) {
            shown.replace_range(end..=end, " ");
        }
    }
    shown
}

/// The length of an address, which ends with its host where something stands behind that which can neither be in a host
/// nor end one: what is left must not be another host, which a stranger may own.
fn after_host(typed: &str) -> usize {
    let Some(host) = typed.find("://").map(|at| at + 3) else { return typed.len() };
    let in_host = |c: char| is_word(c) || matches!(c, '.' | '-' | ':' | '[' | ']' | '@' | '%') || is_symbol(c);
    match typed[host..].find(|c| !in_host(c)) {
        Some(end) if !typed[host + end..].starts_with(['/', '?', '#']) => {
            typed[..host + end].trim_end_matches(['.', '-', ':', '@', '%']).len()
        }
        _ => typed.len(),
    }
}

/// Beyond letters, there are hosts of emojis. Punctuation of any script is not among them.
fn is_symbol(c: char) -> bool {
    !c.is_ascii()
        && !matches!(c, '\u{a0}'..='\u{bf}' | '\u{2000}'..='\u{206f}' | '\u{2e00}'..='\u{2e7f}'
            | '\u{3000}'..='\u{303f}' | '\u{fe10}'..='\u{fe1f}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff65}')
}

/// An `xmpp:` or `magnet:` address.
fn without_slashes(text: &str) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    WITHOUT_SLASHES.iter().find_map(|(scheme, holds)| {
        let start = lower.find(scheme)?;
        let begins = text[..start].chars().next_back().is_none_or(|c| matches!(c, '(' | '[' | '{' | '"' | '\'' | '<'));
        let address = text[start..].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '"', ')', ']', '}', '>']);
        let whole = address.len() > scheme.len() && address[scheme.len()..].contains(holds) && !address.ends_with('@');
        (begins && whole).then(|| start..start + address.len())
    })
}

/// Characters that no address goes across although RFC 3987 would let some: spaces, quotation marks, dashes and
/// ellipses of typography, and the punctuation of scripts that write no spaces.
fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        || matches!(c, '\u{2012}'..='\u{201f}' | '\u{2024}'..='\u{2027}' | '\u{2039}' | '\u{203a}' | '«' | '»')
        || matches!(c, '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}')
        || matches!(c, '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
        || matches!(c, '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
}

fn href(typed: &str) -> Option<String> {
    if typed.len() > MAX_LINK_BYTES {
        return None;
    }
    let url = Url::parse(typed).ok()?;
    if has_credentials(&url) || url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    Some(as_typed(typed, url))
}

/// Names of custom emojis in a text, each once, without colons: two or more of `a-z A-Z 0-9 _` between colons that
/// no letter, digit or colon touches.
#[must_use]
pub fn shortcodes(text: &str) -> Vec<String> {
    let outside = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == ':'));
    let mut found: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find(':') {
        let open = at + offset;
        let name_start = open + 1;
        let length = text[name_start..]
            .bytes()
            .take(MAX_SHORTCODE_BYTES)
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
            .count();
        let close = name_start + length;
        at = name_start;
        if !(2..=MAX_SHORTCODE_BYTES).contains(&length) || !text[close..].starts_with(':') {
            continue;
        }
        if outside(text[..open].chars().next_back()) && outside(text[close + 1..].chars().next()) {
            let name = &text[name_start..close];
            if seen.insert(name) {
                found.push(name.to_owned());
            }
            at = close + 1;
        } else {
            // This colon may open the next one.
            at = close;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found, each as it stands in the text; a mention as the handle that is meant.
    fn found(source: &str) -> Vec<String> {
        let each = entities(source).into_iter().map(|entity| match entity.kind {
            Kind::Mention { handle, .. } => match handle.domain {
                Some(domain) => format!("{}@{domain}", handle.username),
                None => handle.username,
            },
            Kind::Tag(_) | Kind::Link(_) => source[entity.range].to_owned(),
        });
        each.collect()
    }

    #[test]
    fn names_hosts_tags_and_links_end_at_their_bounds() {
        let host = format!("{0}.{0}.{0}.{1}", "h".repeat(63), "h".repeat(61));
        assert_eq!(host.len(), MAX_DOMAIN_BYTES);
        let link = |bytes: usize| format!("https://x.example/{}", "y".repeat(bytes - "https://x.example/".len()));
        for (text, bound, what) in [
            ("n".repeat(MAX_NAME_BYTES), format!("@{}", "n".repeat(MAX_NAME_BYTES)), "a name"),
            (format!("bob@{host}"), format!("@bob@{host}"), "a host"),
            (format!("#{}", "t".repeat(MAX_TAG_BYTES)), format!("#{}", "t".repeat(MAX_TAG_BYTES)), "a tag"),
            (link(MAX_LINK_BYTES), link(MAX_LINK_BYTES), "a link"),
        ] {
            assert_eq!(found(&bound), [text], "{what}");
            assert_eq!(found(&format!("{bound}x")), Vec::<String>::new(), "{what} that is too long");
        }
    }

    #[test]
    fn a_port_is_one_to_five_digits_and_ends_there() {
        for (source, handle) in [
            ("@bob@x.example:8443", "bob@x.example:8443"),
            ("@bob@localhost:65535", "bob@localhost:65535"),
            ("@bob@x.example:80a", "bob@x.example"),
            ("@bob@x.example:0", "bob@x.example"),
            ("@bob@x.example:65536", "bob@x.example"),
            ("@bob@x.example:008080", "bob@x.example"),
            ("@bob@x.example:", "bob@x.example"),
        ] {
            assert_eq!(found(source), [handle], "{source}");
        }
    }

    #[test]
    fn a_tag_of_digits_needs_a_separator_between_them() {
        for (source, tags) in [
            ("#1_1", vec!["#1_1"]),
            ("#_1", vec![]),
            ("#_a", vec!["#_a"]),
            ("#1\u{30fb}2", vec!["#1\u{30fb}2"]),
            ("#12", vec![]),
            ("#a\u{b7}", vec!["#a"]),
        ] {
            assert_eq!(found(source), tags, "{source}");
        }
    }

    #[test]
    fn a_link_ends_where_a_sentence_or_a_trick_begins() {
        let invisible = "\u{200b}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}";
        let visible = "“”„«»…\u{3001}\u{3002}\u{300a}！，：；？（）\u{85} ";
        for c in invisible.chars().chain(visible.chars()) {
            assert_eq!(found(&format!("https://x.example/a{c}b")), ["https://x.example/a"], "{c:?}");
        }
        assert_eq!(found("https://x.example/aéb"), ["https://x.example/aéb"]);
    }

    #[test]
    fn a_host_ends_where_it_must() {
        for (source, link) in [
            ("https://maple.example’s garden", "https://maple.example"),
            ("https://maple.example's", "https://maple.example"),
            ("https://maple.example‘s", "https://maple.example"),
            ("https://maple.example—the best", "https://maple.example"),
            ("https://maple.example–and so on", "https://maple.example"),
            ("https://maple.example…", "https://maple.example"),
            ("https://maple.example!", "https://maple.example"),
            ("https://maple.example‐evil.example", "https://maple.example"),
            ("https://maple.example）です", "https://maple.example"),
            ("https://maple.example。", "https://maple.example"),
            ("https://maple.example*b*", "https://maple.example"),
            ("https://maple.example:8443/a’s", "https://maple.example:8443/a"),
            ("https://tränke.example/ü", "https://tränke.example/ü"),
            ("https://🍵.example/", "https://🍵.example/"),
            ("https://maple.example?q=a|b", "https://maple.example?q=a|b"),
            ("https://maple.example/a|b|c/d, and", "https://maple.example/a|b|c/d"),
            ("|https://maple.example/a|", "https://maple.example/a"),
        ] {
            assert_eq!(found(source), [link], "{source}");
        }
        for source in ["https://’s", "https://|", "https://-"] {
            assert_eq!(found(source), Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn some_addresses_have_no_slashes() {
        for (source, link) in [
            ("write to xmpp:dana@maple.example.", "xmpp:dana@maple.example"),
            ("(XMPP:room@chat.maple.example?join)", "XMPP:room@chat.maple.example?join"),
            (
                "magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a&dn=x",
                "magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a&dn=x",
            ),
        ] {
            assert_eq!(found(source), [link], "{source}");
        }
        for source in ["xmpp:", "axmpp:dana@x.example", "magnet:", "magnet:?dn=x", "a magnet: strong", "xmpp:dana@"] {
            assert!(found(source).iter().all(|what| !what.contains("xmpp:") && !what.contains("magnet:")), "{source}");
        }
    }

    #[test]
    fn a_name_may_go_on_in_another_script() {
        for (source, names) in [
            ("@bobさん", vec!["bob"]),
            ("@bobですか", vec!["bob"]),
            ("@bob님 안녕", vec!["bob"]),
            ("你好@bob你好", vec![]),
            ("@bob的猫和@priya的狗", vec!["bob"]),
            ("「@bob」", vec!["bob"]),
            ("@bobé", vec!["bob"]),
            ("@bob@maple.example、", vec!["bob@maple.example"]),
        ] {
            assert_eq!(found(source), names, "{source}");
        }
    }

    #[test]
    fn shortcodes_do_not_share_a_colon_and_have_a_bound() {
        assert_eq!(shortcodes(":a_:_c:"), ["a_"]);
        let longest = "e".repeat(MAX_SHORTCODE_BYTES);
        assert_eq!(shortcodes(&format!(":{longest}:")), [longest.as_str()]);
        assert!(shortcodes(&format!(":{longest}e:")).is_empty());
    }
}
