//! HTML from elsewhere → HTML that may stand in our pages: Mastodon's elements, and nothing that runs, loads or hides.
//!
//! Two steps. The first writes the input anew from its tokens: known elements only, closed in order, nested to a
//! depth, so that the parser of the second cannot be made to build a deep or a large tree (elements of formatting
//! that are left open are copied into every paragraph that follows). The second, ammonia, has the last word on what
//! is safe; it relies on nothing that the first did.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

use super::clean::is_clean;
use super::escape_into;
use super::html::{Attribute, Token, Tokens, decode};

/// What links may start with.
pub const SAFE_SCHEMES: &[&str] =
    &["http", "https", "dat", "dweb", "gemini", "gopher", "ipfs", "ipns", "magnet", "mailto", "ssb", "xmpp"];

/// Elements nested deeper lose their tags and keep their text.
const MAX_DEPTH: usize = 24;
/// Longer attributes are left out, and with it a link whose address it is.
const MAX_ATTRIBUTE_BYTES: usize = 4_096;
/// Longer texts are handed over in pieces, parted by comments that are then left out: html5ever's serialiser takes
/// time quadratic in the length of one text.
const MAX_TEXT_BYTES: usize = 2_048;
const TAGS: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "rp",
    "rt",
    "ruby",
    "s",
    "span",
    "strong",
    "u",
    "ul",
];
/// Classes that apps give a meaning to: microformats of mentions, shortened links, the line that quotes fall back to.
const CLASSES: &[&str] =
    &["ellipsis", "h-card", "hashtag", "invisible", "mention", "p-author", "p-name", "quote-inline", "u-uid", "u-url"];
const REL: &str = "nofollow noopener noreferrer";
const REL_TAG: &str = "tag nofollow noopener noreferrer";
const REL_ME: &str = "me nofollow noopener noreferrer";

/// Safe HTML of any HTML; what is past the first 512 KiB is left out. Links open elsewhere and give nothing away
/// (`rel`, `target`); headings become bold paragraphs; other blocks become line breaks.
#[must_use]
pub fn sanitise(html: &str) -> String {
    let mut rewriter = Rewriter { out: String::with_capacity(html.len() + 64), ..Rewriter::default() };
    for token in Tokens::new(html) {
        match token {
            Token::Text(raw) => rewriter.text(raw),
            Token::Open { name, attributes } => rewriter.open(&name, &attributes),
            Token::Close { name } => rewriter.close(&name),
        }
    }
    rewriter.close_down_to(0);
    CLEANER.clean(&rewriter.out).to_string()
}

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let set = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    let mut cleaner = Builder::empty();
    cleaner
        .tags(set(TAGS))
        .clean_content_tags(set(&["script", "style"]))
        .tag_attributes(HashMap::from([
            ("a", set(&["href", "rel", "translate"])),
            ("span", set(&["translate"])),
            ("ol", set(&["start", "reversed"])),
            ("li", set(&["value"])),
        ]))
        .allowed_classes(["a", "span", "p"].map(|tag| (tag, set(CLASSES))).into())
        .set_tag_attribute_value("a", "target", "_blank")
        .url_schemes(set(SAFE_SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(None)
        .attribute_filter(|tag, attribute, value| match (tag, attribute) {
            ("a", "rel") => Some(Cow::Borrowed(rel(value))),
            (_, "translate") => (value == "no").then_some(Cow::Borrowed("no")),
            ("ol", "start") | ("li", "value") => value.parse::<i32>().is_ok().then_some(Cow::Borrowed(value)),
            _ => Some(Cow::Borrowed(value)),
        });
    cleaner
});

fn rel(said: &str) -> &'static str {
    let says = |word: &str| said.split_ascii_whitespace().any(|s| s.eq_ignore_ascii_case(word));
    if says("tag") {
        REL_TAG
    } else if says("me") {
        REL_ME
    } else {
        REL
    }
}

/// What becomes of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Inline(&'static str),
    /// Ends a paragraph that is open.
    Block(&'static str),
    Heading,
    LineBreak,
    /// A block that is not kept: apart from what is before and after.
    Apart,
    /// A cell that is not kept: a space.
    Space,
    /// Only its text stays.
    Gone,
}

fn fate(name: &str) -> Fate {
    match name {
        "p" => Fate::Block("p"),
        "blockquote" => Fate::Block("blockquote"),
        "ul" => Fate::Block("ul"),
        "ol" => Fate::Block("ol"),
        "li" => Fate::Block("li"),
        "pre" => Fate::Block("pre"),
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Fate::Heading,
        "a" => Fate::Inline("a"),
        "b" => Fate::Inline("b"),
        "code" => Fate::Inline("code"),
        "del" | "strike" => Fate::Inline("del"),
        "em" => Fate::Inline("em"),
        "i" => Fate::Inline("i"),
        "rp" => Fate::Inline("rp"),
        "rt" => Fate::Inline("rt"),
        "ruby" => Fate::Inline("ruby"),
        "s" => Fate::Inline("s"),
        "span" => Fate::Inline("span"),
        "strong" => Fate::Inline("strong"),
        "u" | "ins" => Fate::Inline("u"),
        "br" => Fate::LineBreak,
        "td" | "th" => Fate::Space,
        "address" | "article" | "aside" | "center" | "dd" | "details" | "div" | "dl" | "dt" | "figcaption"
        | "figure" | "footer" | "form" | "header" | "hr" | "main" | "nav" | "section" | "summary" | "table" | "tr" => {
            Fate::Apart
        }
        _ => Fate::Gone,
    }
}

/// What a heading is called on the stack.
const HEADING: &str = "heading";

/// How many elements are written for it, one in the other.
fn levels(tag: &str) -> usize {
    if tag == HEADING { 2 } else { 1 }
}

#[derive(Default)]
struct Rewriter {
    out: String,
    /// Names of the open elements; never deeper than [`MAX_DEPTH`].
    stack: Vec<&'static str>,
    /// Something was written since the last block began or ended.
    inline: bool,
    /// A line break is due before the next text.
    break_due: bool,
}

impl Rewriter {
    fn text(&mut self, raw: &str) {
        // A parser leaves out the first newline there; leaving out all of them makes the result stable.
        let begins_pre = self.out.ends_with("<pre>");
        let raw = if begins_pre { raw.trim_start_matches(['\r', '\n']) } else { raw };
        if raw.bytes().all(|b| b.is_ascii_whitespace()) {
            // CR and form feed are white space to a parser, and nothing that we keep.
            self.out.extend(raw.chars().map(|c| if is_clean(c) { c } else { ' ' }));
            return;
        }
        self.before_inline();
        let text = decode(raw, false);
        let mut rest = text.as_ref();
        if begins_pre {
            // Those that were written as entities, or stood behind what is left out.
            rest = rest.trim_start_matches(|c| c == '\n' || !is_clean(c));
        }
        while rest.len() > MAX_TEXT_BYTES {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(MAX_TEXT_BYTES));
            escape_into(&mut self.out, piece, false);
            self.out.push_str("<!---->");
            rest = after;
        }
        escape_into(&mut self.out, rest, false);
    }

    fn before_inline(&mut self) {
        if self.break_due {
            self.out.push_str("<br>");
        }
        self.break_due = false;
        self.inline = true;
    }

    fn apart(&mut self) {
        self.break_due |= self.inline;
    }

    /// A block begins or ends here.
    fn boundary(&mut self) {
        self.break_due = false;
        self.inline = false;
    }

    fn open(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        match fate(name) {
            Fate::Block(tag) => self.open_block(tag, attributes),
            Fate::Heading => self.open_block(HEADING, &[]),
            Fate::Inline(tag) => self.open_inline(tag, attributes),
            Fate::LineBreak => {
                self.before_inline();
                self.out.push_str("<br>");
            }
            Fate::Apart => self.apart(),
            Fate::Space => self.out.push(' '),
            Fate::Gone => {}
        }
    }

    fn depth(&self) -> usize {
        self.stack.iter().map(|tag| levels(tag)).sum()
    }

    fn open_block(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        // A paragraph ends where a block begins, unless something inside it holds blocks; an item where another does.
        self.close_innermost(&["blockquote", "li", "ul", "ol", "p", "pre", HEADING], &["p", "pre", HEADING]);
        if tag == "li" {
            self.close_innermost(&["li", "ul", "ol"], &["li"]);
        }
        if self.depth() + levels(tag) > MAX_DEPTH {
            self.apart();
            return;
        }
        self.boundary();
        self.stack.push(tag);
        if tag == HEADING {
            self.out.push_str("<p><strong>");
        } else {
            self.start_tag(tag, attributes);
        }
    }

    fn open_inline(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        if tag == "a" {
            if let Some(at) = self.stack.iter().rposition(|open| *open == "a") {
                self.close_down_to(at);
            }
            if !attributes.iter().any(|a| a.name == "href" && safe_address(a).is_some()) {
                return;
            }
        }
        if self.depth() + levels(tag) > MAX_DEPTH {
            return;
        }
        self.before_inline();
        self.stack.push(tag);
        self.start_tag(tag, attributes);
    }

    fn start_tag(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.out.push_str(tag);
        let mut written: Vec<&str> = Vec::new();
        for attribute in attributes {
            let name = attribute.name.as_ref();
            if written.contains(&name) || attribute.raw.len() > MAX_ATTRIBUTE_BYTES {
                continue;
            }
            // What the second step would take out must not get there: it moves the last attribute to the gap, and the
            // result would read otherwise when it is sanitised again.
            let value = match (tag, name) {
                ("a", "href") => safe_address(attribute),
                ("a" | "span" | "p", "class") => known_classes(&decode(attribute.raw, true)),
                ("a" | "span", "translate") => (decode(attribute.raw, true) == "no").then_some(Cow::Borrowed("no")),
                ("ol", "reversed") => Some(Cow::Borrowed("")),
                ("ol", "start") | ("li", "value") => {
                    decode(attribute.raw, true).parse::<i32>().ok().map(|n| Cow::Owned(n.to_string()))
                }
                _ => None,
            };
            let Some(value) = value else { continue };
            written.push(name);
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape_into(&mut self.out, &value, true);
            self.out.push('"');
        }
        if tag == "a" {
            let said = attributes.iter().find(|a| a.name == "rel").map_or("", |a| a.raw);
            self.out.push_str(" rel=\"");
            self.out.push_str(rel(said));
            self.out.push('"');
        }
        self.out.push('>');
    }

    fn close(&mut self, name: &str) {
        let tag = match fate(name) {
            Fate::Block(tag) | Fate::Inline(tag) => tag,
            Fate::Heading => HEADING,
            Fate::Apart => return self.apart(),
            Fate::LineBreak | Fate::Space | Fate::Gone => return,
        };
        if let Some(at) = self.stack.iter().rposition(|open| *open == tag) {
            self.close_down_to(at);
        }
    }

    /// Closes the innermost open one of these elements, and what is in it, if it is one of those that end.
    fn close_innermost(&mut self, among: &[&str], ending: &[&str]) {
        if let Some(at) = self.stack.iter().rposition(|open| among.contains(open))
            && ending.contains(&self.stack[at])
        {
            self.close_down_to(at);
        }
    }

    fn close_down_to(&mut self, depth: usize) {
        while self.stack.len() > depth {
            let Some(tag) = self.stack.pop() else { return };
            if tag == HEADING {
                self.out.push_str("</strong></p>");
            } else {
                self.out.push_str("</");
                self.out.push_str(tag);
                self.out.push('>');
            }
            if matches!(tag, "p" | "blockquote" | "ul" | "ol" | "li" | "pre" | HEADING) {
                self.boundary();
            }
        }
    }
}

/// Those of its classes that apps give a meaning to.
fn known_classes<'a>(all: &str) -> Option<Cow<'a, str>> {
    let known: Vec<&str> = all.split_ascii_whitespace().filter(|class| CLASSES.contains(class)).collect();
    (!known.is_empty()).then(|| Cow::Owned(known.join(" ")))
}

/// An absolute address of a scheme that we link to.
fn safe_address<'a>(attribute: &Attribute<'a>) -> Option<Cow<'a, str>> {
    if attribute.raw.len() > MAX_ATTRIBUTE_BYTES {
        return None;
    }
    let address = match decode(attribute.raw, true) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    let url = Url::parse(&address).ok()?;
    if !SAFE_SCHEMES.contains(&url.scheme()) {
        return None;
    }
    // The parser leaves out newlines and tabs, and reads `\` as `/`.
    let plain = address.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '\\');
    Some(if plain { address } else { Cow::Owned(url.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_has_its_fate() {
        for (from, to) in [
            ("b", "b"),
            ("code", "code"),
            ("del", "del"),
            ("strike", "del"),
            ("em", "em"),
            ("i", "i"),
            ("s", "s"),
            ("span", "span"),
            ("strong", "strong"),
            ("u", "u"),
            ("ins", "u"),
        ] {
            assert_eq!(sanitise(&format!("a<{from}>x</{from}>b")), format!("a<{to}>x</{to}>b"), "{from}");
        }
        for block in ["p", "blockquote", "pre"] {
            assert_eq!(sanitise(&format!("<{block}>x</{block}>")), format!("<{block}>x</{block}>"));
        }
        for heading in ["h1", "h2", "h3", "h4", "h5", "h6"] {
            assert_eq!(sanitise(&format!("<{heading}>x</{heading}>")), "<p><strong>x</strong></p>");
        }
        let apart = "address article aside center dd details div dl dt figcaption figure footer form header main nav \
                     section summary table tr";
        for name in apart.split_whitespace() {
            assert_eq!(sanitise(&format!("a<{name}>x</{name}>b")), "a<br>x<br>b", "{name}");
        }
        assert_eq!(sanitise("a<hr>b<br>c"), "a<br>b<br>c");
        assert_eq!(sanitise("a<tr><td>b</td><th>c</th></tr>d"), "a <br>b c<br>d");
        assert_eq!(
            sanitise("<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby>"),
            "<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby>"
        );
        assert_eq!(sanitise("a<blink>b</blink>c"), "abc");
    }

    #[test]
    fn blocks_end_where_others_begin() {
        for (html, safe) in [
            ("<h1>a<p>b", "<p><strong>a</strong></p><p>b</p>"),
            ("<blockquote><h1>a<p>b</blockquote>c", "<blockquote><p><strong>a</strong></p><p>b</p></blockquote>c"),
            ("<ul><li><b>a<li>c</ul>", "<ul><li><b>a</b></li><li>c</li></ul>"),
            ("<ul><li><b>a<ol><li>c</ol>d", "<ul><li><b>a<ol><li>c</li></ol>d</b></li></ul>"),
            ("<ol><li>a<blockquote><p>b<li>c", "<ol><li>a<blockquote><p>b</p></blockquote></li><li>c</li></ol>"),
        ] {
            assert_eq!(sanitise(html), safe, "{html}");
        }
    }

    /// A heading is two elements: read again, it must not be too deep.
    #[test]
    fn depth_is_counted_as_it_is_written() {
        let nested = |outer: usize, inner: &str| format!("{}{inner}", "<b>".repeat(outer));
        for inner in ["<h1>x", "<p>x", "<i>x", "<h1><i>x", "<blockquote><h2><i>x"] {
            for outer in MAX_DEPTH - 5..=MAX_DEPTH {
                let safe = sanitise(&nested(outer, inner));
                assert_eq!(sanitise(&safe), safe, "{inner} in {outer}");
            }
        }
        assert!(sanitise(&nested(MAX_DEPTH - 2, "<h1>x")).contains("<p><strong>x</strong></p>"));
        assert!(!sanitise(&nested(MAX_DEPTH - 1, "<h1>x")).contains("<strong>"));
        assert!(sanitise(&nested(MAX_DEPTH - 1, "<i>x")).contains("<i>x</i>"));
    }

    #[test]
    fn attributes_are_bounded_and_addresses_are_what_they_lead_to() {
        let class = |bytes: usize| format!("mention{}", " ".repeat(bytes - "mention".len()));
        assert!(sanitise(&format!("<span class=\"{}\">x</span>", class(MAX_ATTRIBUTE_BYTES))).contains("mention"));
        assert!(!sanitise(&format!("<span class=\"{}\">x</span>", class(MAX_ATTRIBUTE_BYTES + 1))).contains("mention"));
        let link = |bytes: usize| format!("https://x.example/{}", "y".repeat(bytes - "https://x.example/".len()));
        assert!(sanitise(&format!("<a href={}>x</a>", link(MAX_ATTRIBUTE_BYTES))).contains("<a"));
        assert_eq!(sanitise(&format!("<a href={}>x</a>", link(MAX_ATTRIBUTE_BYTES + 1))), "x");
        for (href, kept) in [
            (" https://X.example/é ", "https://X.example/é"),
            ("https://x.example/a&#10;b", "https://x.example/ab"),
            ("https://x.example/a b", "https://x.example/a%20b"),
            ("https://x.example/a&#x1b;b", "https://x.example/a%1Bb"),
            ("https://x.example\\@y.example", "https://x.example/@y.example"),
        ] {
            let made = sanitise(&format!("<a href=\"{href}\">x</a>"));
            assert!(made.starts_with(&format!("<a href=\"{kept}\" ")), "{href}: {made}");
        }
        let two = sanitise("<a href=\"https://x.example/\" href=\"https://y.example/\">x</a>");
        assert!(two.contains("x.example") && !two.contains("y.example"), "{two}");
    }

    /// The parser behind takes time that grows with the square of a text's length.
    #[test]
    fn a_long_text_is_given_to_the_cleaner_in_pieces() {
        for (bytes, cuts) in [(MAX_TEXT_BYTES, 0), (MAX_TEXT_BYTES + 1, 1), (2 * MAX_TEXT_BYTES + 1, 2)] {
            let text = "x".repeat(bytes);
            let mut rewriter = Rewriter::default();
            rewriter.text(&text);
            assert_eq!(rewriter.out.matches("<!---->").count(), cuts, "{bytes}");
            assert_eq!(sanitise(&text), text);
        }
    }

    /// What the rewriter would let through by a mistake: the cleaner behind it lets through nothing but what is ours.
    #[test]
    fn the_cleaner_alone_keeps_links_harmless() {
        for (html, safe) in [
            (
                "<a href=\"https://x.example/\" rel=\"opener me\" translate=\"yes\" onclick=\"x\">x</a>",
                "<a href=\"https://x.example/\" rel=\"me nofollow noopener noreferrer\" target=\"_blank\">x</a>",
            ),
            (
                "<a href=\"javascript:x\" rel=\"\">x</a>",
                "<a rel=\"nofollow noopener noreferrer\" target=\"_blank\">x</a>",
            ),
            (
                "<span class=\"mention big\" translate=\"no\">x</span>",
                "<span class=\"mention\" translate=\"no\">x</span>",
            ),
            ("<ol start=\"x\"><li value=\"2\">x</li></ol>", "<ol><li value=\"2\">x</li></ol>"),
            ("<script>x</script><b>y</b><img src=\"https://x.example/\">", "<b>y</b>"),
        ] {
            assert_eq!(CLEANER.clean(html).to_string(), safe);
        }
    }
}
