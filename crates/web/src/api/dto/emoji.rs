//! `CustomEmoji`.

use domain::Urls;
use domain::view::Emoji;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct CustomEmoji<'a> {
    shortcode: &'a str,
    url: String,
    static_url: String,
    visible_in_picker: bool,
    category: Option<&'a str>,
}

impl<'a> CustomEmoji<'a> {
    /// `None` where there is no picture to show.
    pub fn new(emoji: &'a Emoji, urls: &Urls) -> Option<Self> {
        let url = match (&emoji.key, &emoji.remote_url) {
            (Some(key), _) => urls.media(key),
            (None, Some(remote)) => remote.clone(),
            (None, None) => return None,
        };
        Some(Self {
            shortcode: &emoji.shortcode,
            static_url: url.clone(),
            url,
            visible_in_picker: emoji.visible,
            category: emoji.category.as_deref(),
        })
    }

    pub fn all(emojis: &'a [Emoji], urls: &Urls) -> Vec<Self> {
        emojis.iter().filter_map(|e| Self::new(e, urls)).collect()
    }
}
