//! The words of a name, as they are looked for: without case and accents.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Words of one text; whatever follows is not looked for.
const MOST: usize = 16;
/// Characters of one word.
const LONGEST: usize = 40;

/// The words of a text: "Zoë O'Neil" is `neil`, `o` and `zoe`. At most 16, of at most 40 characters.
#[must_use]
pub fn words(text: &str) -> BTreeSet<String> {
    let plain: String = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(LONGEST).collect())
        .take(MOST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_and_accents() {
        let words = |text| words(text).into_iter().collect::<Vec<_>>();
        assert_eq!(words("Zoë O'Neil"), ["neil", "o", "zoe"]);
        assert_eq!(words("mom_of_3"), ["3", "mom", "of"]);
        assert_eq!(words("ＭＡＭＡ 🌻 Ωmega"), ["mama", "ωmega"]);
        assert_eq!(words("田中花子"), ["田中花子"]);
        assert_eq!(words(" :blobcat: ~*~ "), ["blobcat"]);
        assert!(words("\u{301}\u{1f37c}").is_empty());
    }

    #[test]
    fn a_text_without_end_has_few_words() {
        assert_eq!(words(&"a b c d e f g h i j k l m n o p q r s t ".repeat(1000)).len(), 16);
        assert_eq!(words(&"x".repeat(100_000)).first().map(String::len), Some(40));
    }
}
