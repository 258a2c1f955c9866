//! What every part of federation works with.

use std::sync::Arc;

use app::App;
use domain::AccountId;
use domain::account::Account;
use moka::sync::Cache;

use crate::client::{Client, SetUpError};
use crate::config::Config;
use crate::signature::SigningKey;

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
        let client = Client::new(&config, &app.urls, app.clock().clone())?;
        Ok(Self { inner: Arc::new(Inner { app, client, config, signing_keys: Cache::new(10_000) }) })
    }
}

impl Inner {
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
}
