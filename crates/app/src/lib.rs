//! What a person or a server can do: check the rule, write, enqueue. One verb a file.
//!
//! Every change to the database goes through here, whichever door it came by: the client API, a page,
//! ActivityPub, the command line. Nothing here knows HTTP, JSON shapes or SQL, and nothing uses the network.

pub mod accounts;
mod address;
pub mod attachments;
pub mod community;
pub mod conversations;
pub mod error;
pub mod fanout;
mod file_secret;
pub mod follows;
pub mod invites;
pub mod keys;
pub mod lists;
pub mod markers;
pub mod moderation;
pub mod notifications;
pub mod oauth;
pub mod passwords;
pub mod peers;
pub mod posts;
pub mod received_ids;
pub mod remote_media;
pub mod reports;
pub mod secrets;
pub mod sessions;
pub mod tags;

use std::sync::Arc;

use domain::instance::SignUp;
use domain::limits::Limits;
use domain::{Clock, FileUrls, IdGenerator, Urls};
use media::MediaStore;
use storage::Db;

use accounts::familiar::SignInTags;
use received_ids::ReceivedIds;

pub use error::{Error, Result};

/// What the owner decides in the configuration, as far as verbs need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub sign_up: SignUp,
    pub limits: Limits,
    /// Where the source of what runs here can be had: whoever changed it offers it there (AGPL, section 13).
    pub source_url: String,
    /// HTTP is served on a loopback address: nobody comes by but from this machine, or through a proxy on it.
    pub only_here: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sign_up: SignUp::default(),
            limits: Limits::default(),
            source_url: env!("CARGO_PKG_REPOSITORY").to_owned(),
            only_here: false,
        }
    }
}

/// What every verb works with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub struct Inner {
    pub db: Db,
    pub urls: Urls,
    /// Addresses of what posts show.
    pub files: FileUrls,
    /// Ids of what comes without one.
    pub received_ids: ReceivedIds,
    /// What is kept of the addresses that members sign in from.
    sign_in_tags: SignInTags,
    pub config: Config,
    pub media: MediaStore,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl App {
    /// Takes up its work: the first time, the secret behind the addresses of private pictures is made.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `url` when the database's members live at another address; else when the database refuses.
    pub async fn open(db: Db, urls: Urls, config: Config, media: MediaStore) -> Result<Self> {
        address::check(&mut db.read().await?, &urls).await?;
        let secret = file_secret::of(&db).await?;
        let (files, received_ids) = (FileUrls::new(urls.clone(), secret), ReceivedIds::new(secret));
        let sign_in_tags = SignInTags::new(secret);
        Ok(Self { inner: Arc::new(Inner { db, urls, files, received_ids, sign_in_tags, config, media }) })
    }
}

impl Inner {
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.db.clock()
    }

    #[must_use]
    pub fn now(&self) -> domain::Timestamp {
        self.db.clock().now()
    }

    #[must_use]
    pub fn ids(&self) -> &IdGenerator {
        self.db.ids()
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.config.limits
    }
}
