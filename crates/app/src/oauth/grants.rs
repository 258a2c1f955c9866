//! What a token may allow: one rule for every way to get one.

use domain::account::Role;
use domain::scope::Scopes;

use crate::error::{Error, Result};

/// What is granted of what was asked: nothing beyond what the app registered (`None` = no app: the command line), and
/// what moderators may only to whoever is one. `None` for a token of the app itself, which stands for nobody.
///
/// It is asked in the transaction that writes the code or the token. Whoever uses the token asks
/// [`Scopes::usable_by`] again: roles are taken away.
///
/// # Errors
/// [`Error::Invalid`] on `scope` when nothing is left.
pub(super) fn granted(asked: &Scopes, registered: Option<&Scopes>, holder: Option<Role>) -> Result<Scopes> {
    let asked = asked.usable_by(holder);
    let granted = registered.map_or_else(|| asked.clone(), |registered| asked.within(registered));
    if granted.is_empty() {
        return Err(Error::invalid("scope", "names nothing that may be granted"));
    }
    Ok(granted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_granted_beyond_the_app_and_the_role() {
        let scopes = |text: &str| Scopes::parse(text).unwrap();
        let asked = scopes("read admin:read admin:write:accounts push");
        let registered = scopes("read admin:read admin:write follow");
        let get = |registered: Option<&Scopes>, role| granted(&asked, registered, role).unwrap().to_string();
        assert_eq!(get(Some(&registered), Some(Role::Moderator)), "read admin:read admin:write:accounts");
        assert_eq!(get(Some(&registered), Some(Role::Member)), "read");
        assert_eq!(get(Some(&registered), None), "read", "an app itself has no role");
        assert_eq!(get(None, Some(Role::Owner)), asked.to_string());
        let refused = granted(&scopes("admin:read"), Some(&registered), None);
        assert!(matches!(refused, Err(Error::Invalid { field: "scope", .. })));
    }
}
