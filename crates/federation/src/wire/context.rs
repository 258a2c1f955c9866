//! The `@context` of what we send: every term that our documents use, defined so that they expand correctly.
//!
//! Fixed texts, made once. A term that is added to a document is added here in the same change.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

/// The plain vocabulary, for activities whose object is an id.
pub const AS: &str = "https://www.w3.org/ns/activitystreams";
const SECURITY: &str = "https://w3id.org/security/v1";

/// Which terms a document uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Activities and collections without extensions.
    Plain,
    /// Posts, and activities that carry one.
    Note,
    /// Actors, and activities that carry one.
    Actor,
}

static PLAIN: LazyLock<Option<Box<RawValue>>> = LazyLock::new(|| raw(&json!(AS)));

static NOTE: LazyLock<Option<Box<RawValue>>> = LazyLock::new(|| {
    raw(&json!([AS, {
        "ostatus": "http://ostatus.org#",
        "conversation": "ostatus:conversation",
        "sensitive": "as:sensitive",
        "Hashtag": "as:Hashtag",
        "toot": "http://joinmastodon.org/ns#",
        "Emoji": "toot:Emoji",
        "blurhash": "toot:blurhash",
        "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
    }]))
});

static ACTOR: LazyLock<Option<Box<RawValue>>> = LazyLock::new(|| {
    raw(&json!([AS, SECURITY, {
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
        "Hashtag": "as:Hashtag",
        "toot": "http://joinmastodon.org/ns#",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "Emoji": "toot:Emoji",
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "wf": "https://purl.archive.org/socialweb/webfinger#",
        "webfinger": "wf:webfinger",
    }]))
});

fn raw(value: &Value) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}

/// A document as it is sent: the context first, then what it says.
#[derive(Debug, Clone, Serialize)]
pub struct Document<T> {
    #[serde(rename = "@context")]
    context: Option<&'static RawValue>,
    #[serde(flatten)]
    inner: T,
}

impl<T: Serialize> Document<T> {
    pub fn new(context: Context, inner: T) -> Self {
        let context = match context {
            Context::Plain => &*PLAIN,
            Context::Note => &*NOTE,
            Context::Actor => &*ACTOR,
        };
        Self { context: context.as_deref(), inner }
    }

    /// The bytes to send or answer with.
    ///
    /// # Errors
    /// Never for the documents of this crate, which hold nothing that JSON cannot say.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}
