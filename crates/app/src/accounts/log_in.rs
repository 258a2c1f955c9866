//! Somebody says who she is.
//!
//! Takes as long for a name that is nobody's as for a wrong password. Only who knows the password learns that she
//! still waits, or that her account was closed. How often one may try is for the door to limit.

use domain::Urls;
use domain::account::{Account, Email, Handle, Member, Standing};
use domain::text::clean;
use sha2::{Digest as _, Sha256};
use storage::{Conn, members};

use crate::error::Result;
use crate::{App, passwords};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What is made of it is written only while [`Member::credentials`] still hold.
    Welcome(Box<(Account, Member)>),
    /// No such member, or another password: which of the two is not said.
    Wrong,
    /// She waits to be let in.
    Waiting,
    /// Those who run the community closed her account.
    Disabled,
}

/// What somebody typed to sign in, without what makes no difference to who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// A name, or an e-mail address.
    typed: String,
    /// The name, where a whole handle of this community was typed.
    name: Option<String>,
    /// It began with `@`, as no e-mail address does.
    is_handle: bool,
}

impl Login {
    /// `None` for what can be nobody's, by its length alone.
    #[must_use]
    pub fn new(typed: &str, urls: &Urls) -> Option<Self> {
        // Longer than any name or address, with room for what is cut off below: nothing of it is copied or kept.
        if typed.len() > 2 * Email::MAX_BYTES {
            return None;
        }
        // The database takes a text without U+0000.
        let typed = clean(typed.to_owned());
        let login = typed.trim();
        let (login, is_handle) = match login.strip_prefix('@') {
            Some(rest) => (rest.trim(), true),
            None => (login, false),
        };
        if !(1..=Email::MAX_BYTES).contains(&login.len()) {
            return None;
        }
        let handle = Handle::parse(login).filter(|handle| handle.domain.as_ref() == Some(urls.own_host()));
        Some(Self { typed: login.to_owned(), name: handle.map(|handle| handle.username), is_handle })
    }

    /// Stands for it where tries are counted: of one size, whatever was typed. Two texts that find the same member have
    /// the same key, unless one is the name and the other the e-mail address: were these counted together, a stranger
    /// could see by what is refused whose address it is. All that can be nobody's has one key.
    #[must_use]
    pub fn key(typed: &str, urls: &Urls) -> [u8; 32] {
        let login = Self::new(typed, urls).map(|login| login.name.unwrap_or(login.typed).to_lowercase());
        Sha256::digest(login.unwrap_or_default()).into()
    }

    /// Whose e-mail address, name or handle it is. Where the community's host has mail as well, an address is
    /// somebody's before it is a handle, unless it begins with `@`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub(super) async fn find(&self, conn: &mut Conn) -> storage::Result<Option<(Account, Member)>> {
        if Email::new(&self.typed).is_ok() && !(self.is_handle && self.name.is_some()) {
            let found = members::by_email(conn, &self.typed).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        members::by_username(conn, self.name.as_deref().unwrap_or(&self.typed)).await
    }
}

/// `login` is an e-mail address, a username or a whole handle, without regard to case.
///
/// # Errors
/// When the database cannot answer.
pub async fn log_in(app: &App, login: &str, password: &str) -> Result<Outcome> {
    let Some(login) = Login::new(login, &app.urls) else { return Ok(Outcome::Wrong) };
    let found = login.find(&mut app.db.read().await?).await?;
    let hash = found.as_ref().and_then(|(_, member)| member.password_hash.as_deref());
    let right = passwords::verify(password, hash).await?;
    let Some((account, member)) = found.filter(|_| right) else { return Ok(Outcome::Wrong) };
    Ok(match member.standing() {
        Standing::Waiting => Outcome::Waiting,
        Standing::Disabled => Outcome::Disabled,
        Standing::Active if !member.may_sign_in(&account) => Outcome::Disabled,
        Standing::Active => Outcome::Welcome(Box::new((account, member))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls() -> Urls {
        Urls::new(&url::Url::parse("https://maple.example").unwrap()).unwrap()
    }

    fn key(typed: &str) -> [u8; 32] {
        Login::key(typed, &urls())
    }

    #[test]
    fn what_finds_the_same_member_is_counted_as_the_same() {
        for typed in [
            "dana",
            "DANA",
            " @Dana\n",
            "da\0na",
            "\0@dana",
            "@ dana",
            "dana@maple.example",
            "@Dana@MAPLE.example",
            "acct:dana@maple.example",
        ] {
            assert_eq!(key(typed), key("dana"), "{typed:?}");
        }
        assert_eq!(key("DANA@Mail.example"), key("dana@mail.example"));
        assert_ne!(key("dana@mail.example"), key("dana"));
        assert_ne!(key("dana@willow.example"), key("dana"), "another community's");
    }

    #[test]
    fn what_can_be_nobodys_is_neither_looked_up_nor_told_apart() {
        let long = "x".repeat(Email::MAX_BYTES + 1);
        for typed in ["", "@", " \0 ", &long, &"x".repeat(60_000)] {
            assert_eq!(Login::new(typed, &urls()), None);
            assert_eq!(key(typed), key(""));
        }
        assert!(Login::new(&long[1..], &urls()).is_some());
    }
}
