//! Quotes, which this server does not have: nobody may be allowed to make one.

use super::error::{Error, Result};

/// Who may quote, in Mastodon's words.
pub const NOBODY: &str = "nobody";

/// Takes the one policy that is kept here; others are refused, never silently left out.
///
/// # Errors
/// [`Error::Invalid`] naming the parameter.
pub fn check_policy(name: &str, policy: Option<&str>) -> Result<()> {
    match policy {
        None | Some("" | NOBODY) => Ok(()),
        Some(_) => Err(Error::Invalid(format!("{name} must be {NOBODY}: quotes are not supported by this server"))),
    }
}
