//! `Tag`, with how it was used in the last week.

use domain::{Timestamp, Urls};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::value::Id;

#[derive(Debug, Serialize)]
pub struct Tag<'a> {
    id: Id,
    name: &'a str,
    url: String,
    history: Vec<TagHistory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    following: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    featuring: Option<bool>,
}

/// One day of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagHistory {
    /// Midnight UTC in seconds since 1970, as text.
    day: String,
    uses: String,
    accounts: String,
}

impl TagHistory {
    #[must_use]
    pub fn new(day: Timestamp, uses: i64, accounts: i64) -> Self {
        Self { day: day.seconds().to_string(), uses: uses.to_string(), accounts: accounts.to_string() }
    }
}

impl<'a> Tag<'a> {
    /// `key` is its normalised name. The id is made of that: an id of the database would tell that a tag is used, and
    /// since when, even where every post that has it is private. `following`: whether the viewer follows it; `None` for
    /// nobody.
    pub fn new(key: &str, name: &'a str, history: Vec<TagHistory>, following: Option<bool>, urls: &Urls) -> Self {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        let id = Id(i64::from_be_bytes([a, b, c, d, e, f, g, h]) & i64::MAX);
        Self { id, name, url: urls.tag(name), history, following, featuring: following.map(|_| false) }
    }
}
