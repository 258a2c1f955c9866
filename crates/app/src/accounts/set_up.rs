//! The first visit to a new community: whoever opens the page makes the owner's account. Once there is an owner,
//! never again.

use domain::account::{Account, Role};
use storage::{members, settings};

use super::create::{Entry, NewMember, insert, prepare};
use crate::App;
use crate::error::{Error, Result};

const DONE: Error = Error::Conflict("this community has an owner already");
const TITLE_CHARS: usize = 100;

/// Is there no owner yet?
///
/// # Errors
/// When the database cannot answer.
pub async fn is_open(app: &App) -> Result<bool> {
    Ok(!members::has_owner(&mut app.db.read().await?).await?)
}

/// Makes the owner, and gives the community its name (empty = leave the one it has).
///
/// # Errors
/// [`Error::Conflict`] when there is an owner; [`Error::Invalid`] on `username`, `email`, `password` or `title`.
pub async fn set_up(app: &App, new: &NewMember, title: &str) -> Result<Account> {
    let title = title.trim();
    if title.chars().count() > TITLE_CHARS {
        return Err(Error::invalid("title", format!("must have at most {TITLE_CHARS} characters")));
    }
    if !is_open(app).await? {
        return Err(DONE);
    }
    let prepared = prepare(app, new).await?;
    let mut tx = app.db.write().await?;
    members::lock_owners(&mut tx).await?;
    if members::has_owner(&mut tx).await? {
        return Err(DONE);
    }
    let entry = Entry { role: Role::Owner, approved: true, confirmed: true, invite: None };
    let account = insert(app, &mut tx, prepared, entry).await?;
    if !title.is_empty() {
        let mut community = settings::community(&mut tx).await?;
        title.clone_into(&mut community.title);
        settings::set_community(&mut tx, &community).await?;
        tx.emit(domain::event::Event::SettingsChanged);
    }
    tx.commit().await?;
    Ok(account)
}
