//! Texts on their way into a page: custom emoji, plain-text excerpts, addresses that may be linked.
//!
//! HTML that comes in here is safe already (`domain::text` saw to that); nothing here loosens it.

use domain::Urls;
use domain::text::{escape, plain, shorten};
use domain::view::Emoji;

/// Puts pictures where safe HTML has `:shortcode:` in its text (never inside a tag).
#[must_use]
pub fn with_emoji(html: &str, emojis: &[Emoji], urls: &Urls) -> String {
    if emojis.is_empty() || !html.contains(':') {
        return html.to_owned();
    }
    let mut out = String::with_capacity(html.len() + 128);
    let mut rest = html;
    while let Some(at) = rest.find(['<', ':']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('<') {
            let end = rest.find('>').map_or(rest.len(), |end| end + 1);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if let Some(emoji) = shortcode(rest).and_then(|code| emojis.iter().find(|e| e.shortcode == code)) {
            let code = escape(&emoji.shortcode);
            out.push_str(&format!(
                r#"<img class="emoji" src="{}" alt=":{code}:" title=":{code}:" loading="lazy">"#,
                escape(&urls.emoji(emoji))
            ));
            rest = &rest[emoji.shortcode.len() + 2..];
        } else {
            out.push(':');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// `name` from a text that starts with `:name:`.
fn shortcode(text: &str) -> Option<&str> {
    let inner = text.strip_prefix(':')?;
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')?;
    (end > 0 && inner[end..].starts_with(':')).then(|| &inner[..end])
}

/// Plain text (a name, a warning) with its custom emoji, as HTML.
#[must_use]
pub fn plain_with_emoji(text: &str, emojis: &[Emoji], urls: &Urls) -> String {
    with_emoji(&escape(text), emojis, urls)
}

/// The first words of safe HTML, on one line: at most so many characters.
#[must_use]
pub fn excerpt(html: &str, chars: usize) -> String {
    shorten(&plain(html), chars)
}

/// The path of one of our own addresses.
#[must_use]
pub fn path_of(url: &str) -> &str {
    let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path.unwrap_or("/")
}

/// The address, if it is one that a page may link to; otherwise `#`.
#[must_use]
pub fn linkable(url: &str) -> &str {
    if url.starts_with("https://") || url.starts_with("http://") { url } else { "#" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls() -> Urls {
        Urls::new(&url::Url::parse("https://maple.example").unwrap()).unwrap()
    }

    fn emoji(shortcode: &str) -> Emoji {
        Emoji {
            id: domain::EmojiId(7),
            shortcode: shortcode.to_owned(),
            domain: None,
            key: Some("e/7.png".to_owned()),
            remote_url: None,
            visible: true,
            category: None,
        }
    }

    #[test]
    fn emoji_appear_in_text_and_never_inside_a_tag() {
        let emojis = [emoji("tea")];
        let html = with_emoji(r#"<a href="https://x/:tea:">:tea:</a> 10:tea: :no: ::tea::"#, &emojis, &urls());
        assert_eq!(html.matches("<img").count(), 3);
        assert!(html.starts_with(r#"<a href="https://x/:tea:"><img class="emoji" src="https://maple.example/media/"#));
        assert!(html.contains(":no:"));
    }

    #[test]
    fn a_name_cannot_bring_tags_of_its_own() {
        let html = plain_with_emoji("<script>:tea:</script>\"", &[emoji("tea")], &urls());
        assert!(html.starts_with("&lt;script&gt;<img ") && html.ends_with("&lt;/script&gt;&quot;"), "{html}");
    }

    #[test]
    fn only_web_addresses_are_linked() {
        assert_eq!(linkable("javascript:alert(1)"), "#");
        assert_eq!(linkable("https://willow.example/@bob/1"), "https://willow.example/@bob/1");
    }
}
