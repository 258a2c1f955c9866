//! Reading JSON that strangers wrote: bounded before it is parsed, and forgiving about shapes afterwards.
//!
//! Where the vocabulary allows a string, an object or an array, all three are read; what is missing, null or of
//! another type is simply absent. Nothing here panics, recurses without a bound, or keeps what it does not know.

use std::borrow::Cow;

use domain::Timestamp;
use domain::text::{clean_json, without_lone_surrogates};
use domain::urls::web_url;
use serde_json::Value;

/// Objects and arrays inside each other, at most.
pub const MAX_DEPTH: usize = 32;
/// Values, keys and elements of one document, at most.
pub const MAX_ELEMENTS: usize = 20_000;
/// Elements of one list that are looked at; the rest is passed over.
pub const MAX_LIST: usize = 1_000;
/// An id or address longer than this (bytes) counts as absent.
pub const MAX_URI: usize = 2_048;

/// Why a document is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the JSON is nested too deeply")]
    TooDeep,
    #[error("the JSON has too many elements")]
    TooMany,
    #[error("not JSON")]
    NotJson,
}

/// Parses a document after looking at its depth and number of elements, which costs one pass over the bytes. Its texts
/// are clean ([`domain::text::clean`]): nothing may be decided about a text that is not the one that is kept.
///
/// # Errors
/// When it is beyond the limits or not JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, Unreadable> {
    let (mut depth, mut elements, mut in_string, mut escaped) = (0_usize, 1_usize, false, false);
    for byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Unreadable::TooDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' | b':' => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err(Unreadable::TooMany);
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::from_slice(bytes)
        .or_else(|_| serde_json::from_slice(&without_lone_surrogates(bytes)))
        .map_err(|_| Unreadable::NotJson)?;
    clean_json(&mut value);
    Ok(value)
}

/// The elements of a value: none for null or absent, the elements of an array, otherwise the value itself.
pub fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    elements(value.get(key).unwrap_or(&Value::Null))
}

/// See [`list`]; for the value itself.
pub fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    let slice = match value {
        Value::Null => &[][..],
        Value::Array(all) => &all[..all.len().min(MAX_LIST)],
        one => std::slice::from_ref(one),
    };
    slice.iter().filter(|v| !v.is_null())
}

/// A string that is not empty; the first one where there is a list.
#[must_use]
pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    list(value, key).find_map(Value::as_str).filter(|text| !text.is_empty())
}

/// Is the value of one of these types? `type` may be a list, and a prefixed name (`as:Note`) counts as its own.
pub fn types(value: &Value) -> impl Iterator<Item = &str> {
    list(value, "type").filter_map(Value::as_str).map(|t| {
        let t = t.strip_prefix("as:").unwrap_or(t);
        t.strip_prefix("https://www.w3.org/ns/activitystreams#").unwrap_or(t)
    })
}

/// The `id` of an object, or the string itself.
#[must_use]
pub fn id_of(value: &Value) -> Option<&str> {
    let id = match value {
        Value::String(id) => id.as_str(),
        Value::Object(_) => value.get("id").or_else(|| value.get("@id"))?.as_str()?,
        _ => return None,
    };
    acceptable_uri(id)
}

/// The first id of a property, whatever its shape.
#[must_use]
pub fn id<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    list(value, key).find_map(id_of)
}

/// All ids of a property, each once.
#[must_use]
pub fn ids(value: &Value, key: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for id in list(value, key).filter_map(id_of) {
        if !all.iter().any(|known| known == id) {
            all.push(id.to_owned());
        }
    }
    all
}

/// An http(s) address of acceptable length.
#[must_use]
pub fn acceptable_uri(text: &str) -> Option<&str> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= MAX_URI && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    fits.then_some(text)
}

/// An address to open or load ([`web_url`]): only http and https, never `javascript:` or `data:`, and without a name
/// before its host.
#[must_use]
pub fn web_address(text: &str) -> Option<&str> {
    acceptable_uri(text).filter(|text| web_url(text).is_some())
}

/// The address of a `Link` or `Image`: a string, `href`, or `url` inside.
#[must_use]
pub fn link(value: &Value) -> Option<&str> {
    link_within(value, 0, &web_address)
}

/// The first address in a value, as deep as it may lie, that `read` takes.
fn link_within<'a, T>(value: &'a Value, depth: usize, read: &impl Fn(&'a str) -> Option<T>) -> Option<T> {
    if depth > 4 {
        return None;
    }
    match value {
        Value::String(text) => read(text),
        Value::Array(_) => elements(value).find_map(|v| link_within(v, depth + 1, read)),
        Value::Object(_) => value
            .get("href")
            .and_then(|v| link_within(v, depth + 1, read))
            .or_else(|| value.get("url").and_then(|v| link_within(v, depth + 1, read))),
        _ => None,
    }
}

/// The page for people: of several links the one that is HTML, otherwise the first.
#[must_use]
pub fn page_link(value: &Value) -> Option<&str> {
    let html = list(value, "url")
        .find(|v| v.get("mediaType").and_then(Value::as_str).is_some_and(|t| t.starts_with("text/html")))
        .and_then(link);
    html.or_else(|| list(value, "url").find_map(link))
}

/// `true`, or the word or number that some write for it.
#[must_use]
pub fn flag(value: &Value, key: &str) -> Option<bool> {
    match value.get(key)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") || text == "1" => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") || text == "0" => Some(false),
        Value::Number(n) => Some(n.as_i64() == Some(1)),
        _ => None,
    }
}

/// A time, see [`Timestamp::parse_lenient`].
#[must_use]
pub fn time(value: &Value, key: &str) -> Option<Timestamp> {
    Timestamp::parse_lenient(text(value, key)?)
}

/// What a language map holds (`summaryMap` for `summary`): languages and texts.
pub fn translations<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a str, &'a str)> + Clone + use<'a> {
    let map = value.get(format!("{key}Map")).and_then(Value::as_object);
    map.into_iter().flatten().take(MAX_LIST).filter_map(|(language, text)| Some((language.as_str(), text.as_str()?)))
}

/// A text, or where it is missing, the one that its language map holds: in this language, else in any.
#[must_use]
pub fn said<'a>(value: &'a Value, key: &str, language: Option<&str>) -> Option<&'a str> {
    text(value, key).or_else(|| {
        let texts = translations(value, key).filter(|(_, text)| !text.is_empty());
        let wanted = texts.clone().find(|(tag, _)| Some(*tag) == language);
        let found = wanted.or_else(|| texts.clone().find(|(tag, _)| *tag != "und")).or_else(|| texts.clone().next());
        found.map(|(_, text)| text)
    })
}

/// The address of a file, as [`link`], with blanks in it escaped.
#[must_use]
pub fn file_link(value: &Value) -> Option<String> {
    link_within(value, 0, &|text| web_address(&text.trim().replace(' ', "%20")).map(str::to_owned))
}

/// The object, with this address under a key that it leaves out.
#[must_use]
pub fn with_default<'a>(value: &'a Value, key: &str, address: &str) -> Cow<'a, Value> {
    if !value.is_object() || !value.get(key).is_none_or(Value::is_null) {
        return Cow::Borrowed(value);
    }
    let mut whole = value.clone();
    whole[key] = address.into();
    Cow::Owned(whole)
}

/// A positive number of pixels that fits.
#[must_use]
pub fn pixels(value: &Value, key: &str) -> Option<i32> {
    let n = value.get(key)?;
    let n = n.as_i64().or_else(|| n.as_str()?.parse().ok())?;
    i32::try_from(n).ok().filter(|n| (1..=100_000).contains(n))
}

/// Cuts a text at so many characters.
#[must_use]
pub fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((at, _)) => text[..at].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_read_clean() {
        let read = parse(b"{\"na\\u0001me\": [\"\\uffff\xef\xbf\xbe\", \"a\xc2\x85\\r\\nb\"], \"cut\": \"x\\ud83d\"}");
        assert_eq!(read, Ok(json!({"name": ["", "a\nb"], "cut": "x\u{fffd}"})));
        let read = parse(br#"{"na\u0000me": ["\u0000", {"a": "x\u0000y", "b": "\\u0000"}], "n": 1}"#);
        assert_eq!(read, Ok(json!({"name": ["", {"a": "xy", "b": "\\u0000"}], "n": 1})));
        assert_eq!(parse(b"{\"a\": \"\0\"}"), Err(Unreadable::NotJson), "bare, it is no JSON");
    }

    #[test]
    fn depth_bombs_and_endless_lists_are_refused_before_parsing() {
        let bomb = "[".repeat(100_000);
        assert_eq!(parse(bomb.as_bytes()), Err(Unreadable::TooDeep));
        let objects = format!("{}1{}", r#"{"a":"#.repeat(40), "}".repeat(40));
        assert_eq!(parse(objects.as_bytes()), Err(Unreadable::TooDeep));
        let many = format!("[{}1]", "1,".repeat(30_000));
        assert_eq!(parse(many.as_bytes()), Err(Unreadable::TooMany));
        assert_eq!(parse(b"{"), Err(Unreadable::NotJson));
        assert_eq!(parse(b"\xff\xfe"), Err(Unreadable::NotJson));
        let brackets_in_text = format!(r#"{{"a":"{}\"[[{{"}}"#, "[".repeat(200));
        assert!(parse(brackets_in_text.as_bytes()).is_ok());
    }

    #[test]
    fn every_shape_of_a_reference_is_read() {
        let value = json!({
            "a": "https://x.example/1", "b": {"id": "https://x.example/2", "type": "Person"},
            "c": [null, 7, {"type": "x"}, {"id": null}, "https://x.example/3"], "d": null, "e": [],
        });
        assert_eq!(id(&value, "a"), Some("https://x.example/1"));
        assert_eq!(id(&value, "b"), Some("https://x.example/2"));
        assert_eq!(id(&value, "c"), Some("https://x.example/3"));
        for absent in ["d", "e", "f"] {
            assert_eq!(id(&value, absent), None);
        }
        assert_eq!(ids(&json!({"to": ["x:1", "x:1", {"id": "x:2"}]}), "to"), ["x:1", "x:2"]);
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(link(&json!({"type": "Link", "href": "https://x.example/"})), Some("https://x.example/"));
        assert_eq!(
            link(&json!([{"href": "magnet:?x"}, {"url": [{"href": "HTTPS://x.example/"}]}])),
            Some("HTTPS://x.example/")
        );
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "",
            "//x.example",
            "https://x.example/ a",
            "https://friend.example@x.example/",
        ] {
            assert_eq!(link(&json!(bad)), None, "{bad}");
        }
        let video = json!({"url": [{"mediaType": "video/mp4", "href": "https://x/v"}, {"mediaType": "text/html", "href": "https://x/w"}]});
        assert_eq!(page_link(&video), Some("https://x/w"));
    }

    #[test]
    fn types_come_alone_in_lists_and_prefixed() {
        for shape in [json!({"type": "Note"}), json!({"type": ["as:Note", "x"]}), json!({"type": [null, "Note"]})] {
            assert_eq!(types(&shape).next(), Some("Note"));
        }
        assert_eq!(types(&json!({"type": 5})).next(), None);
    }
}
