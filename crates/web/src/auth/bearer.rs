//! Apps: the bearer token of a request, what it allows, and whether its owner may use it.
//!
//! A token that was looked up is remembered for a few seconds, so that a busy app costs no query each time; what ends
//! a token ends the memory of it at once.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use domain::event::Event;
use domain::scope::Scopes;
use domain::{AccountId, AppId, TokenId, Viewer};
use http::Extensions;
use http::header::AUTHORIZATION;
use http::request::Parts;
use storage::oauth::Grant;
use storage::{Hub, Recent};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::api::error::{Error, Result};
use crate::state::Web;

/// How long a looked-up token is remembered. The command line of the embedded database closes accounts from another
/// process, which this one hears of only by looking again.
const REMEMBER: Duration = Duration::from_secs(5);
const REMEMBERED: usize = 20_000;
/// A token's last use is noted at most this often, in milliseconds.
const NOTE_USE_EVERY: i64 = 6 * 3600 * 1000;

type Digest = Vec<u8>;

/// A request that came with a valid token. Ask it for what the endpoint needs.
#[derive(Debug, Clone)]
pub struct Authorized(Arc<Grant>);

impl Authorized {
    /// The person, if the token stands for one and allows `scope`.
    ///
    /// # Errors
    /// [`Error::OutsideScope`], [`Error::NeedsPerson`].
    pub fn person(&self, scope: &str) -> Result<AccountId> {
        self.require(scope)?;
        self.account().ok_or(Error::NeedsPerson)
    }

    /// # Errors
    /// [`Error::OutsideScope`].
    pub fn require(&self, scope: &str) -> Result<()> {
        if self.0.scopes.allows(scope) { Ok(()) } else { Err(Error::OutsideScope) }
    }

    /// With whose eyes to look.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        self.account().map_or(Viewer::Anonymous, Viewer::Account)
    }

    /// `None` when the token stands for an app itself.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.0.holder.map(|h| h.account)
    }

    #[must_use]
    pub fn token(&self) -> TokenId {
        self.0.token
    }

    /// `None` for tokens made on the command line.
    #[must_use]
    pub fn client(&self) -> Option<AppId> {
        self.0.client
    }

    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.0.scopes
    }

    /// Looks a token up, wherever it came from.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when it is unknown, revoked or expired; [`Error::AccountInactive`] when its owner may
    /// not use it now; [`Error::Unavailable`] and [`Error::Internal`] when nobody can tell.
    pub async fn by_token(web: &Web, token: &str) -> Result<Self> {
        let digest = app::secrets::digest(token);
        let grant = match web.tokens.get(&digest) {
            Some(grant) if grant.expires_at.is_none_or(|at| at > web.app.now()) => grant,
            _ => {
                let now = web.app.now();
                let ended = web.tokens.ended();
                let mut conn = web.app.db.read().await.map_err(app::Error::from)?;
                let found = storage::oauth::grant(&mut conn, &digest, now).await.map_err(app::Error::from)?;
                drop(conn);
                let mut grant = found.ok_or(Error::Unauthorized)?;
                // The holder's role may have been taken away since. An app's own token has none.
                grant.scopes = grant.scopes.usable_by(grant.holder.map(|h| h.role));
                let grant = Arc::new(grant);
                web.tokens.keep(digest, grant.clone(), ended);
                if grant.last_used_at.is_none_or(|at| now.0 - at.0 > NOTE_USE_EVERY) {
                    note_use(web, &grant);
                }
                grant
            }
        };
        match grant.holder {
            Some(h) if h.disabled => Err(Error::AccountInactive("Your login is currently disabled")),
            Some(h) if !h.approved => Err(Error::AccountInactive("Your login is currently pending approval")),
            _ => Ok(Self(grant)),
        }
    }
}

fn note_use(web: &Web, grant: &Grant) {
    let (app, token, account) = (web.app.clone(), grant.token, grant.holder.map(|h| h.account));
    tokio::spawn(async move {
        if let Err(error) = app::oauth::tokens::touch(&app, token, account).await {
            tracing::debug!(%error, "the use of a token was not noted");
        }
    });
}

/// The token of a request: `Authorization: Bearer …`, or `access_token` in the query (RFC 6750, sections 2.1 and 2.3;
/// browsers cannot send the header when they open a WebSocket).
fn token_in(parts: &Parts) -> Option<String> {
    if let Some(header) = parts.headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()) {
        let (scheme, token) = header.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned()).filter(|t| !t.is_empty());
    }
    url::form_urlencoded::parse(parts.uri.query()?.as_bytes())
        .find(|(name, _)| name == "access_token")
        .map(|(_, token)| token.into_owned())
        .filter(|t| !t.is_empty())
}

impl FromRequestParts<Web> for Authorized {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self> {
        let token = token_in(parts).ok_or(Error::Unauthorized)?;
        let authorized = Self::by_token(web, &token).await?;
        parts.extensions.insert(Presented(Some((web.clone(), token))));
        Ok(authorized)
    }
}

/// The token a request came with, to be looked at once more when its body has arrived, which takes as long as the sender
/// likes: what began before a token ended does nothing after it.
#[derive(Clone, Default)]
pub struct Presented(Option<(Web, String)>);

impl Presented {
    #[must_use]
    pub fn of(extensions: &mut Extensions) -> Self {
        extensions.remove().unwrap_or_default()
    }

    /// # Errors
    /// As [`Authorized::by_token`].
    pub async fn check_again(self) -> Result<()> {
        match self.0 {
            Some((web, token)) => Authorized::by_token(&web, &token).await.map(drop),
            None => Ok(()),
        }
    }
}

impl OptionalFromRequestParts<Web> for Authorized {
    type Rejection = Error;

    /// No token is fine; a wrong one is not.
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Option<Self>> {
        match token_in(parts) {
            None => Ok(None),
            Some(_) => <Self as FromRequestParts<Web>>::from_request_parts(parts, web).await.map(Some),
        }
    }
}

/// Tokens that were looked up lately.
#[derive(Debug)]
pub struct Tokens {
    grants: Recent<Digest, Arc<Grant>>,
    /// Which of them stand for an account.
    of: Recent<AccountId, HashSet<Digest>>,
    /// What happened since somebody last asked: read before each answer, so that none is staler than the last commit.
    events: Mutex<Receiver<Event>>,
    /// How often something was forgotten.
    ended: AtomicU64,
}

impl Tokens {
    /// Knows nothing yet, and forgets what the hub's events say is stale.
    #[must_use]
    pub(crate) fn new(hub: &Hub) -> Self {
        Self {
            grants: Recent::new(REMEMBERED, REMEMBER),
            of: Recent::new(REMEMBERED, REMEMBER * 4),
            events: Mutex::new(hub.subscribe()),
            ended: AtomicU64::new(0),
        }
    }

    fn get(&self, digest: &Digest) -> Option<Arc<Grant>> {
        drop(self.catch_up());
        self.grants.get(digest)
    }

    /// To be asked before a token is looked up, and given to [`Self::keep`].
    fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// Remembers it, unless tokens have ended since: this may be one of them.
    fn keep(&self, digest: Digest, grant: Arc<Grant>, looked_up_at: u64) {
        // Nothing ends between the question and the answer.
        let _events = self.catch_up();
        if self.ended() != looked_up_at {
            return;
        }
        if let Some(holder) = grant.holder {
            self.of.update(&holder.account, |known| {
                known.into_iter().flatten().cloned().chain([digest.clone()]).collect()
            });
        }
        self.grants.insert(digest, grant);
    }

    fn catch_up(&self) -> MutexGuard<'_, Receiver<Event>> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match events.try_recv() {
                Ok(Event::TokenRevoked { token }) => {
                    self.grants.retain(|_, grant| grant.token != token);
                }
                Ok(Event::AccountChanged { account }) => self.forget_account(account),
                Ok(Event::SomeMissed) | Err(TryRecvError::Lagged(_)) => self.grants.clear(),
                Ok(_) => continue,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return events,
            }
            self.ended.fetch_add(1, Ordering::Release);
        }
    }

    fn forget_account(&self, account: AccountId) {
        for digest in self.of.remove(&account).into_iter().flatten() {
            self.grants.remove(&digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use storage::Db;
    use testkit::{Database, Engine, Instance};

    use super::*;

    async fn tell(db: &Db, event: Event) {
        let mut tx = db.write().await.unwrap();
        tx.emit(event);
        tx.commit().await.unwrap();
    }

    /// What was looked up before something ended may be what ended: it is not kept.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_token_is_remembered_until_something_ends_it() {
        let maple = Instance::start_on("maple", Arc::new(Database::fresh(Engine::Sqlite).await), |_| {}).await;
        let dana = maple.member("dana").await;
        let db = &maple.app().db;
        let tokens = Tokens::new(db.hub());
        let digest = app::secrets::digest(&dana.token);
        let look = async || {
            let mut conn = db.read().await.unwrap();
            Arc::new(storage::oauth::grant(&mut conn, &digest, maple.app().now()).await.unwrap().unwrap())
        };
        let token = look().await.token;
        let account = dana.account_id();
        for event in [Event::TokenRevoked { token }, Event::AccountChanged { account }] {
            assert!(tokens.get(&digest).is_none());
            let (before, grant) = (tokens.ended(), look().await);
            tell(db, event.clone()).await;
            tokens.keep(digest.clone(), grant, before);
            assert!(tokens.get(&digest).is_none(), "{event:?} came between");
            let (before, grant) = (tokens.ended(), look().await);
            tokens.keep(digest.clone(), grant, before);
            tell(db, Event::TokenRevoked { token: TokenId(token.0 + 1) }).await;
            tell(db, Event::AccountChanged { account: AccountId(account.0 + 1) }).await;
            assert_eq!(tokens.get(&digest).unwrap().token, token, "others ended");
            tell(db, event).await;
            assert!(tokens.get(&digest).is_none());
        }
    }

    fn token(header: Option<&str>, uri: &str) -> Option<String> {
        let mut request = http::Request::builder().uri(uri);
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        token_in(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn tokens_are_found_where_apps_put_them() {
        assert_eq!(token(Some("Bearer abc"), "/").as_deref(), Some("abc"));
        assert_eq!(token(Some("bearer  abc"), "/").as_deref(), Some("abc"));
        assert_eq!(token(None, "/?x=1&access_token=a%2Dc").as_deref(), Some("a-c"));
        assert_eq!(token(Some("Basic abc"), "/?access_token=abc"), None, "one way of asking at a time");
        assert_eq!(token(Some("Bearer "), "/"), None);
        assert_eq!(token(None, "/?access_token="), None);
    }
}
