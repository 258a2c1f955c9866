//! `Preferences`.

use domain::account::MemberPreferences;
use serde::Serialize;

use super::status::visibility_name;
use crate::api::quotes::NOBODY;

#[derive(Debug, Serialize)]
pub struct Preferences<'a> {
    #[serde(rename = "posting:default:visibility")]
    visibility: &'static str,
    #[serde(rename = "posting:default:sensitive")]
    sensitive: bool,
    #[serde(rename = "posting:default:language")]
    language: Option<&'a str>,
    #[serde(rename = "posting:default:quote_policy")]
    quote_policy: &'static str,
    #[serde(rename = "reading:expand:media")]
    media: &'a str,
    #[serde(rename = "reading:expand:spoilers")]
    spoilers: bool,
    #[serde(rename = "reading:autoplay:gifs")]
    gifs: bool,
}

impl<'a> Preferences<'a> {
    pub fn new(p: &'a MemberPreferences) -> Self {
        Self {
            visibility: visibility_name(p.default_visibility),
            sensitive: p.default_sensitive,
            language: p.default_language.as_deref(),
            quote_policy: NOBODY,
            media: &p.expand_media,
            spoilers: p.expand_spoilers,
            gifs: false,
        }
    }
}
