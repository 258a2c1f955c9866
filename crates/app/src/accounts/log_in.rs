//! Somebody says who she is.
//!
//! Takes as long for a name that is nobody's as for a wrong password. Only who knows the password learns that she
//! still waits, or that her account was closed. How often one may try is for the door to limit.

use domain::account::{Account, Email, Member, Standing};
use storage::members;

use crate::error::Result;
use crate::{App, passwords};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Welcome(Box<(Account, Member)>),
    /// No such member, or another password: which of the two is not said.
    Wrong,
    /// She waits to be let in.
    Waiting,
    /// Those who run the community closed her account.
    Disabled,
}

/// `login` is an e-mail address or a username, without regard to case.
///
/// # Errors
/// When the database cannot answer.
pub async fn log_in(app: &App, login: &str, password: &str) -> Result<Outcome> {
    let login = login.trim();
    let found = {
        let mut conn = app.db.read().await?;
        if Email::new(login).is_ok() {
            members::by_email(&mut conn, login).await?
        } else {
            members::by_username(&mut conn, login.strip_prefix('@').unwrap_or(login)).await?
        }
    };
    let hash = found.as_ref().and_then(|(_, member)| member.password_hash.as_deref());
    let right = passwords::verify(password, hash).await?;
    let Some((account, member)) = found.filter(|_| right) else { return Ok(Outcome::Wrong) };
    Ok(match member.standing() {
        Standing::Waiting => Outcome::Waiting,
        Standing::Disabled => Outcome::Disabled,
        Standing::Active if account.is_suspended() => Outcome::Disabled,
        Standing::Active => Outcome::Welcome(Box::new((account, member))),
    })
}
