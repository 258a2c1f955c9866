//! HTML → plain text, for feeds, page descriptions, notifications and search.
//!
//! What comes out is text: `<` in it is a less-than sign, and it must be escaped wherever it is shown as HTML.

use super::clean::is_clean;
use super::html::{Token, Tokens, decode};

/// Plain text of any HTML, safe or not. Paragraphs are parted by a blank line, other blocks by a newline; white
/// space is collapsed outside of `<pre>`. The hidden parts of shortened links are included.
#[must_use]
pub fn plain(html: &str) -> String {
    let mut writer = Writer::default();
    for token in Tokens::new(html) {
        match token {
            Token::Text(raw) => writer.text(&decode(raw, false)),
            Token::Open { name, .. } => writer.tag(&name, true),
            Token::Close { name } => writer.tag(&name, false),
        }
    }
    writer.out
}

/// At most `chars` characters of a plain text on one line, cut after a word where that is possible, with `…` if
/// something was cut.
#[must_use]
pub fn shorten(text: &str, chars: usize) -> String {
    let mut line = String::with_capacity(text.len().min(chars.saturating_mul(4)));
    let mut count = 0;
    let mut word_end = 0;
    for word in text.split_whitespace() {
        if count > 0 {
            line.push(' ');
            count += 1;
        }
        for c in word.chars() {
            line.push(c);
            count += 1;
            if count > chars {
                // Room for the ellipsis: back to the last whole word, or into a word longer than all the room.
                let cut = if word_end > 0 {
                    word_end
                } else {
                    line.char_indices().nth(chars.saturating_sub(1)).map_or(0, |(at, _)| at)
                };
                line.truncate(cut);
                if chars > 0 {
                    line.push('…');
                }
                return line;
            }
        }
        if count < chars {
            word_end = line.len();
        }
    }
    line
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Newlines to write before the next text, if there is any text before them.
    newlines: usize,
    space: bool,
    /// A list item's mark to write before the next text.
    mark: bool,
    preformatted: usize,
}

impl Writer {
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            let c = if c == '\u{a0}' { ' ' } else { c };
            if self.preformatted > 0 && c == '\n' {
                self.newlines = (self.newlines + 1).min(2);
                self.space = false;
            } else if self.preformatted == 0 && c.is_ascii_whitespace() {
                self.space = true;
            } else if is_clean(c) {
                self.before_text();
                self.out.push(c);
            }
        }
    }

    fn before_text(&mut self) {
        if !self.out.is_empty() {
            if self.newlines > 0 {
                self.out.push_str(&"\n\n"[..self.newlines]);
            } else if self.space {
                self.out.push(' ');
            }
        }
        self.newlines = 0;
        self.space = false;
        if self.mark {
            self.mark = false;
            self.out.push_str("- ");
        }
    }

    fn tag(&mut self, name: &str, opens: bool) {
        match name {
            "p" | "blockquote" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" => self.apart(2),
            "pre" => {
                self.apart(2);
                self.preformatted = if opens { self.preformatted + 1 } else { self.preformatted.saturating_sub(1) };
            }
            "br" => {
                self.newlines = (self.newlines + 1).min(2);
                self.space = false;
            }
            "li" => {
                self.apart(1);
                self.mark = opens;
            }
            "td" | "th" => self.space = true,
            "address" | "article" | "aside" | "dd" | "details" | "div" | "dl" | "dt" | "figcaption" | "figure"
            | "footer" | "form" | "header" | "hr" | "main" | "nav" | "section" | "summary" | "tr" => self.apart(1),
            _ => {}
        }
    }

    fn apart(&mut self, newlines: usize) {
        self.newlines = self.newlines.max(newlines);
        self.space = false;
    }
}
