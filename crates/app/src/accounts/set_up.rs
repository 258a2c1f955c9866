//! The first visit to a new community: whoever opens the page makes the owner's account. Once anybody is a member, never
//! again: who becomes the owner of people who are there already is for whoever has the command line.
//!
//! Where the public can come by, whoever is first must show the code that the server printed when it started: she has
//! seen the machine. The code is made from the server's own key, so every process on one database prints and takes the
//! same one, and nothing is kept that could be stolen.

use aws_lc_rs::hmac;
use domain::account::{Account, Role};
use storage::{members, settings};

use super::create::{Entry, NewMember, insert, prepare};
use crate::community::change::TITLE_CHARS;
use crate::error::{Error, Result};
use crate::{App, keys, secrets};

const DONE: Error = Error::Conflict("this community has members already");
const CODE_PURPOSE: &[u8] = b"porchlight set-up code";
/// 80 bits, 20 characters: short enough to be typed.
const CODE_BYTES: usize = 10;

/// Was nobody ever a member yet?
///
/// # Errors
/// When the database cannot answer.
pub async fn is_open(app: &App) -> Result<bool> {
    Ok(!members::any_ever(&mut app.db.read().await?).await?)
}

/// Does the first visit need a code? Only where nobody but this machine can come by does it do without: the address that
/// is told is its own, and so is the one that is listened on.
#[must_use]
pub fn needs_code(app: &App) -> bool {
    !(app.urls.is_at_home() && app.config.only_here)
}

/// The address of the set-up page, with the code where one is needed. For whoever started the server, nobody else.
///
/// # Errors
/// When the database refuses, or no key can be made.
pub async fn address(app: &App) -> Result<String> {
    let page = app.urls.path("/set-up");
    Ok(if needs_code(app) { format!("{page}?code={}", code(app).await?) } else { page })
}

async fn code(app: &App) -> Result<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, keys::of_instance(app).await?.as_bytes());
    let tag = hmac::sign(&key, CODE_PURPOSE);
    Ok(hex::encode(tag.as_ref().get(..CODE_BYTES).unwrap_or_default()))
}

/// Makes the owner, and gives the community its name (empty = leave the one it has). The code is asked for where
/// [`needs_code`] says so.
///
/// # Errors
/// [`Error::Conflict`] when there was ever a member; [`Error::Invalid`] on `code`, `username`, `email`, `password` or `title`.
pub async fn set_up(app: &App, new: &NewMember, title: &str, shown: &str) -> Result<Account> {
    if !is_open(app).await? {
        return Err(DONE);
    }
    // Digests are compared, so the time that it takes tells nothing of the code.
    let right = |code: &str| secrets::digest(&shown.trim().to_ascii_lowercase()) == secrets::digest(code);
    if needs_code(app) && !right(&code(app).await?) {
        return Err(Error::invalid("code", "is not the one that the server printed when it started"));
    }
    let title = domain::text::one_line(title);
    if title.chars().count() > TITLE_CHARS {
        return Err(Error::invalid("title", format!("must have at most {TITLE_CHARS} characters")));
    }
    let prepared = prepare(app, new).await?;
    let mut tx = app.db.write().await?;
    members::lock_owners(&mut tx).await?;
    if members::any_ever(&mut tx).await? {
        return Err(DONE);
    }
    let entry = Entry { role: Role::Owner, approved: true, confirmed: true, invite: None };
    let account = insert(app, &mut tx, prepared, entry).await?;
    if !title.is_empty() {
        let mut community = settings::community(&mut tx).await?;
        community.title = title;
        settings::set_community(&mut tx, &community).await?;
        tx.emit(domain::event::Event::SettingsChanged);
    }
    tx.commit().await?;
    Ok(account)
}
