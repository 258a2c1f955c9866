//! Text: what a person typed becomes safe HTML, and HTML from elsewhere becomes safe HTML or plain text.
//!
//! What comes out of [`compose`], [`note`], [`field`] and [`sanitise`] may be put into a page as it is; nothing else
//! may. Everything here takes time linear in its input and never panics, whatever a stranger sends: texts are
//! scanned by hand, HTML is cut to a size and a nesting depth before a parser sees it.
//!
//! Never looks anybody up: who a mention means is asked of the caller.

mod compose;
mod count;
mod html;
mod plain;
mod sanitise;
mod scan;
#[cfg(test)]
mod tests;
mod words;

pub use compose::{Composed, MentionTarget, compose, field, note};
pub use count::count_chars;
pub use plain::{plain, shorten};
pub use sanitise::{SAFE_SCHEMES, sanitise};
pub use scan::{Scanned, Tag, scan, shortcodes};
pub use words::words;

/// A text without U+0000, which nobody types and PostgreSQL cannot keep. Dropped where text from outside is read, and
/// once more where it is given to the database.
#[must_use]
pub fn without_nul(mut text: String) -> String {
    if text.contains('\0') {
        text.retain(|c| c != '\0');
    }
    text
}

/// Plain text → HTML, fit for an element's content and for an attribute in double quotes. For texts that are no posts, such
/// as display names; templates escape by themselves.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    escape_into(&mut out, text, true);
    out
}

/// Appends `text` escaped. Control characters but tab and newline are left out.
fn escape_into(out: &mut String, text: &str, quotes: bool) {
    let mut plain_from = 0;
    for (at, c) in text.char_indices() {
        let replacement = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' if quotes => "&quot;",
            '\u{a0}' => "&nbsp;",
            '\n' | '\t' => continue,
            c if c.is_control() => "",
            _ => continue,
        };
        out.push_str(&text[plain_from..at]);
        out.push_str(replacement);
        plain_from = at + c.len_utf8();
    }
    out.push_str(&text[plain_from..]);
}
