//! What every part of federation works with: the client, the keys it signs with, the keys it knows of others, and
//! what the owner decided about other communities.

use std::sync::Arc;
use std::time::Duration;

use app::App;
use domain::account::Account;
use domain::{AccountId, Host, Timestamp};
use storage::Recent;
use tokio::sync::OnceCell;

use crate::charges::{Charges, Party, SentBy};
use crate::client::{Asker, Budget, Client, Purpose, SetUpError};
use crate::config::Config;
use crate::policies::Policies;
use crate::remembered::Remembered;
use crate::signature::SigningKey;
use crate::wire::actor::instance_key_id;

/// How long a parsed private key is used before it is read again.
const SIGNING_KEYS_FOR: Duration = Duration::from_secs(3600);
/// A stale profile is asked for at most once in so long.
const REFRESH_AFTER: Duration = Duration::from_secs(300);
const TOOK_BACK_FOR: Duration = Duration::from_secs(300);
/// A key that was looked for is not looked for again, for anybody, for so long.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(60);

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
    signing_keys: Recent<AccountId, Arc<SigningKey>>,
    instance: OnceCell<Instance>,
    pub(crate) remembered: Arc<Remembered>,
    policies: Policies,
    /// Accounts that were asked to be read again a moment ago.
    pub(crate) refreshed: Recent<AccountId, ()>,
    /// Actors that took something back a moment ago: longer than between a claim and what it gave being worked on.
    pub(crate) took_back: Recent<AccountId, ()>,
    /// Documents in which a key was looked for in vain, or found to be changed, and when.
    looked: Recent<String, Timestamp>,
    pub(crate) charges: Arc<Charges>,
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
    /// # Errors
    /// When the outgoing client cannot be set up: see [`SetUpError`].
    pub fn new(app: App, config: Config) -> Result<Self, SetUpError> {
        let remembered = Arc::new(Remembered::new(app.db.hub()));
        let policies = Policies::new(app.db.clone(), Arc::clone(&remembered));
        let client = Client::new(&config, &app.urls, app.clock().clone())?.obeying(policies.clone());
        let inner = Arc::new(Inner {
            client,
            config,
            signing_keys: Recent::new(10_000, SIGNING_KEYS_FOR),
            instance: OnceCell::new(),
            remembered,
            policies,
            refreshed: Recent::new(10_000, REFRESH_AFTER),
            took_back: Recent::new(10_000, TOOK_BACK_FOR),
            looked: Recent::new(10_000, LOOK_AGAIN_AFTER),
            charges: Arc::new(Charges::new()),
            app,
        });
        Ok(Self { inner })
    }
}

impl Inner {
    /// Was a key looked for in this document a moment ago?
    pub(crate) fn looked_lately(&self, document: &str) -> bool {
        let now = self.app.now();
        self.looked.get(document).is_some_and(|at| at <= now && now < at.plus(LOOK_AGAIN_AFTER))
    }

    /// A key was looked for in this document.
    pub(crate) fn looked_for_key(&self, document: &str) {
        self.looked.insert(document.to_owned(), self.app.now());
    }

    /// For what a request makes us ask before it is known who sent it.
    pub(crate) fn budget_of_stranger(&self, from: SentBy) -> Budget {
        self.budget_of(Purpose::Sender, Asker::Nobody).charged_to(Party::Address(from), &self.charges)
    }

    /// For what an activity makes us ask that somebody at this host sent.
    pub(crate) fn budget_of_server(&self, host: &Host) -> Budget {
        self.budget().charged_to(Party::Server(host.clone()), &self.charges)
    }

    /// How many requests one occasion may cause that nobody waits for.
    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget::new(self.config.fetch_budget)
    }

    /// How many requests one occasion may cause for somebody who waits.
    #[must_use]
    pub fn budget_of(&self, purpose: Purpose, asker: Asker) -> Budget {
        Budget::of(self.config.fetch_budget, purpose, asker)
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

    /// Does nothing come in from this domain, and nothing go out to it?
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn is_suspended(&self, domain: &Host) -> app::Result<bool> {
        self.policies.suspend(domain).await
    }
}
