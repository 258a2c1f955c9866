//! A member's lists: made, changed, deleted, filled. Only hers: another's list is not found.

pub mod change;
pub mod create;
pub mod delete;
pub mod members;

use crate::error::{Error, Result};

/// Lists of one member.
pub(crate) const MAX_LISTS: i64 = 50;
/// Characters of a title.
const MAX_TITLE: usize = 200;

pub(crate) fn checked_title(text: &str) -> Result<String> {
    let title = domain::text::one_line(text);
    if title.is_empty() {
        return Err(Error::invalid("title", "can't be blank"));
    }
    if title.chars().count() > MAX_TITLE {
        return Err(Error::invalid("title", format!("must have at most {MAX_TITLE} characters")));
    }
    Ok(title)
}
