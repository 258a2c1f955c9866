//! Who calls: a signed-in member, or anybody. What a token is good for is decided in [`crate::auth`].

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use domain::account::Account;
use domain::{AccountId, AppId, Viewer};
use http::request::Parts;
use storage::Conn;

use super::error::{Error, Result};
use crate::auth::Authorized;
use crate::state::Web;

/// A signed-in member. A token that is given and not good is refused, also where none is needed: an app must learn
/// that it is signed out.
#[derive(Debug, Clone)]
pub struct Caller {
    pub id: AccountId,
    token: Authorized,
}

impl Caller {
    /// # Errors
    /// [`Error::NeedsPerson`] when the token is an app's own.
    pub fn new(token: Authorized) -> Result<Self> {
        let id = token.account().ok_or(Error::NeedsPerson)?;
        Ok(Self { id, token })
    }

    /// # Errors
    /// [`Error::OutsideScope`] when the token does not hold `scope`.
    pub fn allow(&self, scope: &str) -> Result<()> {
        self.token.require(scope)
    }

    /// # Errors
    /// [`Error::OutsideScope`] when the token holds neither.
    pub fn allow_either(&self, one: &str, other: &str) -> Result<()> {
        self.allow(one).or_else(|_| self.allow(other))
    }

    #[must_use]
    pub fn viewer(&self) -> Viewer {
        Viewer::Account(self.id)
    }

    /// The app that calls, if it is one and not the command line's.
    #[must_use]
    pub fn app(&self) -> Option<AppId> {
        self.token.client()
    }

    #[must_use]
    pub fn token(&self) -> &Authorized {
        &self.token
    }

    /// Her account.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when it is gone.
    pub async fn account(&self, conn: &mut Conn) -> Result<Account> {
        match storage::accounts::get(conn, self.id).await {
            Err(storage::Error::NotFound) => Err(Error::Unauthorized),
            other => Ok(other?),
        }
    }
}

impl FromRequestParts<Web> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self> {
        let token = <Authorized as FromRequestParts<Web>>::from_request_parts(parts, web).await?;
        Self::new(token)
    }
}

/// Anybody. An app's own token counts as nobody.
impl OptionalFromRequestParts<Web> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Option<Self>> {
        let token = <Authorized as OptionalFromRequestParts<Web>>::from_request_parts(parts, web).await?;
        Ok(token.and_then(|token| Self::new(token).ok()))
    }
}

/// Who looks at what anybody may look at, as far as the token was granted it.
///
/// # Errors
/// [`Error::OutsideScope`] when there is a token that does not hold `scope`.
pub fn viewer(caller: Option<&Caller>, scope: &str) -> Result<Viewer> {
    match caller {
        None => Ok(Viewer::Anonymous),
        Some(caller) => caller.allow(scope).map(|()| caller.viewer()),
    }
}
