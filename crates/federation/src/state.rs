//! What every part of federation works with: the client, the keys it signs with, the keys it knows of others, and
//! what the owner decided about other communities.

use std::sync::Arc;
use std::time::Duration;

use app::App;
use bytes::Bytes;
use domain::AccountId;
use domain::account::Account;
use domain::event::Event;
use domain::instance::{DomainPolicy, DomainSeverity};
use moka::sync::Cache;
use tokio::sync::{OnceCell, broadcast};

use crate::client::{Budget, Client, SetUpError};
use crate::config::Config;
use crate::keys::Sender;
use crate::signature::SigningKey;
use crate::wire::actor::instance_key_id;

/// How long policies, and documents of our actors, are believed without looking again. A change made in this process,
/// or in another on PostgreSQL, is told at once; on the embedded database a command beside the server tells nobody.
const POLICIES_FOR: Duration = Duration::from_secs(5);
/// How long another server's key is believed without looking at its account again.
const SENDERS_FOR: Duration = Duration::from_secs(600);
/// A host's keys are fetched again, after one that did not fit, at most once in so long.
const REFETCH_AFTER: Duration = Duration::from_secs(300);
/// Keys that are looked for at a host in vain within that time; then strangers make us ask it no more.
const MISSES: u32 = 120;

/// Federation's state. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Federation {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub struct Inner {
    pub app: App,
    pub client: Client,
    pub config: Config,
    /// Parsed private keys of local accounts: parsing takes longer than signing.
    signing_keys: Cache<AccountId, Arc<SigningKey>>,
    instance: OnceCell<Instance>,
    /// By key id.
    senders: Cache<String, Arc<Sender>>,
    /// Hosts and actors whose key was fetched again a moment ago.
    pub(crate) refetched: Cache<String, ()>,
    /// How many keys of a host were looked for in vain in the last minutes.
    missed: Cache<String, u32>,
    policies: Cache<(), Arc<Vec<DomainPolicy>>>,
    /// Documents of local actors, by lower-case name.
    actors: Cache<String, Bytes>,
    /// WebFinger's answers for them, alike.
    fingers: Cache<String, Bytes>,
    /// The names and key ids under which something of an account is kept above.
    kept: Cache<AccountId, Arc<[String]>>,
}

/// The instance actor's key.
#[derive(Debug)]
struct Instance {
    key: Arc<SigningKey>,
    public_pem: String,
}

impl std::ops::Deref for Federation {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Federation {
    /// To be called within a tokio runtime: caches listen to the database's events from then on.
    ///
    /// # Errors
    /// When the outgoing client cannot be set up: see [`SetUpError`].
    pub fn new(app: App, config: Config) -> Result<Self, SetUpError> {
        let client = Client::new(&config, &app.urls, app.clock().clone())?;
        let events = app.db.hub().subscribe();
        let inner = Arc::new(Inner {
            client,
            config,
            signing_keys: Cache::new(10_000),
            instance: OnceCell::new(),
            senders: Cache::builder().max_capacity(50_000).time_to_live(SENDERS_FOR).build(),
            refetched: Cache::builder().max_capacity(10_000).time_to_live(REFETCH_AFTER).build(),
            missed: Cache::builder().max_capacity(10_000).time_to_live(REFETCH_AFTER).build(),
            policies: Cache::builder().max_capacity(1).time_to_live(POLICIES_FOR).build(),
            actors: Cache::builder().max_capacity(2_000).time_to_live(POLICIES_FOR).build(),
            fingers: Cache::builder().max_capacity(10_000).time_to_live(POLICIES_FOR).build(),
            kept: Cache::builder().max_capacity(60_000).time_to_live(SENDERS_FOR).build(),
            app,
        });
        tokio::spawn(forget_what_changed(Arc::downgrade(&inner), events));
        Ok(Self { inner })
    }
}

/// Drops what a change made stale, for as long as the state lives.
async fn forget_what_changed(inner: std::sync::Weak<Inner>, mut events: broadcast::Receiver<Event>) {
    loop {
        let event = events.recv().await;
        let Some(inner) = inner.upgrade() else { return };
        match event {
            Ok(Event::AccountChanged { account }) => inner.forget_account(account),
            Ok(Event::SettingsChanged) => {
                inner.policies.invalidate_all();
                // A domain that was blocked takes its accounts along.
                inner.senders.invalidate_all();
            }
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => {
                inner.policies.invalidate_all();
                inner.actors.invalidate_all();
                inner.fingers.invalidate_all();
                inner.senders.invalidate_all();
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

impl Inner {
    /// Forgets what is kept of an account: it changed.
    pub(crate) fn forget_account(&self, account: AccountId) {
        for name in self.kept.remove(&account).iter().flat_map(|names| names.iter()) {
            self.actors.invalidate(name);
            self.fingers.invalidate(name);
            self.senders.invalidate(name);
        }
    }

    fn remember(&self, account: AccountId, name: &str) {
        self.kept.entry(account).and_upsert_with(|known| {
            let known = known.map(moka::Entry::into_value).unwrap_or_default();
            if known.iter().any(|other| other == name) {
                return known;
            }
            known.iter().cloned().chain([name.to_owned()]).collect()
        });
    }

    /// The document of a local actor, if it was made a moment ago. By name, without regard to case.
    pub(crate) fn actor_document(&self, name: &str) -> Option<Bytes> {
        self.actors.get(&name.to_lowercase())
    }

    pub(crate) fn keep_actor_document(&self, name: &str, account: AccountId, document: Bytes) {
        let name = name.to_lowercase();
        self.remember(account, &name);
        self.actors.insert(name, document);
    }

    /// WebFinger's answer for a local account, if it was made a moment ago. By name, without regard to case.
    pub(crate) fn finger(&self, name: &str) -> Option<Bytes> {
        self.fingers.get(&name.to_lowercase())
    }

    pub(crate) fn keep_finger(&self, name: &str, account: AccountId, answer: Bytes) {
        let name = name.to_lowercase();
        self.remember(account, &name);
        self.fingers.insert(name, answer);
    }

    /// Who signs with a key, if it is known without looking.
    pub(crate) fn cached_sender(&self, key_id: &str) -> Option<Arc<Sender>> {
        self.senders.get(key_id)
    }

    pub(crate) fn cache_sender(&self, key_id: &str, sender: Arc<Sender>) {
        self.remember(sender.id, key_id);
        self.senders.insert(key_id.to_owned(), sender);
    }

    /// May a host be asked for one more key that is not known?
    pub(crate) fn may_look_for_keys(&self, host: &str) -> bool {
        self.missed.get(host).is_none_or(|misses| misses < MISSES)
    }

    /// A key was looked for at this host, in vain.
    pub(crate) fn missed_key(&self, host: &str) {
        self.missed
            .entry_by_ref(host)
            .and_upsert_with(|misses| misses.map_or(0, moka::Entry::into_value).saturating_add(1));
    }

    /// How many requests one occasion may cause.
    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget::new(self.config.fetch_budget)
    }

    /// The key that a local account signs with.
    ///
    /// # Errors
    /// [`app::Error::NotFound`] when it has none: it is remote, or was deleted.
    pub async fn signing_key(&self, account: &Account) -> app::Result<Arc<SigningKey>> {
        if let Some(key) = self.signing_keys.get(&account.id) {
            return Ok(key);
        }
        let mut conn = self.app.db.read().await?;
        let pem = storage::members::private_key(&mut conn, account.id).await?;
        drop(conn);
        let key = Arc::new(
            SigningKey::from_pem(account.public_key_id.clone(), &pem)
                .map_err(|_| app::Error::Internal(format!("the key of account {} is damaged", account.id)))?,
        );
        self.signing_keys.insert(account.id, Arc::clone(&key));
        Ok(key)
    }

    /// The key in whose name this server fetches; made at the first start and kept.
    ///
    /// # Errors
    /// When the database refuses, or no key can be made.
    pub async fn instance_key(&self) -> app::Result<Arc<SigningKey>> {
        Ok(Arc::clone(&self.instance().await?.key))
    }

    /// The public half of [`Inner::instance_key`], in PEM.
    ///
    /// # Errors
    /// As [`Inner::instance_key`].
    pub async fn instance_public_pem(&self) -> app::Result<String> {
        Ok(self.instance().await?.public_pem.clone())
    }

    async fn instance(&self) -> app::Result<&Instance> {
        self.instance
            .get_or_try_init(|| async {
                let pem = app::keys::of_instance(&self.app).await?;
                let damaged = |_| app::Error::Internal("the key of the instance actor is damaged".to_owned());
                let key = SigningKey::from_pem(instance_key_id(&self.app.urls), &pem).map_err(damaged)?;
                let public_pem = key.public_pem().map_err(damaged)?;
                Ok(Instance { key: Arc::new(key), public_pem })
            })
            .await
    }

    /// What the owner decided about a domain, or one that it belongs to.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn policy(&self, domain: &str) -> app::Result<Option<DomainSeverity>> {
        let all = match self.policies.get(&()) {
            Some(all) => all,
            None => {
                let mut conn = self.app.db.read().await?;
                let all = Arc::new(storage::domains::policies(&mut conn).await?);
                self.policies.insert((), Arc::clone(&all));
                all
            }
        };
        Ok(DomainPolicy::for_domain(&all, domain).map(|policy| policy.severity))
    }

    /// Does nothing come in from this domain, and nothing go out to it?
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn is_suspended(&self, domain: &str) -> app::Result<bool> {
        Ok(self.policy(domain).await? == Some(DomainSeverity::Suspend))
    }
}
