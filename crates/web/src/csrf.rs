//! No other site can fill in our forms: each carries a token that is bound to the browser and to its session, and
//! browsers that say where a form came from must say that it was ours.
//!
//! The client API needs none of this: it never looks at cookies.

use axum_extra::extract::cookie::CookieJar;
use domain::Urls;
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::auth::Cookies;

/// The secret that a browser's forms are made with, kept in a cookie of its own.
#[derive(Debug, Clone)]
pub struct FormKey {
    key: String,
    /// The browser does not have it yet.
    fresh: bool,
}

impl FormKey {
    #[must_use]
    pub fn of(jar: &CookieJar, urls: &Urls) -> Self {
        let known = jar.get(Cookies::new(urls).form()).map(|c| c.value().to_owned());
        match known
            .filter(|key| key.len() == 43 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)))
        {
            Some(key) => Self { key, fresh: false },
            None => Self { key: app::secrets::generate(), fresh: true },
        }
    }

    /// What forms carry. `session` is the token of the session, if she is signed in: signing in or out makes older
    /// forms worthless.
    #[must_use]
    pub fn token(&self, session: Option<&str>) -> String {
        let mut digest = Sha256::new();
        digest.update(b"form\0");
        digest.update(self.key.as_bytes());
        digest.update(b"\0");
        digest.update(session.unwrap_or_default().as_bytes());
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The cookie to set, if the browser does not have it yet.
    #[must_use]
    pub fn cookie(&self, urls: &Urls) -> Option<HeaderValue> {
        let cookies = Cookies::new(urls);
        self.fresh.then(|| cookies.set(cookies.form(), &self.key, None)).flatten()
    }

    /// Did this form come from one of our pages, shown to this browser in this session?
    #[must_use]
    pub fn accepts(&self, given: &str, session: Option<&str>) -> bool {
        !self.fresh && bool::from(self.token(session).as_bytes().ct_eq(given.as_bytes()))
    }
}

/// Does the browser say that the form came from another site? Old browsers and other programs say nothing.
#[must_use]
pub fn is_foreign(headers: &HeaderMap, urls: &Urls) -> bool {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    if text(header::HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site == "cross-site") {
        return true;
    }
    let Some(origin) = text(header::ORIGIN) else { return false };
    if origin == urls.base() {
        return false;
    }
    // Reached under another name or address, such as 127.0.0.1 for localhost: then the form's must be the same one.
    let same_host = text(header::HOST).is_some_and(|host| origin.split_once("://").is_some_and(|(_, o)| o == host));
    !same_host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls() -> Urls {
        Urls::new(&url::Url::parse("https://maple.example").unwrap()).unwrap()
    }

    #[test]
    fn a_token_is_worth_something_only_to_its_browser_and_its_session() {
        let jar = |key: &str| {
            CookieJar::from_headers(&HeaderMap::from_iter([(
                header::COOKIE,
                format!("__Host-porchlight-form={key}").parse().unwrap(),
            )]))
        };
        let (mine, hers) = ("a".repeat(43), "b".repeat(43));
        let key = FormKey::of(&jar(&mine), &urls());
        assert!(key.cookie(&urls()).is_none());
        assert!(key.accepts(&key.token(Some("s")), Some("s")));
        assert!(!key.accepts(&key.token(Some("s")), None));
        assert!(!key.accepts(&key.token(None), Some("s")));
        assert!(!key.accepts(&FormKey::of(&jar(&hers), &urls()).token(None), None));
        assert!(!key.accepts("", None));
        let fresh = FormKey::of(&jar("short"), &urls());
        assert!(!fresh.accepts(&fresh.token(None), None), "a browser without the cookie has seen no form");
        let cookie = fresh.cookie(&urls()).unwrap();
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-porchlight-form=") && cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"));
    }

    #[test]
    fn a_form_from_elsewhere_is_told_by_what_the_browser_says() {
        let foreign = |pairs: &[(&'static str, &str)]| {
            let headers = pairs.iter().map(|(n, v)| (header::HeaderName::from_static(n), v.parse().unwrap())).collect();
            is_foreign(&headers, &urls())
        };
        assert!(!foreign(&[]));
        assert!(!foreign(&[("origin", "https://maple.example")]));
        assert!(!foreign(&[("origin", "http://127.0.0.1:4000"), ("host", "127.0.0.1:4000")]));
        assert!(foreign(&[("origin", "https://evil.example"), ("host", "maple.example")]));
        assert!(foreign(&[("origin", "null"), ("host", "maple.example")]));
        assert!(foreign(&[("sec-fetch-site", "cross-site")]));
    }
}
