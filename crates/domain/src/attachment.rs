//! Pictures, videos and sounds that belong to posts.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{AccountId, AttachmentId, PostId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttachmentKind {
    Image,
    /// A silent, looping animation.
    Gifv,
    Video,
    Audio,
    /// Something this server cannot show; the client API's `unknown`.
    Unknown,
}

impl AttachmentKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Gifv => "gifv",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Unknown => "unknown",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "image" => Self::Image,
            "gifv" => Self::Gifv,
            "video" => Self::Video,
            "audio" => Self::Audio,
            _ => Self::Unknown,
        }
    }

    /// From a media type such as `image/png`.
    #[must_use]
    pub fn from_mime(mime: &str) -> Self {
        match mime.split('/').next().unwrap_or_default() {
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" => Self::Audio,
            _ => Self::Unknown,
        }
    }
}

/// Where the eye should land when a picture is cropped: −1.0 … 1.0 each, `(0, 0)` = the centre.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Focus {
    pub x: f64,
    pub y: f64,
}

/// An attachment as one version of a post shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    pub id: AttachmentId,
    /// Alternative text; empty = none.
    pub description: String,
    pub focus: Option<Focus>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    pub id: AttachmentId,
    pub account_id: AccountId,
    /// The post that shows it. `None` until that is published, and when an edit took it away.
    pub post_id: Option<PostId>,
    pub kind: AttachmentKind,
    pub mime: String,
    /// Where the bytes are in the media store; `None` for remote media not fetched yet.
    pub key: Option<String>,
    pub preview_key: Option<String>,
    pub remote_url: Option<String>,
    /// Alternative text; empty = none.
    pub description: String,
    pub blurhash: Option<String>,
    pub focus: Option<Focus>,
    /// Pixels.
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub preview_width: Option<i32>,
    pub preview_height: Option<i32>,
    /// Bytes of the original.
    pub size: Option<i64>,
    pub created_at: Timestamp,
}

impl Attachment {
    /// As it is shown now.
    #[must_use]
    pub fn shown(&self) -> Shown {
        Shown { id: self.id, description: self.description.clone(), focus: self.focus }
    }
}
