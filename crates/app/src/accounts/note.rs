//! A member's own words on somebody, for her eyes only.

use domain::AccountId;

use crate::App;
use crate::error::{Error, Result};

/// Characters of a note.
const MAX_CHARS: usize = 2_000;

/// Keeps the note; an empty one is forgotten.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account, [`Error::Invalid`] when it is too long.
pub async fn note(app: &App, me: AccountId, target: AccountId, text: &str) -> Result<()> {
    let text = domain::text::trimmed(text);
    if text.chars().count() > MAX_CHARS {
        return Err(Error::invalid("comment", format!("must have at most {MAX_CHARS} characters")));
    }
    let mut tx = app.db.write().await?;
    storage::accounts::get(&mut tx, target).await?;
    storage::follows::set_note(&mut tx, me, target, text).await?;
    tx.commit().await?;
    Ok(())
}
