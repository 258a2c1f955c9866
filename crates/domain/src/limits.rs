//! What a post, a profile, a file may have at most. One value each, shown by `instance` and checked on writing.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Characters of a post, content warning included; a link counts as [`Limits::LINK_CHARS`].
    pub post_chars: usize,
    /// Pictures and other media of one post.
    pub attachments: usize,
    /// Characters of an alternative text.
    pub description_chars: usize,
    /// Bytes of an uploaded picture.
    pub image_bytes: usize,
    /// Pixels (width × height) of an uploaded picture.
    pub image_pixels: u64,
    /// Characters of a display name.
    pub name_chars: usize,
    /// Characters of an introduction.
    pub note_chars: usize,
    /// Rows of a profile's table.
    pub profile_fields: usize,
    /// Characters of a row's label and of its value, each.
    pub field_chars: usize,
    /// Posts pinned to a profile.
    pub pins: i64,
}

impl Limits {
    /// A link counts as this many characters, however long it is.
    pub const LINK_CHARS: usize = 23;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            post_chars: 5_000,
            attachments: 4,
            description_chars: 1_500,
            image_bytes: 16 * 1024 * 1024,
            image_pixels: 50_000_000,
            name_chars: 50,
            note_chars: 1_000,
            profile_fields: 6,
            field_chars: 255,
            pins: 5,
        }
    }
}
