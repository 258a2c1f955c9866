//! Is this her name and her password?

use domain::account::{Account, Member};
use storage::members;

use crate::error::Result;
use crate::{App, passwords};

/// What came of it.
#[derive(Debug)]
pub enum Checked {
    /// It is, and she may come in.
    In(Box<Account>, Box<Member>),
    /// No such member, or not her password: nobody learns which.
    Wrong,
    /// It is, but nobody has let her in yet.
    Waiting,
    /// It is, but her account is closed or suspended.
    Closed,
}

/// `login` is an e-mail address or a username, with or without `@` before it and our domain behind.
///
/// # Errors
/// When the database refuses.
pub async fn check(app: &App, login: &str, password: &str) -> Result<Checked> {
    let login = login.trim();
    let found = {
        let mut conn = app.db.read().await?;
        let bare = login.strip_prefix('@').unwrap_or(login);
        let ours = format!("@{}", app.urls.domain());
        // Her handle may look like her address; the address is tried first.
        match bare.contains('@') {
            false => members::by_username(&mut conn, bare).await?,
            true => match members::by_email(&mut conn, login).await? {
                None => match bare.to_lowercase().strip_suffix(ours.as_str()) {
                    Some(name) => members::by_username(&mut conn, name).await?,
                    None => None,
                },
                found => found,
            },
        }
    };
    let hash = found.as_ref().and_then(|(_, member)| member.password_hash.as_deref());
    let right = passwords::verify(password, hash).await?;
    Ok(match found {
        Some((account, member)) if right => {
            if member.disabled_at.is_some() || account.is_suspended() {
                Checked::Closed
            } else if member.approved_at.is_none() {
                Checked::Waiting
            } else {
                Checked::In(Box::new(account), Box::new(member))
            }
        }
        _ => Checked::Wrong,
    })
}
