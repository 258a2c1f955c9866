//! Somebody says who she is.
//!
//! Takes as long for a name that is nobody's as for a wrong password. Only who knows the password learns that she
//! still waits, or that her account was closed. How often one may try is for the door to limit.

use domain::account::{Account, Email, Member, Standing};
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
pub struct Login(String);

impl Login {
    /// `None` for what can be nobody's, by its length alone.
    #[must_use]
    pub fn new(typed: &str) -> Option<Self> {
        // Longer than any name or address, with room for what is cut off below: nothing of it is copied or kept.
        if typed.len() > 2 * Email::MAX_BYTES {
            return None;
        }
        // The database takes a text without U+0000.
        let typed = clean(typed.to_owned());
        let login = typed.trim();
        let login = login.strip_prefix('@').unwrap_or(login).trim();
        (1..=Email::MAX_BYTES).contains(&login.len()).then(|| Self(login.to_owned()))
    }

    /// Stands for it where tries are counted: of one size, whatever was typed. Two texts that find the same member have
    /// the same key, unless one is the name and the other the e-mail address: were these counted together, a stranger
    /// could see by what is refused whose address it is. All that can be nobody's has one key.
    #[must_use]
    pub fn key(typed: &str) -> [u8; 32] {
        Sha256::digest(Self::new(typed).map(|login| login.0.to_lowercase()).unwrap_or_default()).into()
    }

    /// Whose name or e-mail address it is.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub(super) async fn find(&self, conn: &mut Conn) -> storage::Result<Option<(Account, Member)>> {
        if Email::new(&self.0).is_ok() {
            members::by_email(conn, &self.0).await
        } else {
            members::by_username(conn, &self.0).await
        }
    }
}

/// `login` is an e-mail address or a username, without regard to case.
///
/// # Errors
/// When the database cannot answer.
pub async fn log_in(app: &App, login: &str, password: &str) -> Result<Outcome> {
    let Some(login) = Login::new(login) else { return Ok(Outcome::Wrong) };
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

    #[test]
    fn what_finds_the_same_member_is_counted_as_the_same() {
        for typed in ["dana", "DANA", " @Dana\n", "da\0na", "\0@dana", "@ dana"] {
            assert_eq!(Login::key(typed), Login::key("dana"), "{typed:?}");
        }
        assert_eq!(Login::key("DANA@Mail.example"), Login::key("dana@mail.example"));
        assert_ne!(Login::key("dana@mail.example"), Login::key("dana"));
    }

    #[test]
    fn what_can_be_nobodys_is_neither_looked_up_nor_told_apart() {
        let long = "x".repeat(Email::MAX_BYTES + 1);
        for typed in ["", "@", " \0 ", &long, &"x".repeat(60_000)] {
            assert_eq!(Login::new(typed), None);
            assert_eq!(Login::key(typed), Login::key(""));
        }
        assert!(Login::new(&long[1..]).is_some());
    }
}
