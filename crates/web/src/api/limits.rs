//! How often a caller may ask: counted per member, or per address where nobody is signed in, and told in
//! Mastodon's `X-RateLimit-*` headers. Counts live in this process alone.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::{AccountId, Timestamp};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{Quota, RateLimiter};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::error::Error;
use crate::auth::Authorized;
use crate::counts::Counts;
use crate::limits::Origin;
use crate::state::Web;

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Member(AccountId),
    Address(Origin),
}

type Keyed = RateLimiter<Key, Counts<Key>, DefaultClock, StateInformationMiddleware>;

/// So many requests in so long; they come back one by one.
#[derive(Debug)]
struct Class {
    limiter: Keyed,
    limit: u32,
    each: Duration,
}

impl Class {
    fn new(limit: u32, within: Duration) -> Self {
        let burst = NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN);
        let each = within / burst.get();
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let limiter: RateLimiter<_, _, _> = RateLimiter::new(quota, Counts::new(within), DefaultClock::default());
        Self { limiter: limiter.with_middleware(), limit: burst.get(), each }
    }

    /// How many requests are left, or in how many seconds one will be.
    fn check(&self, key: Key) -> Result<u32, u64> {
        match self.limiter.check_key(&key) {
            Ok(snapshot) => Ok(snapshot.remaining_burst_capacity()),
            Err(not_yet) => Err(not_yet.wait_time_from(DefaultClock::default().now()).as_secs() + 1),
        }
    }
}

/// The limits of every kind of request.
#[derive(Debug)]
pub struct RateLimits {
    on: bool,
    any: Class,
    media: Class,
    deletions: Class,
    sign_ups: Class,
}

impl RateLimits {
    pub(crate) fn new(on: bool) -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self {
            on,
            any: Class::new(300, minutes(5)),
            media: Class::new(30, minutes(30)),
            deletions: Class::new(30, minutes(30)),
            sign_ups: Class::new(5, minutes(30)),
        }
    }

    /// The narrower limit of a request, beside the one for any request.
    fn narrow(&self, method: &Method, path: &str) -> Option<&Class> {
        match (method, path) {
            (&Method::POST, "/api/v1/media" | "/api/v2/media") => Some(&self.media),
            (&Method::POST, "/api/v1/accounts") => Some(&self.sign_ups),
            (&Method::DELETE, path) if path.starts_with("/api/v1/statuses/") => Some(&self.deletions),
            (&Method::POST, path) if path.starts_with("/api/v1/statuses/") && path.ends_with("/unreblog") => {
                Some(&self.deletions)
            }
            _ => None,
        }
    }
}

/// Counts the request, and says in the answer what is left.
pub async fn middleware(State(web): State<Web>, request: Request, next: Next) -> Response {
    let limits = &web.api_limits;
    if !limits.on {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    // A token that is not good is answered by whoever needs one; its requests count for the address.
    let member = match <Authorized as OptionalFromRequestParts<Web>>::from_request_parts(&mut parts, &web).await {
        Ok(token) => token.and_then(|t| t.account()),
        Err(_) => None,
    };
    let key = match member {
        Some(id) => Key::Member(id),
        None => match Origin::from_request_parts(&mut parts, &web).await {
            Ok(origin) => Key::Address(origin),
        },
    };
    let (now, mut told) = (web.app.now(), HeaderMap::new());
    for class in [Some(&limits.any), limits.narrow(&parts.method, parts.uri.path())].into_iter().flatten() {
        match class.check(key) {
            Ok(left) => told = headers(class, left, now),
            Err(retry_after) => {
                let mut refused = Error::Limited { retry_after }.into_response();
                refused.headers_mut().extend(headers(class, 0, now));
                return refused;
            }
        }
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    response.headers_mut().extend(told);
    response
}

fn headers(class: &Class, left: u32, now: Timestamp) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(3);
    map.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(class.limit));
    map.insert(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(left));
    let reset = now.plus(class.each * (class.limit - left.min(class.limit))).to_rfc3339();
    if let Ok(reset) = HeaderValue::from_str(&reset) {
        map.insert(HeaderName::from_static("x-ratelimit-reset"), reset);
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_per_caller_and_says_when_to_come_back() {
        let class = Class::new(3, Duration::from_secs(300));
        let (dana, priya) = (Key::Member(AccountId(1)), Key::Member(AccountId(2)));
        assert_eq!([class.check(dana), class.check(dana), class.check(dana)], [Ok(2), Ok(1), Ok(0)]);
        let wait = class.check(dana).unwrap_err();
        assert!((95..=101).contains(&wait), "{wait}");
        assert_eq!(class.check(priya), Ok(2));
        let told = headers(&class, 1, Timestamp(1_700_000_000_000));
        assert_eq!(told["x-ratelimit-reset"], "2023-11-14T22:16:40.000Z");
    }

    #[test]
    fn uploads_sign_ups_and_deletions_have_limits_of_their_own() {
        let limits = RateLimits::new(true);
        let limit = |method: Method, path: &str| limits.narrow(&method, path).map(|c| c.limit);
        assert_eq!(limit(Method::POST, "/api/v2/media"), Some(30));
        assert_eq!(limit(Method::POST, "/api/v1/accounts"), Some(5));
        assert_eq!(limit(Method::DELETE, "/api/v1/statuses/1"), Some(30));
        assert_eq!(limit(Method::POST, "/api/v1/statuses"), None);
        assert_eq!(limit(Method::GET, "/api/v1/media"), None);
    }
}
