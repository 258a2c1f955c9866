//! How long a text is to Mastodon and its apps, which count down while one types.

use unicode_segmentation::UnicodeSegmentation;

use super::scan::{Kind, entities};
use crate::limits::Limits;

/// Characters as people see them (grapheme clusters) of a post and its content warning together. A link counts as
/// [`Limits::LINK_CHARS`], and of `@name@domain` only `@name` counts.
#[must_use]
pub fn count_chars(source: &str, spoiler: &str) -> usize {
    let mut chars = graphemes(spoiler);
    let mut from = 0;
    for entity in entities(source) {
        chars += graphemes(&source[from..entity.range.start]);
        from = entity.range.end;
        chars += match entity.kind {
            Kind::Link(_) => Limits::LINK_CHARS,
            Kind::Mention { short, .. } => short,
            Kind::Tag(_) => graphemes(&source[entity.range]),
        };
    }
    chars + graphemes(&source[from..])
}

fn graphemes(text: &str) -> usize {
    if text.is_ascii() && !text.contains('\r') { text.len() } else { text.graphemes(true).count() }
}
