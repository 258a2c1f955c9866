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
    /// `None` where there is no picture to show. One of another community is loaded from here like everything else
    /// that apps load by themselves: its server learns nothing of who reads what.
    pub fn new(emoji: &'a Emoji, urls: &Urls) -> Option<Self> {
        if emoji.key.is_none() && emoji.remote_url.is_none() {
            return None;
        }
        let url = urls.emoji(emoji);
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
