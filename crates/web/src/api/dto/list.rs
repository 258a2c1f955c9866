//! `List`.

use domain::ListId;
use serde::Serialize;

use super::value::Id;

#[derive(Debug, Serialize)]
pub struct List<'a> {
    id: Id,
    title: &'a str,
    /// `followed`, `list` or `none`.
    replies_policy: &'a str,
    /// Its members' posts are left out of the home timeline.
    exclusive: bool,
}

impl<'a> List<'a> {
    pub fn new(id: ListId, title: &'a str, replies_policy: &'a str, exclusive: bool) -> Self {
        Self { id: Id::of(id), title, replies_policy, exclusive }
    }
}
