//! Browsers: the cookie of a session, and who is signed in by it.
//!
//! The cookie holds a random token, the database its digest. A browser that is used stays signed in.

use std::time::Duration;

use axum_extra::extract::cookie::CookieJar;
use domain::account::{Account, Member};
use domain::{Urls, Viewer};
use http::HeaderValue;
use storage::{members, sessions};

use crate::state::Web;

/// A session's use is noted at most this often, in milliseconds.
const NOTE_USE_EVERY: i64 = 3600 * 1000;

/// Names and kinds of our cookies. `__Host-` keeps other hosts of the domain from setting them (RFC 6265bis); it is
/// possible on https alone.
#[derive(Debug, Clone, Copy)]
pub struct Cookies {
    secure: bool,
}

impl Cookies {
    #[must_use]
    pub fn new(urls: &Urls) -> Self {
        Self { secure: urls.is_https() }
    }

    fn named(self, secure: &'static str, plain: &'static str) -> &'static str {
        if self.secure { secure } else { plain }
    }

    /// Of the session.
    #[must_use]
    pub fn session(self) -> &'static str {
        self.named("__Host-porchlight", "porchlight")
    }

    /// Of the key that forms are made with.
    #[must_use]
    pub fn form(self) -> &'static str {
        self.named("__Host-porchlight-form", "porchlight-form")
    }

    /// The `Set-Cookie` of a value made of letters, digits, `-` and `_`: out of reach for scripts and for other sites'
    /// forms. `lifetime` `None` = until the browser closes.
    #[must_use]
    pub fn set(self, name: &'static str, value: &str, lifetime: Option<Duration>) -> Option<HeaderValue> {
        let mut cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
        if let Some(lifetime) = lifetime {
            cookie.push_str(&format!("; Max-Age={}", lifetime.as_secs()));
        }
        if self.secure {
            cookie.push_str("; Secure");
        }
        HeaderValue::from_str(&cookie).ok()
    }

    /// Makes the browser forget it.
    #[must_use]
    pub fn clear(self, name: &'static str) -> Option<HeaderValue> {
        self.set(name, "", Some(Duration::ZERO))
    }
}

/// Whoever is signed in. Disabled and waiting members are not.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub account: Account,
    pub member: Member,
    /// What her browser's cookie holds.
    pub token: String,
}

impl SignedIn {
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        Viewer::Account(self.account.id)
    }

    /// Is the session still there? It ends with a new password, and with a closed account.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn is_still_signed_in(&self, web: &Web) -> app::Result<bool> {
        let mut conn = web.app.db.read().await?;
        Ok(sessions::find(&mut conn, &app::secrets::digest(&self.token), web.app.now()).await?.is_some())
    }

    /// # Errors
    /// When the database cannot answer. A cookie that opens nothing is no error: she is simply not signed in.
    pub async fn by_cookie(web: &Web, jar: &CookieJar) -> app::Result<Option<Self>> {
        let Some(cookie) = jar.get(Cookies::new(&web.app.urls).session()).filter(|c| !c.value().is_empty()) else {
            return Ok(None);
        };
        let token = cookie.value().to_owned();
        let now = web.app.now();
        let mut conn = web.app.db.read().await?;
        let Some(session) = sessions::find(&mut conn, &app::secrets::digest(&token), now).await? else {
            return Ok(None);
        };
        let (account, member) = match members::with_account(&mut conn, session.account).await {
            Ok(found) => found,
            Err(storage::Error::NotFound) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        drop(conn);
        if !member.may_sign_in(&account) {
            return Ok(None);
        }
        if now.0 - session.last_used_at.0 > NOTE_USE_EVERY {
            app::sessions::keep::keep(&web.app, &token).await?;
        }
        Ok(Some(Self { account, member, token }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6265bis, section 4.1.3.2: a `__Host-` cookie is set by this host alone, over https, for all of it.
    #[test]
    fn cookies_are_this_hosts_alone_where_that_can_be() {
        let cookies = |base: &str| Cookies::new(&Urls::new(&base.parse().unwrap()).unwrap());
        let (https, http) = (cookies("https://maple.example"), cookies("http://localhost:4000"));
        assert_eq!((https.session(), https.form()), ("__Host-porchlight", "__Host-porchlight-form"));
        assert_eq!((http.session(), http.form()), ("porchlight", "porchlight-form"));
        let set = https.set(https.session(), "x", Some(Duration::from_secs(60))).unwrap();
        assert_eq!(set, "__Host-porchlight=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure");
        let cleared = http.clear(http.session()).unwrap();
        assert_eq!(cleared, "porchlight=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
