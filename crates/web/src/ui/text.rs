//! Texts on their way into a page: custom emoji, plain-text excerpts, addresses that may be linked.
//!
//! HTML that comes in here is safe already (`domain::text` saw to that); nothing here loosens it.

use domain::Urls;
use domain::view::Emoji;

/// Escapes plain text for HTML, attribute values included.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

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

/// The words of safe HTML: no tags, entities resolved, white space single.
#[must_use]
pub fn words(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('<') {
            let end = rest.find('>').map_or(rest.len(), |end| end + 1);
            let tag = rest[1..end].trim_start_matches('/').to_ascii_lowercase();
            if ["p", "br", "li", "ul", "ol", "h", "blockquote", "pre", "div"].iter().any(|block| {
                tag.strip_prefix(block).is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphabetic()))
            }) {
                out.push(' ');
            }
            rest = &rest[end..];
        } else {
            let entity = rest.find(';').filter(|end| *end < 10).and_then(|end| Some((end, character(&rest[1..end])?)));
            if let Some((end, c)) = entity {
                out.push(c);
                rest = &rest[end + 1..];
            } else {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn character(entity: &str) -> Option<char> {
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

/// At most `most` characters, cut between words where that is possible, with an ellipsis.
#[must_use]
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    let kept = match cut.rfind(' ') {
        Some(at) if at > cut.len() / 2 => &cut[..at],
        _ => &cut,
    };
    format!("{}…", kept.trim_end_matches([' ', ',', '.', ';', ':']))
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
            domain: String::new(),
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
    fn words_are_what_a_reader_would_read_aloud() {
        assert_eq!(
            words("<p>Tea &amp; <em>cake</em>,<br>3&nbsp;pm</p><p>AT&T; &#8220;x&#x201d; <a href=\"#\">l</a>ink</p>"),
            "Tea & cake, 3 pm AT&T; “x” link"
        );
    }

    #[test]
    fn shortening_keeps_whole_words_and_whole_characters() {
        assert_eq!(shorten("short", 10), "short");
        assert_eq!(shorten("one two three four", 12), "one two…");
        assert_eq!(shorten("ääääääääääääää", 5), "ääää…");
    }

    #[test]
    fn only_web_addresses_are_linked() {
        assert_eq!(linkable("javascript:alert(1)"), "#");
        assert_eq!(linkable("https://willow.example/@bob/1"), "https://willow.example/@bob/1");
    }
}
