//! Cuts HTML into tags and text, for [`super::sanitise`] and [`super::plain`].
//!
//! Builds no tree and reads each byte a bounded number of times, so neither depth nor size can hurt. It need not
//! agree with browsers on broken HTML: what is shown is always written anew from its tokens.

use std::borrow::Cow;

use html5ever::data::NAMED_ENTITIES;

/// What comes after this many bytes is not read: the longest articles have about a fifth of it.
pub(super) const MAX_BYTES: usize = 512 * 1024;
/// Attributes after this many are not read.
const MAX_ATTRIBUTES: usize = 16;
/// The longest entity name of HTML, `CounterClockwiseContourIntegral;`.
const MAX_ENTITY_BYTES: usize = 32;
/// The longest entity name that may lack its semicolon, such as `Aacute`.
const MAX_BARE_ENTITY_BYTES: usize = 6;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// With entities as they were.
    Text(&'a str),
    /// The name is in lower case.
    Open {
        name: Cow<'a, str>,
        attributes: Vec<Attribute<'a>>,
    },
    Close {
        name: Cow<'a, str>,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    /// In lower case.
    pub name: Cow<'a, str>,
    /// With entities as they were.
    pub raw: &'a str,
}

/// Iterates over the tokens. Comments, declarations and what is inside scripts, styles, forms' controls, embedded
/// players and foreign markup never come out.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// An element whose content is left out, and how many of its name are open.
    dropping: Option<(Cow<'a, str>, usize)>,
}

/// Their content is text to the parser, until their end tag.
const RAW: &[&str] = &["script", "style", "iframe", "noembed", "noframes", "xmp", "textarea", "title", "plaintext"];
/// Their content is markup, but none of ours.
const FOREIGN: &[&str] =
    &["svg", "math", "template", "object", "applet", "select", "datalist", "video", "audio", "canvas", "head"];

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        let end = if html.len() <= MAX_BYTES { html.len() } else { html.floor_char_boundary(MAX_BYTES) };
        Self { rest: &html[..end], dropping: None }
    }

    /// The next token, of whatever kind and wherever it is.
    fn any(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let bytes = self.rest.as_bytes();
            if bytes[0] != b'<' {
                return Some(self.text(0));
            }
            match bytes.get(1) {
                Some(b'!') if self.rest.starts_with("<!--") => self.skip_past("-->", 2),
                Some(b'!' | b'?') => self.skip_past(">", 1),
                Some(b'/') => match bytes.get(2) {
                    Some(b) if b.is_ascii_alphabetic() => {
                        let (name, _, _) = self.tag(2)?;
                        return Some(Token::Close { name });
                    }
                    _ => self.skip_past(">", 1),
                },
                Some(b) if b.is_ascii_alphabetic() => {
                    let (name, attributes, closed) = self.tag(1)?;
                    if RAW.contains(&name.as_ref()) {
                        self.skip_raw(&name);
                        continue;
                    }
                    if closed && matches!(name.as_ref(), "svg" | "math") {
                        continue;
                    }
                    return Some(Token::Open { name, attributes });
                }
                _ => return Some(self.text(1)),
            }
        }
    }

    /// Text up to the next `<`, of which the first `at_least` bytes are surely text.
    fn text(&mut self, at_least: usize) -> Token<'a> {
        let end = self.rest[at_least..].find('<').map_or(self.rest.len(), |at| at_least + at);
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Token::Text(text)
    }

    fn skip_past(&mut self, end: &str, from: usize) {
        self.rest = self.rest[from..].find(end).map_or("", |at| &self.rest[from + at + end.len()..]);
    }

    fn skip_raw(&mut self, name: &str) {
        loop {
            let Some(at) = self.rest.find("</") else {
                self.rest = "";
                return;
            };
            self.rest = &self.rest[at + 2..];
            let matches =
                self.rest.as_bytes().get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
            let after = self.rest.as_bytes().get(name.len());
            if matches && after.is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>')) {
                self.skip_past(">", 0);
                return;
            }
        }
    }

    /// Reads a tag whose name starts at `from`: name, attributes, and whether it closes itself. `None` when it
    /// never ends; then nothing is left either.
    fn tag(&mut self, from: usize) -> Option<(Cow<'a, str>, Vec<Attribute<'a>>, bool)> {
        let rest = self.rest;
        let bytes = rest.as_bytes();
        let until = |from: usize, stop: &dyn Fn(u8) -> bool| {
            bytes[from..].iter().position(|b| stop(*b)).map_or(bytes.len(), |at| from + at)
        };
        let after_name = until(from, &|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'));
        let name = lower(&rest[from..after_name]);
        let mut attributes = Vec::new();
        let mut at = after_name;
        self.rest = "";
        loop {
            let start = until(at, &|b| !b.is_ascii_whitespace() && b != b'/');
            let closed = bytes[start - 1] == b'/';
            match bytes.get(start) {
                None => return None,
                Some(b'>') => {
                    self.rest = &rest[start + 1..];
                    return Some((name, attributes, closed));
                }
                Some(_) => {}
            }
            // The first character belongs to the name, even `=`. It may be of several bytes, none of which is ASCII.
            let name_end = until(start + 1, &|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'='));
            let mut value = name_end..name_end;
            at = name_end;
            let equals = until(name_end, &|b| !b.is_ascii_whitespace());
            if bytes.get(equals) == Some(&b'=') {
                let begin = until(equals + 1, &|b| !b.is_ascii_whitespace());
                match bytes.get(begin) {
                    Some(quote @ (b'"' | b'\'')) => {
                        let end = until(begin + 1, &|b| b == *quote);
                        value = begin + 1..end;
                        at = (end + 1).min(bytes.len());
                    }
                    _ => {
                        let end = until(begin, &|b| b.is_ascii_whitespace() || b == b'>');
                        value = begin..end;
                        at = end;
                    }
                }
            }
            if attributes.len() < MAX_ATTRIBUTES {
                attributes.push(Attribute { name: lower(&rest[start..name_end]), raw: &rest[value] });
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let token = self.any()?;
            match (&mut self.dropping, &token) {
                (None, Token::Open { name, .. }) if FOREIGN.contains(&name.as_ref()) => {
                    self.dropping = Some((name.clone(), 1));
                }
                (None, _) => return Some(token),
                (Some((dropped, depth)), Token::Open { name, .. }) if name == dropped => *depth += 1,
                (Some((dropped, depth)), Token::Close { name }) if name == dropped => {
                    *depth -= 1;
                    if *depth == 0 {
                        self.dropping = None;
                    }
                }
                (Some(_), _) => {}
            }
        }
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Entities → characters.
pub(super) fn decode(raw: &str, in_attribute: bool) -> Cow<'_, str> {
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (text, length) = entity(rest, in_attribute).unwrap_or(("&".to_owned(), 1));
        out.push_str(&text);
        rest = &rest[length..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The entity at the start of `text` and how long it is there.
fn entity(text: &str, in_attribute: bool) -> Option<(String, usize)> {
    let body = &text[1..];
    if let Some(number) = body.strip_prefix('#') {
        let (digits, radix, sign) = match number.strip_prefix(['x', 'X']) {
            Some(hex) => (hex, 16, 3),
            None => (number, 10, 2),
        };
        let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        if end == 0 {
            return None;
        }
        // More digits than any character has: not a character.
        let code = if end > 10 { u32::MAX } else { u32::from_str_radix(&digits[..end], radix).unwrap_or(u32::MAX) };
        let c = char::from_u32(code).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER);
        let semicolon = usize::from(digits[end..].starts_with(';'));
        return Some((c.to_string(), sign + end + semicolon));
    }
    let end = body.bytes().take(MAX_ENTITY_BYTES).take_while(u8::is_ascii_alphanumeric).count();
    if body[end..].starts_with(';')
        && let Some(found) = named(&body[..=end])
    {
        return Some((found, end + 2));
    }
    (2..=end.min(MAX_BARE_ENTITY_BYTES)).rev().find_map(|length| {
        let next = body.as_bytes().get(length);
        if in_attribute && next.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'=') {
            return None;
        }
        named(&body[..length]).map(|found| (found, length + 1))
    })
}

fn named(name: &str) -> Option<String> {
    let (first, second) = NAMED_ENTITIES.get(name).copied().filter(|(first, _)| *first != 0)?;
    let mut text = String::from(char::from_u32(first)?);
    if second != 0 {
        text.push(char::from_u32(second)?);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens as markup in one notation: attributes without quotes, in brackets.
    fn read(html: &str) -> String {
        let written = Tokens::new(html).map(|token| match token {
            Token::Text(text) => text.to_owned(),
            Token::Close { name } => format!("</{name}>"),
            Token::Open { name, attributes } => {
                let attributes: String = attributes.iter().map(|a| format!(" [{}={}]", a.name, a.raw)).collect();
                format!("<{name}{attributes}>")
            }
        });
        written.collect()
    }

    #[test]
    fn tags_and_attributes_are_read_as_browsers_read_them() {
        for (html, tokens) in [
            ("<A HREF=\"/x\" Title='y z'>t</A >", "<a [href=/x] [title=y z]>t</a>"),
            ("<a x=1 y = 2/z>", "<a [x=1] [y=2/z]>"),
            ("<a =x=1 é=2>", "<a [=x=1] [é=2]>"),
            ("<a x y=>z", "<a [x=] [y=]>z"),
            ("<a =>z", "<a [==]>z"),
            ("<br/><p/ a>", "<br><p [a=]>"),
            ("a < b <1> c</1 a=\">\">d</>e", "a < b <1> c\">de"),
            ("<!-- <a> --><!doctype x><?y?>z", "z"),
            ("a<b", "a"),
            ("a<b c=\"d>", "a"),
        ] {
            assert_eq!(read(html), tokens, "{html}");
        }
        let many: String = (0..20).map(|n| format!(" a{n}={n}")).collect();
        let read: Vec<String> = (0..MAX_ATTRIBUTES).map(|n| format!(" [a{n}={n}]")).collect();
        assert_eq!(self::read(&format!("<p{many}>")), format!("<p{}>", read.concat()));
    }

    #[test]
    fn what_is_not_ours_is_left_out_to_its_very_end() {
        for (html, tokens) in [
            ("<script>1</xxxxxx>2</script>3", "3"),
            ("<script>1</scripty>2</SCRIPT >3", "3"),
            ("<style>1</style", ""),
            ("<title>1", ""),
            ("<svg>1<svg>2<svg>3</svg>4</svg>5</svg>6", "6"),
            ("<svg>1</b>2<b>3</svg>4", "4"),
            ("<svg/>1<math/>2<svg>3<math>4</math>5</svg>6", "126"),
            ("<select/>1</select>2", "2"),
        ] {
            assert_eq!(read(html), tokens, "{html}");
        }
    }

    #[test]
    fn half_a_megabyte_is_read() {
        let long = "é".repeat(MAX_BYTES);
        assert_eq!(read(&long).len(), 512 * 1024);
        let whole = "x".repeat(MAX_BYTES);
        assert_eq!(read(&whole).len(), MAX_BYTES);
    }

    #[test]
    fn entities_are_characters() {
        for (raw, text, attribute) in [
            ("&lt;&gt;&AMP;&quot", "<>&\"", "<>&\""),
            ("&#65;&#x41;&#X41&#65b", "AAAAb", "AAAAb"),
            ("&#0000000065;&#00000000065;", "A\u{fffd}", "A\u{fffd}"),
            ("&#0;&#xD800;&#x110000;", "\u{fffd}\u{fffd}\u{fffd}", "\u{fffd}\u{fffd}\u{fffd}"),
            ("&#;&#x;&;&", "&#;&#x;&;&", "&#;&#x;&;&"),
            ("&amp=1&copyx&copy2", "&=1©x©2", "&amp=1&copyx&copy2"),
            ("&amp b&copy;x", "& b©x", "& b©x"),
            ("&NotEqualTilde;", "≂\u{338}", "≂\u{338}"),
            ("&CounterClockwiseContourIntegral;", "∳", "∳"),
            ("&Aacutez", "Áz", "&Aacutez"),
            ("&mothing;&l;", "&mothing;&l;", "&mothing;&l;"),
        ] {
            assert_eq!(decode(raw, false), text, "{raw}");
            assert_eq!(decode(raw, true), attribute, "{raw} in an attribute");
        }
    }
}
