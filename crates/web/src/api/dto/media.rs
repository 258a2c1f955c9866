//! `MediaAttachment`.

use domain::attachment::{Attachment, Focus};
use domain::{FileUrls, Whom};
use serde::Serialize;

use super::value::Id;

/// Where files are loaded from, by whoever reads the JSON.
#[derive(Debug, Clone, Copy)]
pub struct Addresses<'a> {
    pub files: &'a FileUrls,
    pub whom: Whom,
}

/// Never there, and apps expect the field.
type Never = Option<()>;

#[derive(Debug, Serialize)]
pub struct MediaAttachment<'a> {
    id: Id,
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
    preview_url: String,
    /// Never told: some apps load it by themselves where `url` fails, and the other server decides whether that fails.
    /// The post's own `url` leads to its home for whoever wants to go there.
    remote_url: Never,
    preview_remote_url: Never,
    text_url: Option<&'a str>,
    meta: Meta,
    description: Option<&'a str>,
    blurhash: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Meta {
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    small: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    focus: Option<Focus>,
}

#[derive(Debug, Serialize)]
struct Size {
    width: i32,
    height: i32,
    size: String,
    aspect: f64,
}

impl Size {
    fn new(width: Option<i32>, height: Option<i32>) -> Option<Self> {
        let (width, height) = (width.filter(|w| *w > 0)?, height.filter(|h| *h > 0)?);
        Some(Self { width, height, size: format!("{width}x{height}"), aspect: f64::from(width) / f64::from(height) })
    }
}

impl<'a> MediaAttachment<'a> {
    pub fn new(a: &'a Attachment, addresses: &Addresses<'_>) -> Self {
        let Addresses { files, whom } = *addresses;
        Self {
            id: Id::of(a.id),
            kind: a.kind.as_str(),
            url: files.original(a, whom),
            preview_url: files.preview(a, whom),
            remote_url: None,
            preview_remote_url: None,
            text_url: None,
            meta: Meta {
                original: Size::new(a.width, a.height),
                small: Size::new(a.preview_width, a.preview_height),
                focus: a.focus,
            },
            description: Some(a.description.as_str()).filter(|d| !d.is_empty()),
            blurhash: a.blurhash.as_deref(),
        }
    }
}
