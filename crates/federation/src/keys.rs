//! Whose key signed a request.
//!
//! A key counts when its owner and it name each other: the actor's document shows the key, and the key (or its
//! document) names the actor. Known keys are kept parsed. A key that does not fit is fetched once more, in case it
//! was changed, but not more often than once a minute for one actor, and at the expense of the address that sent what
//! it did not fit ([`crate::charges`]).

use std::sync::Arc;

use domain::account::{Account, AccountKey, ActorKind};
use domain::job::Job;
use domain::{AccountId, Host, Timestamp};
use serde_json::Value;
use storage::{Conn, account_keys, accounts};

use crate::Federation;
use crate::charges::SentBy;
use crate::client::Budget;
use crate::resolve::ResolveError;
use crate::signature::{ParsedSignature, PublicKey, SignatureError};
use crate::wire::lenient::types;
use crate::wire::read::actor::{keys as keys_of, named_keys};
use crate::wire::read::same_server;

/// A remote account and the key that it signs with.
#[derive(Debug)]
pub struct Sender {
    pub id: AccountId,
    pub uri: String,
    /// Of its handle.
    pub domain: Host,
    pub suspended: bool,
    /// When its profile was read last.
    fetched_at: Option<Timestamp>,
    key: PublicKey,
}

impl Sender {
    /// `None` for our own accounts: they do not come in by signature.
    fn new(account: &Account, key: PublicKey) -> Option<Self> {
        Some(Self {
            id: account.id,
            uri: account.uri.clone(),
            domain: account.domain.clone()?,
            suspended: account.is_suspended(),
            fetched_at: account.fetched_at,
            key,
        })
    }
}

/// Why nobody could be found to have signed.
#[derive(Debug, thiserror::Error)]
pub enum UnknownSender {
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("the key does not belong to the actor")]
    NotTheirs,
    #[error("the key cannot be used")]
    UnusableKey,
    /// Its server says that the actor or key is gone.
    #[error("the actor is gone")]
    Gone,
    /// Its server does not show it.
    #[error("the key was not found: {0}")]
    Absent(String),
    /// Its server does not answer, or is not to be asked now.
    #[error("the key could not be fetched: {0}")]
    Unreachable(String),
    #[error("its community is not connected with this one")]
    Refused,
    /// Its server was not asked: too much is being asked for already, or it did not answer lately.
    #[error("its server cannot be asked now")]
    Busy,
    #[error(transparent)]
    App(#[from] app::Error),
}

impl From<ResolveError> for UnknownSender {
    fn from(e: ResolveError) -> Self {
        match e {
            ResolveError::Suspended => Self::Refused,
            // Also one that was deleted here, whatever its server shows by now.
            ResolveError::Gone | ResolveError::App(app::Error::Forbidden(_)) => Self::Gone,
            ResolveError::App(e) => Self::App(e),
            e if e.is_busy() => Self::Busy,
            e if e.is_temporary() => Self::Unreachable(e.to_string()),
            e => Self::Absent(e.to_string()),
        }
    }
}

/// A profile older than this is read again when its owner is heard of.
const STALE: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

impl Federation {
    /// Finds out who signed a request that came from this address. `actor` is who is said to have: where a key that is
    /// not known is looked for. Whoever needs it to be them compares [`Sender::uri`]. Fetches only when the key is not
    /// known, or does not fit any more; what is fetched in vain is charged to the address, and not fetched again for a
    /// minute.
    ///
    /// # Errors
    /// See [`UnknownSender`].
    pub async fn sender(
        &self,
        parsed: &ParsedSignature,
        actor: Option<&str>,
        from: SentBy,
    ) -> Result<Arc<Sender>, UnknownSender> {
        let key_id = parsed.key_id();
        let host = Host::of_address(key_id).ok_or(UnknownSender::NotTheirs)?;
        let known = self.known_sender(key_id).await?;
        let document = key_id.split('#').next().unwrap_or(key_id);
        let mut looked_in = vec![document];
        if let Some(known) = &known {
            match parsed.verify(&known.key) {
                Ok(()) => {
                    self.charges.signed_well(from, &host);
                    self.refresh_if_stale(known).await?;
                    return Ok(Arc::clone(known));
                }
                Err(wrong) if self.looked_lately(document) || self.looked_lately(&known.uri) => {
                    return Err(wrong.into());
                }
                Err(_) => looked_in.push(&known.uri),
            }
        } else if self.looked_lately(document) {
            return Err(UnknownSender::Unreachable("it was looked for in vain a moment ago".to_owned()));
        }
        let owner = known.as_ref().map(|known| known.uri.as_str()).or(actor);
        let budget = self.budget_of_stranger(from);
        let found = self.fetch_sender(key_id, owner, &budget).await;
        let verified = found.and_then(|sender| parsed.verify(&sender.key).map(|()| sender).map_err(Into::into));
        match &verified {
            Ok(_) => {
                budget.give_back();
                self.charges.signed_well(from, &host);
                if known.is_some() {
                    // It was changed a moment ago: what does not fit now is a forgery.
                    looked_in.into_iter().for_each(|document| self.looked_for_key(document));
                }
            }
            Err(UnknownSender::App(_)) => budget.give_back(),
            // Whoever does not answer now may answer the next who asks.
            Err(UnknownSender::Unreachable(_) | UnknownSender::Busy) => {}
            Err(_) => looked_in.into_iter().for_each(|document| self.looked_for_key(document)),
        }
        verified
    }

    /// The owner of a key that is known here.
    async fn known_sender(&self, key_id: &str) -> Result<Option<Arc<Sender>>, UnknownSender> {
        if let Some(known) = self.remembered.sender(key_id) {
            return Ok(Some(known));
        }
        let now = self.remembered.now();
        let mut conn = self.app.db.read().await.map_err(app::Error::from)?;
        let Some((account, pem)) = stored_key(&mut conn, key_id).await.map_err(app::Error::from)? else {
            return Ok(None);
        };
        drop(conn);
        if account.is_local() {
            return Err(UnknownSender::NotTheirs);
        }
        // A stored key that cannot be read (any more) is as good as none: it is fetched.
        let Ok(key) = PublicKey::from_pem(&pem) else { return Ok(None) };
        let sender = Arc::new(Sender::new(&account, key).ok_or(UnknownSender::NotTheirs)?);
        self.remembered.keep_sender(now, key_id, Arc::clone(&sender));
        Ok(Some(sender))
    }

    /// Reads the key's owner (again) and finds the key in its document, or in the key's own.
    async fn fetch_sender(
        &self,
        key_id: &str,
        actor: Option<&str>,
        budget: &Budget,
    ) -> Result<Arc<Sender>, UnknownSender> {
        let document = key_id.split('#').next().unwrap_or(key_id);
        // A key with an address of its own may all the same be shown by its actor.
        let mut seen = None;
        if let Some(actor) = actor.filter(|actor| document == key_id && same_server(actor, key_id)) {
            let (account, value) = self.fetch_actor(actor, budget).await?;
            if let Some(pem) = shown_key(key_id, &account, &value)? {
                return sender(&account, &pem);
            }
            seen = Some((account, value));
        }
        let (at, value) = self.fetch(document, budget).await?;
        if !same_server(at.as_str(), key_id) {
            return Err(UnknownSender::NotTheirs);
        }
        if types(&value).any(|t| ActorKind::parse(t).is_some()) {
            let account = self.keep_actor(&value, budget).await?;
            let pem = shown_key(key_id, &account, &value)?.ok_or(UnknownSender::NotTheirs)?;
            return sender(&account, &pem);
        }
        // A document of its own: it names the actor, and the actor names it.
        let key = keys_of(&value).into_iter().find(|key| key.id == key_id).ok_or(UnknownSender::NotTheirs)?;
        let owner = key.owner.filter(|owner| same_server(owner, key_id)).ok_or(UnknownSender::NotTheirs)?;
        let (account, value) = match seen.filter(|(account, _)| account.uri == owner) {
            Some(seen) => seen,
            None => self.fetch_actor(&owner, budget).await?,
        };
        if account.uri != owner || !named_keys(&value).iter().any(|id| id == key_id) {
            return Err(UnknownSender::NotTheirs);
        }
        let sender = sender(&account, &key.pem)?;
        app::peers::account::keep_key(&self.app, &account, &AccountKey { id: key.id, pem: key.pem }).await?;
        self.remembered.forget_account(account.id);
        Ok(sender)
    }

    /// Asks for a profile to be read again, later, when it was last read long ago (or in the future, by a clock that
    /// was ahead). Only for who signed: nobody else makes us ask their server.
    async fn refresh_if_stale(&self, sender: &Sender) -> app::Result<()> {
        let now = self.app.now();
        let fresh = sender.fetched_at.is_some_and(|at| now < at.plus(STALE) && at < now.plus(STALE));
        // Once in a while is enough: the job may wait for its turn.
        if fresh || self.refreshed.get(&sender.id).is_some() {
            return Ok(());
        }
        self.refreshed.insert(sender.id, ());
        let mut tx = self.app.db.write().await?;
        tx.enqueue(Job::RefreshAccount { account: sender.id });
        tx.commit().await?;
        Ok(())
    }
}

/// What was fetched was written just now: it is read from there when its owner comes again.
fn sender(account: &Account, pem: &str) -> Result<Arc<Sender>, UnknownSender> {
    let key = PublicKey::from_pem(pem).map_err(|_| UnknownSender::UnusableKey)?;
    Sender::new(account, key).map(Arc::new).ok_or(UnknownSender::NotTheirs)
}

/// The key as its actor's document shows it; `None` where it is only named, or not there.
fn shown_key(key_id: &str, account: &Account, document: &Value) -> Result<Option<String>, UnknownSender> {
    if !same_server(key_id, &account.uri) {
        return Err(UnknownSender::NotTheirs);
    }
    match keys_of(document).into_iter().find(|key| key.id == key_id) {
        Some(key) if key.owner.as_deref().is_none_or(|owner| owner == account.uri) => Ok(Some(key.pem)),
        Some(_) => Err(UnknownSender::NotTheirs),
        None => Ok(None),
    }
}

/// A key that is known here, and its owner.
async fn stored_key(conn: &mut Conn, key_id: &str) -> storage::Result<Option<(Account, String)>> {
    if let Some(account) = accounts::by_key_id(conn, key_id).await? {
        let pem = account.public_key_pem.clone();
        return Ok(Some((account, pem)));
    }
    let Some((owner, pem)) = account_keys::by_key_id(conn, key_id).await? else { return Ok(None) };
    match accounts::get(conn, owner).await {
        Ok(account) => Ok(Some((account, pem))),
        Err(storage::Error::NotFound) => Ok(None),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::FetchError;

    /// What was not answered is not known to be missing: the next who asks may be answered.
    #[test]
    fn a_key_that_could_not_be_asked_for_is_not_taken_for_missing() {
        let became = |e: FetchError| UnknownSender::from(ResolveError::from(e));
        assert!(matches!(became(FetchError::Busy), UnknownSender::Busy));
        for silent in
            [FetchError::TooSlow, FetchError::Unreachable, FetchError::Status { status: 502, retry_after: None }]
        {
            assert!(matches!(became(silent), UnknownSender::Unreachable(_)));
        }
        for answered in [FetchError::Absent(404), FetchError::Forbidden(403), FetchError::Malformed] {
            assert!(matches!(became(answered), UnknownSender::Absent(_)));
        }
        assert!(matches!(became(FetchError::Absent(410)), UnknownSender::Gone));
        assert!(matches!(became(FetchError::Refused(crate::client::Refused::Blocked)), UnknownSender::Refused));
    }
}
