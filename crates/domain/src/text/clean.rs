//! The characters that no text here holds: those that nobody types and that break what a text is put into.
//!
//! U+0000 cannot be kept by PostgreSQL. Other controls and the noncharacters are not allowed in XML, so one of them
//! in a name ends a whole feed. Controls of writing direction let a name read as another one.

use std::borrow::Cow;

use super::blank::is_blank;

/// May a text hold this character? Not so C0 (but tab and newline), DEL, C1, and the 66 noncharacters of Unicode.
#[must_use]
pub fn is_clean(c: char) -> bool {
    let code = u32::from(c);
    let control = c.is_control() && c != '\t' && c != '\n';
    let noncharacter = (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE;
    !control && !noncharacter
}

/// Could these bytes of UTF-8 hold a character that is not clean? Cheap, and wrong on the safe side.
fn is_suspicious(text: &str) -> bool {
    // U+0080 to U+00BF start with C2, the noncharacters with EF or F0 to F4.
    text.bytes().any(|b| (b < 0x20 && b != b'\t' && b != b'\n') || b == 0x7F || b == 0xC2 || b >= 0xEF)
}

/// The text without characters that are not clean ([`is_clean`]); CR and CR LF become newlines.
///
/// Called where text from outside is read, so that nothing is decided about a text that is not the one that is kept,
/// and once more where a text is bound to a statement, so that no door can forget it.
#[must_use]
pub fn clean(text: String) -> String {
    if !is_suspicious(&text) || text.chars().all(is_clean) {
        return text;
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => cleaned.push('\n'),
            c if is_clean(c) => cleaned.push(c),
            _ => {}
        }
    }
    cleaned
}

/// Cleans every text of a JSON value in place, names of members included.
pub fn clean_json(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) => *text = clean(std::mem::take(text)),
        Value::Array(all) => all.iter_mut().for_each(clean_json),
        Value::Object(all) => {
            if all.keys().any(|key| !key.chars().all(is_clean)) {
                *all = std::mem::take(all).into_iter().map(|(key, value)| (clean(key), value)).collect();
            }
            all.values_mut().for_each(clean_json);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// JSON whose lone surrogates (`\ud83d` without its other half) are U+FFFD, for a second try with a document that does
/// not parse. Programs that cut a text in UTF-16 write half an emoji so.
#[must_use]
pub fn without_lone_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    let mut mended = Cow::Borrowed(json);
    let mut at = 0;
    while let Some(offset) = json.get(at..).and_then(|rest| rest.iter().position(|b| *b == b'\\')) {
        at += offset;
        let length = match unit(json, at) {
            Some(0xD800..=0xDBFF) if matches!(unit(json, at + 6), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                mended.to_mut()[at..at + 6].copy_from_slice(br"\ufffd");
                6
            }
            // The character after a backslash is not looked at on its own: it may be another backslash.
            _ => 2,
        };
        at += length;
    }
    mended
}

/// The UTF-16 code unit of a `\uXXXX` at this place.
fn unit(json: &[u8], at: usize) -> Option<u32> {
    let digits = json.get(at..at + 6)?.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

/// A name or title: on one line, white space of any kind and length a single space, without the characters that change
/// the direction of what follows. Names in right-to-left scripts need none of those; pages isolate names by `<bdi>`.
/// Empty if there is nothing to see in it: nobody could click on such a name.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let before = line.len();
        if before > 0 {
            line.push(' ');
        }
        let start = line.len();
        line.extend(word.chars().filter(|c| is_clean(*c) && !changes_direction(*c)));
        if line.len() == start {
            line.truncate(before);
        }
    }
    if is_blank(&line) {
        line.clear();
    }
    line
}

/// Embeddings, overrides, isolates and their ends. The marks U+200E, U+200F and U+061C are no such thing: they end
/// where they stand.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn controls_and_noncharacters_are_dropped_and_newlines_are_one_kind() {
        for (text, cleaned) in [
            ("tea\u{0} \u{1}\u{8}\u{b}\u{c}\u{e}\u{1f}for\u{7f} two\u{80}\u{85}\u{9f}", "tea for two"),
            ("\u{fffe}a\u{ffff}\u{fdd0}b\u{fdef}c\u{1fffe}\u{10ffff}", "abc"),
            ("a\r\nb\rc\nd\te\r", "a\nb\nc\nd\te\n"),
            (
                "\u{a0}\u{ad}\u{fdcf}\u{fdf0}\u{fffd}\u{10fffd}\u{2028}",
                "\u{a0}\u{ad}\u{fdcf}\u{fdf0}\u{fffd}\u{10fffd}\u{2028}",
            ),
            ("😀 é 日本", "😀 é 日本"),
            ("", ""),
        ] {
            assert_eq!(clean(text.to_owned()), cleaned, "{text:?}");
        }
        let unclean: Vec<char> = (0..=0x10_FFFF).filter_map(char::from_u32).filter(|c| !is_clean(*c)).collect();
        assert_eq!(unclean.len(), 63 + 66);
        for c in unclean {
            let nothing = if c == '\r' { "\n" } else { "" };
            assert_eq!(clean(c.to_string()), nothing, "{c:?} alone");
            assert_eq!(clean(format!("a{c}b")), format!("a{nothing}b"), "{c:?} among letters");
        }
    }

    #[test]
    fn every_text_of_a_value_is_cleaned_and_its_names_too() {
        let mut value = json!({"na\u{0}me": ["\u{ffff}", {"a": "x\u{85}y", "b": "\\u0000"}], "n": 1, "t": null});
        clean_json(&mut value);
        assert_eq!(value, json!({"name": ["", {"a": "xy", "b": "\\u0000"}], "n": 1, "t": null}));
        let mut value = json!({"\u{7f}a": 1, "\u{85}b": 2});
        clean_json(&mut value);
        assert_eq!(value, json!({"a": 1, "b": 2}), "all names are unclean");
    }

    #[test]
    fn half_an_emoji_is_no_reason_to_refuse_a_document() {
        for (json, text) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\uDE00b""#, "\u{fffd}b"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ud83dA""#, "\u{fffd}A"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
        ] {
            assert!(serde_json::from_str::<String>(json).is_err(), "{json}");
            assert_eq!(serde_json::from_slice::<String>(&without_lone_surrogates(json.as_bytes())).unwrap(), text);
        }
        for whole in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\ud8"#, "\\", r"\u", ""] {
            assert!(matches!(without_lone_surrogates(whole.as_bytes()), Cow::Borrowed(_)), "{whole}");
        }
    }

    #[test]
    fn a_name_is_one_line_that_cannot_turn_what_follows() {
        for (text, line) in [
            (" Dana \t of\n\nMaple\u{85}Street\u{2028}4 ", "Dana of Maple Street 4"),
            ("\u{202e}anaD\u{202c} \u{2066}x\u{2069}", "anaD x"),
            ("a \u{202e} b", "a b"),
            ("דנה \u{200f}(ד)", "דנה \u{200f}(ד)"),
            ("👩\u{200d}👧", "👩\u{200d}👧"),
            ("\u{202e}\u{1}", ""),
            ("\u{200b} \u{3164}", ""),
            ("\u{2800}\u{fe0f}", ""),
        ] {
            assert_eq!(one_line(text), line, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_clean_stays_and_what_is_not_goes(text in any::<String>()) {
            let once = clean(text.clone());
            prop_assert!(once.chars().all(is_clean));
            prop_assert_eq!(clean(once.clone()), once.clone());
            let kept = |text: &str| text.chars().filter(|c| is_clean(*c) && *c != '\n').collect::<String>();
            prop_assert_eq!(kept(&once), kept(&text));
            let line = one_line(&text);
            prop_assert!(line.chars().all(|c| is_clean(c) && !changes_direction(c) && (c == ' ' || !c.is_whitespace())));
            prop_assert_eq!(one_line(&line), line.clone());
        }

        #[test]
        fn mended_json_has_the_length_it_had_and_no_half_characters(
            json in r#"(\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\u[0-9a-f]{4}|\\|a|"|\\\\){0,12}"#,
        ) {
            let mended = without_lone_surrogates(json.as_bytes());
            prop_assert_eq!(mended.len(), json.len());
            let quoted = |inner: &[u8]| [b"\"", inner, b"\""].concat();
            let strict = serde_json::from_slice::<String>(&quoted(json.as_bytes()));
            match (strict, serde_json::from_slice::<String>(&quoted(&mended))) {
                (Ok(strict), lenient) => prop_assert_eq!(Some(strict), lenient.ok()),
                (Err(_), Ok(lenient)) => prop_assert!(lenient.contains(char::REPLACEMENT_CHARACTER)),
                (Err(_), Err(e)) => prop_assert!(!e.to_string().contains("surrogate"), "{}", e),
            }
        }
    }
}
