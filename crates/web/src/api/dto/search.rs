//! `Search`.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::tag::Tag;

#[derive(Debug, Default, Serialize)]
pub struct Search<'a> {
    pub accounts: Vec<Arc<RawValue>>,
    pub statuses: Vec<Arc<RawValue>>,
    pub hashtags: Vec<Tag<'a>>,
}
