//! What others send, read leniently into plain structs. Pure: no network, no database.
//!
//! Whatever the vocabulary allows is read, whatever is unknown is left out, and what cannot be understood at all
//! is refused with a reason. Texts that will be shown as HTML are sanitised here, exactly once; plain texts stay
//! plain and are escaped where they are shown.

pub mod activity;
pub mod actor;
pub mod collection;
pub mod note;

pub use activity::{ActivityKind, ReceivedActivity};
pub use actor::ReceivedActor;
pub use note::ReceivedNote;

use domain::Host;

/// Why a document cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("the type is not one we know")]
    UnknownType,
    #[error("{0} belongs to another server")]
    ForeignHost(&'static str),
}

/// A custom emoji that a document brings along.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ReceivedEmoji {
    /// Without colons.
    pub shortcode: String,
    pub uri: Option<String>,
    pub image_url: String,
}

/// The emojis of the `tag` list of what has the id `of`; those whose shortcode could not be typed are left out.
pub(super) fn emojis(value: &serde_json::Value, of: &str) -> Vec<ReceivedEmoji> {
    use super::lenient::{file_link, id_of, list, text, types};
    let mut found: Vec<ReceivedEmoji> = Vec::new();
    for tag in list(value, "tag").filter(|tag| types(tag).any(|t| t == "Emoji")).take(MAX_EMOJIS) {
        let Some(name) = text(tag, "name") else { continue };
        let shortcode = name.trim_matches(':');
        let sound = (1..=64).contains(&shortcode.len())
            && shortcode.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let Some(image_url) = tag.get("icon").and_then(file_link) else { continue };
        if sound && !found.iter().any(|known| known.shortcode == shortcode) {
            found.push(ReceivedEmoji {
                shortcode: shortcode.to_owned(),
                uri: id_of(tag).filter(|id| same_server(id, of)).map(str::to_owned),
                image_url,
            });
        }
    }
    found
}

const MAX_EMOJIS: usize = 100;

/// The scheme and host of an address, for comparing whose it is.
fn origin(uri: &str) -> Option<(bool, Host)> {
    let url = url::Url::parse(uri).ok()?;
    let https = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    Some((https, Host::of(&url)?))
}

/// Do two ids belong to the same server, however its host is spelt?
#[must_use]
pub fn same_server(a: &str, b: &str) -> bool {
    match (origin(a), origin(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}
