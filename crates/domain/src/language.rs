//! The languages that posts are written in, as the client API and `contentMap` name them: ISO 639-1 where it has a
//! code, ISO 639-3 otherwise. Never guesses one.

use isolang::Language;

/// Chinese is written and spoken in ways that its readers want to tell apart; Mastodon keeps these regions.
const CHINESE: [&str; 4] = ["CN", "HK", "TW", "YUE"];

/// Codes of ISO 639-3 for what is no language: uncoded, many at once, unknown, no words at all.
const NONE: [&str; 4] = ["mis", "mul", "und", "zxx"];

/// The code to keep for a tag, its region dropped (`en-GB` is `en`); `None` when it names no language.
///
/// Source: ISO 639; Mastodon's `valid_locale_or_nil`.
#[must_use]
pub fn known(tag: &str) -> Option<String> {
    let (code, region) = tag.trim().split_once(['-', '_']).unwrap_or((tag.trim(), ""));
    let code = code.to_ascii_lowercase();
    let language = match code.len() {
        2 => Language::from_639_1(&code),
        3 if NONE.contains(&&*code) => None,
        3 => Language::from_639_3(&code),
        _ => None,
    }?;
    let short = language.to_639_1().unwrap_or(language.to_639_3());
    let region = region.to_ascii_uppercase();
    if short == "zh" && CHINESE.contains(&&*region) {
        return Some(format!("zh-{region}"));
    }
    Some(short.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_named_by_their_shortest_code() {
        for (tag, kept) in [
            ("en", "en"),
            ("EN", "en"),
            ("en-GB", "en"),
            ("pt_BR", "pt"),
            ("sr-Latn", "sr"),
            ("spa", "es"),
            ("ast", "ast"),
            ("tok", "tok"),
            ("zh", "zh"),
            ("zh-tw", "zh-TW"),
            ("zh-Hant", "zh"),
            (" nn ", "nn"),
        ] {
            assert_eq!(known(tag).as_deref(), Some(kept), "{tag}");
        }
        for wrong in ["", " ", "zzzzzz", "zz", "und", "mul", "english", "-", "en,de", "e", "\u{212a}o", "日本語"] {
            assert_eq!(known(wrong), None, "{wrong}");
        }
    }
}
