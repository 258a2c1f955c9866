//! Text: what a person typed becomes safe HTML, and HTML from elsewhere becomes safe HTML or plain text.
//!
//! What comes out of [`compose`], [`note`], [`field`] and [`sanitise`] may be put into a page as it is; nothing else
//! may. Everything here takes time linear in its input and never panics, whatever a stranger sends: texts are
//! scanned by hand, HTML is cut to a size and a nesting depth before a parser sees it.
//!
//! Never looks anybody up: who a mention means is asked of the caller.

mod blank;
mod clean;
mod compose;
mod count;
mod html;
mod plain;
mod sanitise;
mod scan;
#[cfg(test)]
mod tests;
mod words;

pub use blank::{is_blank, trimmed};
pub use clean::{clean, clean_json, is_clean, one_line, without_lone_surrogates};
pub use compose::{Composed, MentionTarget, compose, field, note};
pub use count::count_chars;
pub use plain::{plain, shorten};
pub use sanitise::{SAFE_SCHEMES, sanitise};
pub use scan::{Scanned, Tag, scan, shortcodes};
pub use words::words;

/// Plain text → HTML, fit for an element's content and for an attribute in double quotes. For texts that are no posts, such
/// as display names; templates escape by themselves.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    escape_into(&mut out, text, true);
    out
}

/// Appends `text` escaped. Characters that are not clean ([`is_clean`]) are left out.
fn escape_into(out: &mut String, text: &str, quotes: bool) {
    let mut plain_from = 0;
    for (at, c) in text.char_indices() {
        let replacement = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' if quotes => "&quot;",
            '\u{a0}' => "&nbsp;",
            c if is_clean(c) => continue,
            _ => "",
        };
        out.push_str(&text[plain_from..at]);
        out.push_str(replacement);
        plain_from = at + c.len_utf8();
    }
    out.push_str(&text[plain_from..]);
}
