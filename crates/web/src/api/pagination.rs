//! Pages of lists: `max_id`, `since_id`, `min_id`, `limit` in, `Link` headers out.
//!
//! The links keep every other parameter of the request, but never a token.

use axum::extract::FromRequestParts;
use domain::Urls;
use domain::page::Page;
use http::HeaderValue;
use http::header::{HeaderMap, LINK};
use http::request::Parts;

use super::error::Error;
use super::params::id;

/// The page that a request asks for, and what is needed to link to its neighbours.
#[derive(Debug, Clone, Default)]
pub struct Paging {
    max_id: Option<i64>,
    since_id: Option<i64>,
    min_id: Option<i64>,
    limit: Option<i64>,
    offset: Option<i64>,
    path: String,
    /// Every other parameter, still encoded.
    rest: String,
}

/// How a list names its way back to newer entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// Timelines and notifications: continue right after the newest entry seen.
    MinId,
    /// Lists of accounts.
    SinceId,
}

impl<S: Sync> FromRequestParts<S> for Paging {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let path = parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |uri| &uri.0).path();
        Self::read(path, parts.uri.query().unwrap_or_default())
    }
}

impl Paging {
    fn read(path: &str, query: &str) -> Result<Self, Error> {
        let mut paging = Self { path: path.to_owned(), ..Self::default() };
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let number = || match value {
                "" => Ok(None),
                text => id(text).map(Some).ok_or_else(|| Error::Invalid(format!("{name} must be a whole number"))),
            };
            match name {
                "max_id" => paging.max_id = number()?,
                "since_id" => paging.since_id = number()?,
                "min_id" => paging.min_id = number()?,
                "limit" => paging.limit = number()?,
                "offset" => paging.offset = number()?,
                "access_token" => {}
                _ => {
                    paging.rest.push_str(pair);
                    paging.rest.push('&');
                }
            }
        }
        Ok(paging)
    }

    /// The page, with the endpoint's default and cap. A limit of 0 is read as 1.
    #[must_use]
    pub fn page(&self, default: i64, cap: i64) -> Page {
        Page { max_id: self.max_id, since_id: self.since_id, min_id: self.min_id, limit: self.limit(default, cap) }
    }

    #[must_use]
    pub fn limit(&self, default: i64, cap: i64) -> i64 {
        self.limit.unwrap_or(default).clamp(1, cap)
    }

    /// `limit=0`: everything, where an endpoint knows that.
    #[must_use]
    pub fn unlimited(&self) -> bool {
        self.limit == Some(0)
    }

    /// For lists ordered by relevance: how many to leave out.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset.unwrap_or(0)
    }

    /// The `Link` header for a page whose entries have these ids (newest first); none for an empty page.
    ///
    /// Always names the next page of a list that is not empty, as Mastodon's timelines do: an app stops when it
    /// gets an empty one.
    #[must_use]
    pub fn links(&self, urls: &Urls, newest: Option<i64>, oldest: Option<i64>, back: Back) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let (Some(newest), Some(oldest)) = (newest, oldest) else { return headers };
        let limit = self.limit.map(|l| format!("limit={l}&")).unwrap_or_default();
        let Self { path, rest, .. } = self;
        let (base, back) = (urls.base(), if back == Back::MinId { "min_id" } else { "since_id" });
        let link = format!(
            "<{base}{path}?{limit}{rest}max_id={oldest}>; rel=\"next\", <{base}{path}?{limit}{rest}{back}={newest}>; rel=\"prev\""
        );
        if let Ok(value) = HeaderValue::from_str(&link) {
            headers.insert(LINK, value);
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls() -> Urls {
        Urls::new(&url::Url::parse("https://maple.example").unwrap()).unwrap()
    }

    #[test]
    fn links_keep_the_other_parameters_but_neither_cursors_nor_tokens() {
        let query = "limit=5&local=true&any[]=a%20b&max_id=90&since_id=3&access_token=secret";
        let paging = Paging::read("/api/v1/timelines/tag/tea", query).unwrap();
        let headers = paging.links(&urls(), Some(80), Some(70), Back::MinId);
        let base = "https://maple.example/api/v1/timelines/tag/tea?limit=5&local=true&any[]=a%20b&";
        assert_eq!(
            headers.get(LINK).unwrap().to_str().unwrap(),
            format!("<{base}max_id=70>; rel=\"next\", <{base}min_id=80>; rel=\"prev\"")
        );
        assert!(paging.links(&urls(), None, None, Back::MinId).is_empty());
    }

    #[test]
    fn limits_have_defaults_and_caps() {
        let of = |query| Paging::read("/", query).unwrap().page(20, 40);
        assert_eq!((of("").limit, of("limit=7").limit, of("limit=999").limit, of("limit=0").limit), (20, 7, 40, 1));
        assert_eq!(
            of("max_id=5&min_id=&since_id=2"),
            Page { max_id: Some(5), since_id: Some(2), min_id: None, limit: 20 }
        );
        for bad in ["limit=-1", "limit=ten", "max_id=x", "max_id=99999999999999999999"] {
            assert_eq!(Paging::read("/", bad).unwrap_err().status().as_u16(), 422, "{bad}");
        }
    }
}
