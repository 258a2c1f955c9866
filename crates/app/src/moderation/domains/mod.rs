//! What those who run the community decide about other communities: blocked, limited, or nothing (any more).

pub mod block;
pub mod forget;
pub mod limit;
pub mod remove;

use domain::Host;

use crate::App;
use crate::error::{Error, Result};

/// Characters of a reason.
const REASON_CHARS: usize = 1_000;

/// Another community's domain, as typed.
fn other(app: &App, text: &str) -> Result<Host> {
    let name = Host::typed(text).map_err(|why| Error::invalid("domain", why))?;
    if name.covers(app.urls.own_host()) {
        return Err(Error::invalid("domain", "is this community's own"));
    }
    Ok(name)
}

/// Why, in their words; `None` leaves what was said before.
fn reason(text: Option<&str>) -> Result<Option<&str>> {
    let text = text.map(str::trim);
    if text.is_some_and(|t| t.chars().count() > REASON_CHARS) {
        return Err(Error::invalid("reason", format!("must have at most {REASON_CHARS} characters")));
    }
    Ok(text)
}
