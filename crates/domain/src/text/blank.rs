//! Texts in which there is nothing to see, whatever they are made of.

/// Does this character show nothing by itself? White space, what Unicode lets no font draw (`Default_Ignorable_Code_Point`:
/// joiners, marks of direction, selectors, fillers, tags), and three that are drawn empty.
fn shows_nothing(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            // Soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul fillers, Khmer inherent vowels.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}'
            // Mongolian selectors and vowel separator, zero-width characters, direction, word joiner and its kind.
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Variation selectors, byte order mark, shorthand and musical controls, tags.
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            // Braille without dots, a musical null note head, the place of an object that is not there.
            | '\u{2800}' | '\u{1d159}' | '\u{fffc}')
}

/// Is there nothing to see in the text?
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(shows_nothing)
}

/// The text without white space around it; empty if there is nothing to see in it.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    if is_blank(text) { "" } else { text.trim() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_blank_whatever_it_is_made_of() {
        for blank in [
            "",
            " \t\n\u{a0}\u{3000}\u{2003}",
            "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}",
            "\u{fe0f}\u{fe00}\u{e0100}\u{e01ef}\u{180b}",
            "\u{200e}\u{200f}\u{61c}\u{202a}\u{202c}\u{2066}\u{2069}",
            "\u{115f}\u{1160}\u{3164}\u{ffa0}",
            "\u{2800}\u{2800}",
            "\u{34f}\u{ad}\u{17b4}",
            "\u{e0067}\u{e007f}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
            assert_eq!(trimmed(blank), "");
        }
    }

    #[test]
    fn what_shows_something_is_not_blank() {
        for seen in [
            ".",
            "a\u{200b}",
            "👩\u{200d}👧",
            "❤\u{fe0f}",
            "אבג\u{200f}",
            "ᄀ",
            "⠁",
            "한",
            "\u{301}",
            "ྀ",
            "🏴\u{e0067}\u{e007f}",
        ] {
            assert!(!is_blank(seen), "{seen:?}");
        }
        assert_eq!(trimmed("  tea \u{200b}for\n"), "tea \u{200b}for");
        assert_eq!(trimmed("\u{200b} tea"), "\u{200b} tea", "what joins letters stays");
    }
}
