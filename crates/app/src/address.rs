//! The community's public address is for ever: every id that was given out begins with it. As long as nobody was ever a
//! member, nothing was given out, and the configuration's word is taken. From the first member on, her id says what it is.
//!
//! Nothing is kept for this: what could contradict the ids cannot be trusted over them.

use domain::Urls;
use storage::{Conn, members};
use url::Url;

use crate::error::{Error, Result};

/// Does the community that this database holds live at these addresses, or nowhere yet?
///
/// # Errors
/// [`Error::Invalid`] on `url` when it lives elsewhere; else when the database refuses.
pub async fn check(conn: &mut Conn, urls: &Urls) -> Result<()> {
    let Some(id) = members::first_id_given_out(conn).await? else { return Ok(()) };
    // Ids are texts: the scheme, and how the host is spelt, belong to them.
    if id.strip_prefix(urls.base()).is_some_and(|rest| rest.starts_with('/')) {
        return Ok(());
    }
    let lives = Url::parse(&id).ok().and_then(|id| Urls::new(&id).ok()).map_or(id, |urls| urls.base().to_owned());
    Err(Error::invalid(
        "url",
        format!(
            "is {now}, but this database's members live at {lives}, and other servers know them and their posts by \
             that address for ever: set `url` to {lives} again; or, to begin a new community at {now}, give it an empty \
             database and an empty `data_dir`",
            now = urls.base()
        ),
    ))
}
