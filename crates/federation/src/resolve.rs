//! From a handle, an address or an id to an account or post that stands in the database.
//!
//! What is known is read; what is not is fetched, checked and written. No transaction is open while the network is
//! used. What another server says counts only for what is its own: ids on its host, handles that lead back.

use app::peers::account::FurtherKeys;
use app::posts::receive::{Outcome, receive};
use domain::account::{Account, AccountKey, ActorKind, Handle, ProfileImage};
use domain::urls::page_of;
use domain::{AccountId, AddressKey, Host, PostId, Timestamp};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use storage::{accounts, posts};
use url::Url;

use crate::Federation;
use crate::client::{Asker, Budget, FetchError, Purpose, Refused, Want};
use crate::inbound::note::received;
use crate::webfinger;
use crate::wire::lenient::types;
use crate::wire::read::activity::ActivityKind;
use crate::wire::read::note::NoteKind;
use crate::wire::read::{ReceivedActivity, ReceivedActor, ReceivedNote, Unusable};

/// Why something was not found.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// There is no such thing, or it is not ours to see.
    #[error("not found")]
    NotFound,
    /// There was, and it is deleted.
    #[error("gone")]
    Gone,
    #[error("its community is not connected with this one")]
    Suspended,
    #[error("{0}")]
    Fetch(FetchError),
    #[error("cannot be understood: {0}")]
    Unusable(#[from] Unusable),
    /// The handle leads to another account than the one that claims it.
    #[error("its handle leads elsewhere")]
    Handle,
    #[error(transparent)]
    App(#[from] app::Error),
}

impl From<FetchError> for ResolveError {
    fn from(e: FetchError) -> Self {
        match e {
            FetchError::Absent(410) => Self::Gone,
            FetchError::Refused(Refused::Blocked) => Self::Suspended,
            FetchError::Absent(_) | FetchError::Forbidden(_) => Self::NotFound,
            e => Self::Fetch(e),
        }
    }
}

impl From<storage::Error> for ResolveError {
    fn from(e: storage::Error) -> Self {
        Self::App(e.into())
    }
}

impl ResolveError {
    /// Was nobody asked, because too much is being asked for already?
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Fetch(FetchError::Busy))
    }

    /// Is it worth trying again later?
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Fetch(e) => e.is_temporary(),
            Self::App(e) => matches!(e, app::Error::Unavailable(_) | app::Error::Internal(_)),
            _ => false,
        }
    }
}

/// What an address led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    Account(AccountId),
    Post(PostId),
}

/// What the server of a post or account says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    There,
    /// Not found: deleted, or not for us to see.
    Absent,
    /// Deleted, and its server says so.
    Gone,
}

/// What of an address must be escaped to stand in a query.
const QUERY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'<').add(b'>').add(b'?');

/// What of an address must be escaped to be one value of another: all but RFC 3986's unreserved characters.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Federation {
    /// An account by what a person typed: `@name@domain`, `name@domain`, a profile's address or an actor's id.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn resolve_account(&self, text: &str) -> Result<Account, ResolveError> {
        self.resolve_account_for(Asker::Nobody, text).await
    }

    /// As [`Federation::resolve_account`], for somebody who is counted.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn resolve_account_for(&self, asker: Asker, text: &str) -> Result<Account, ResolveError> {
        let text = text.trim();
        if text.starts_with("https://") || text.starts_with("http://") {
            return match self.resolve_for(asker, text).await? {
                Resolved::Account(id) => {
                    let mut conn = self.app.db.read().await?;
                    Ok(accounts::get(&mut conn, id).await?)
                }
                Resolved::Post(_) => Err(ResolveError::NotFound),
            };
        }
        let handle = Handle::parse(text).ok_or(ResolveError::NotFound)?;
        let domain = handle.elsewhere(&self.app.urls);
        let mut conn = self.app.db.read().await?;
        let known = accounts::by_handle(&mut conn, &handle.username, domain).await?;
        drop(conn);
        match (known, domain) {
            (Some(known), _) => Ok(known),
            (None, None) => Err(ResolveError::NotFound),
            (None, Some(domain)) => {
                let budget = self.budget_of(Purpose::LookUp, asker);
                let found = self.finger(&handle.username, domain, None, &budget).await?;
                self.resolve_actor(found.actor.as_str(), &budget).await
            }
        }
    }

    /// Whatever an address leads to.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn resolve(&self, address: &str) -> Result<Resolved, ResolveError> {
        self.resolve_for(Asker::Nobody, address).await
    }

    /// As [`Federation::resolve`], for somebody who is counted.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn resolve_for(&self, asker: Asker, address: &str) -> Result<Resolved, ResolveError> {
        if let Some(known) = self.known(address).await? {
            return Ok(known);
        }
        if self.app.urls.is_ours(address) {
            return Err(ResolveError::NotFound);
        }
        let budget = self.budget_of(Purpose::LookUp, asker);
        let (_, value) = self.fetch(address, &budget).await?;
        self.keep(&value, &budget).await
    }

    /// An account or post that is here already, by id or by the address of its page.
    pub(crate) async fn known(&self, address: &str) -> Result<Option<Resolved>, ResolveError> {
        let mut conn = self.app.db.read().await?;
        if let Some(account) = accounts::by_uri(&mut conn, address).await? {
            return Ok(Some(Resolved::Account(account.id)));
        }
        if let Some(post) = posts::unchecked_by_uri(&mut conn, address).await? {
            return Ok(Some(Resolved::Post(post.id)));
        }
        let Some(page) = address.strip_prefix(self.app.urls.base()).and_then(|rest| rest.strip_prefix("/@")) else {
            return Ok(None);
        };
        let (name, below) = page.trim_end_matches('/').split_once('/').unwrap_or((page.trim_end_matches('/'), ""));
        let Some(account) = accounts::by_handle(&mut conn, name, None).await? else { return Ok(None) };
        if below.is_empty() {
            return Ok(Some(Resolved::Account(account.id)));
        }
        let Ok(key) = below.parse::<AddressKey>() else { return Ok(None) };
        // Apps may write the page's address with the id that the client API gives. Callers ask who may see the post.
        let found = posts::at_address(&mut conn, &self.app.urls, &account.username, key).await?;
        let Some(id) = found.or(key.as_id()) else { return Ok(None) };
        match posts::unchecked(&mut conn, id).await {
            Ok(post) if post.account_id == account.id => Ok(Some(Resolved::Post(id))),
            Ok(_) | Err(storage::Error::NotFound) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Writes a fetched document, whatever it is.
    async fn keep(&self, value: &Value, budget: &Budget) -> Result<Resolved, ResolveError> {
        if types(value).any(|t| ActorKind::parse(t).is_some()) {
            return Ok(Resolved::Account(self.keep_actor(value, budget).await?.id));
        }
        if types(value).any(|t| NoteKind::parse(t).is_some()) {
            return Ok(Resolved::Post(self.keep_note(value, budget).await?));
        }
        // The activity that a post came with: its object counts where it stands itself.
        let activity = ReceivedActivity::read(value)?;
        match (activity.kind, activity.object.id) {
            (ActivityKind::Create, Some(id)) => Ok(Resolved::Post(Box::pin(self.resolve_post(&id, budget)).await?)),
            _ => Err(ResolveError::NotFound),
        }
    }

    /// An account by its ActivityPub id.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn resolve_actor(&self, uri: &str, budget: &Budget) -> Result<Account, ResolveError> {
        let mut conn = self.app.db.read().await?;
        if let Some(known) = accounts::by_uri(&mut conn, uri).await? {
            return Ok(known);
        }
        if accounts::is_deleted(&mut conn, uri).await? {
            return Err(ResolveError::Gone);
        }
        drop(conn);
        if self.app.urls.is_ours(uri) {
            return Err(ResolveError::NotFound);
        }
        Ok(self.fetch_actor(uri, budget).await?.0)
    }

    /// Reads an actor from its server, known or not, and writes it; with its document.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub(crate) async fn fetch_actor(&self, uri: &str, budget: &Budget) -> Result<(Account, Value), ResolveError> {
        let (_, value) = self.fetch(uri, budget).await?;
        Ok((self.keep_actor(&value, budget).await?, value))
    }

    /// Reads a known remote account again. An end that its server tells of is an end here.
    ///
    /// # Errors
    /// When it is worth trying again: the database refuses, or the server does not answer.
    pub async fn refresh(&self, account: &Account) -> Result<(), ResolveError> {
        match self.fetch_actor(&account.uri, &self.budget()).await {
            Ok(_) => Ok(()),
            Err(ResolveError::Gone) => {
                app::peers::account::gone(&self.app, account).await?;
                Ok(())
            }
            Err(e) => {
                app::peers::account::unreachable(&self.app, account).await?;
                if e.is_temporary() { Err(e) } else { Ok(()) }
            }
        }
    }

    /// Writes an actor that its own server vouches for.
    pub(crate) async fn keep_actor(&self, value: &Value, budget: &Budget) -> Result<Account, ResolveError> {
        let actor = ReceivedActor::read(value)?;
        let handle = self.handle_of(&actor, budget).await?;
        let domain = handle.domain.ok_or(ResolveError::Handle)?;
        if self.is_suspended(&domain).await? {
            return Err(ResolveError::Suspended);
        }
        crate::inbound::note::keep_emojis(self, &domain, &actor.emojis).await?;
        let account = account(&actor, domain, self.app.ids().next(), self.app.now());
        let further = actor.keys.into_iter().skip(1).map(|key| AccountKey { id: key.id, pem: key.pem });
        let keys = FurtherKeys { shown: further.collect(), named: actor.named_keys };
        let stored = Box::pin(app::peers::account::receive(&self.app, &account, &keys)).await?;
        self.remembered.forget_account(stored.id);
        Ok(stored)
    }

    /// Under which handle an actor is known: checked both ways, unless both halves are on one server anyway.
    async fn handle_of(&self, actor: &ReceivedActor, budget: &Budget) -> Result<Handle, ResolveError> {
        let id = Url::parse(&actor.id).map_err(|_| ResolveError::NotFound)?;
        let host = Host::of(&id).ok_or(ResolveError::NotFound)?;
        let own = Handle { username: actor.username.clone(), domain: Some(host.clone()) };
        if let Some(claimed) = actor.claimed_handle.as_deref().and_then(Handle::parse)
            && let Some(domain) = claimed.domain.clone()
        {
            if domain == host && claimed.username.eq_ignore_ascii_case(&actor.username) {
                return Ok(own);
            }
            let found = self.finger(&claimed.username, &domain, Some(id.scheme()), budget).await?;
            let leads_back = found.actor == id && found.handle.domain.as_ref() == Some(&domain);
            return if leads_back { Ok(found.handle) } else { Err(ResolveError::Handle) };
        }
        let found = match self.finger(&actor.username, &host, Some(id.scheme()), budget).await {
            Ok(found) => found,
            // A server without WebFinger for its actors: the id speaks for itself.
            Err(e) if !e.is_temporary() => return Ok(own),
            Err(e) => return Err(e),
        };
        if found.actor != id {
            return Err(ResolveError::Handle);
        }
        if found.handle.domain.as_ref() == Some(&host) {
            return Ok(own);
        }
        // The host says that its handles live elsewhere; the other side must say the same.
        let domain = found.handle.domain.clone().ok_or(ResolveError::Handle)?;
        let other = self.finger(&found.handle.username, &domain, Some(id.scheme()), budget).await?;
        if other.actor == id { Ok(found.handle) } else { Err(ResolveError::Handle) }
    }

    /// The page on which somebody with this handle, at home elsewhere, can do something with what is ours: `uri` is its
    /// ActivityPub id. Her own server says where that page is; it is not asked for here.
    ///
    /// # Errors
    /// See [`ResolveError`]; `NotFound` where her server names no such page.
    pub async fn interaction_page(&self, handle: &Handle, uri: &str, asker: Asker) -> Result<Url, ResolveError> {
        let domain = handle.domain.as_ref().ok_or(ResolveError::NotFound)?;
        let budget = self.budget_of(Purpose::LookUp, asker);
        let answer = self.ask_finger(&handle.username, domain, None, &budget).await?;
        let template = webfinger::interaction_template(&answer).ok_or(ResolveError::NotFound)?;
        let uri = utf8_percent_encode(uri, VALUE).to_string();
        let page = Url::parse(&template.replace("{uri}", &uri)).map_err(|_| ResolveError::NotFound)?;
        self.client.guard().check_url(&page).map_err(FetchError::from)?;
        Ok(page)
    }

    /// What a domain's WebFinger knows about a name.
    async fn finger(
        &self,
        username: &str,
        domain: &Host,
        scheme: Option<&str>,
        budget: &Budget,
    ) -> Result<webfinger::Found, ResolveError> {
        webfinger::read(&self.ask_finger(username, domain, scheme, budget).await?).ok_or(ResolveError::NotFound)
    }

    /// Asks a domain's WebFinger. Where plain http is allowed, it is asked too if https does not answer.
    async fn ask_finger(
        &self,
        username: &str,
        domain: &Host,
        scheme: Option<&str>,
        budget: &Budget,
    ) -> Result<Value, ResolveError> {
        let resource = format!("acct:{username}@{domain}");
        let resource = utf8_percent_encode(&resource, QUERY).to_string();
        let schemes: &[&str] = match scheme {
            Some("http") => &["http"],
            Some(_) => &["https"],
            None if self.config.allow_http => &["https", "http"],
            None => &["https"],
        };
        let mut outcome = Err(ResolveError::NotFound);
        for scheme in schemes {
            outcome = self.finger_at(scheme, domain, &resource, budget).await;
            if !matches!(outcome, Err(ResolveError::Fetch(FetchError::Unreachable | FetchError::Busy))) {
                break;
            }
        }
        outcome
    }

    async fn finger_at(
        &self,
        scheme: &str,
        domain: &Host,
        resource: &str,
        budget: &Budget,
    ) -> Result<Value, ResolveError> {
        let parse = |text: String| Url::parse(&text).map_err(|_| ResolveError::NotFound);
        let url = parse(format!("{scheme}://{domain}/.well-known/webfinger?resource={resource}"))?;
        match self.client.json(&url, Want::Jrd, None, budget).await {
            Ok((_, answer)) => Ok(answer),
            Err(e @ (FetchError::Absent(_) | FetchError::MediaType | FetchError::Malformed)) => {
                // Some domains keep WebFinger elsewhere and say so in their host-meta.
                let meta = parse(format!("{scheme}://{domain}/.well-known/host-meta"))?;
                let Ok(meta) = self.client.get(&meta, Want::Xrd, None, budget).await else { return Err(e.into()) };
                let template =
                    webfinger::template_of(&String::from_utf8_lossy(&meta.body)).ok_or(ResolveError::NotFound)?;
                let url = parse(template.replace("{uri}", resource))?;
                Ok(self.client.json(&url, Want::Jrd, None, budget).await?.1)
            }
            Err(e) => Err(e.into()),
        }
    }

    /// A post by its ActivityPub id, fetched if it is not here.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn resolve_post(&self, uri: &str, budget: &Budget) -> Result<PostId, ResolveError> {
        let mut conn = self.app.db.read().await?;
        if let Some(post) = posts::unchecked_by_uri(&mut conn, uri).await? {
            return Ok(post.id);
        }
        if posts::uri_is_known(&mut conn, uri).await? {
            return Err(ResolveError::Gone);
        }
        drop(conn);
        if self.app.urls.is_ours(uri) {
            return Err(ResolveError::NotFound);
        }
        let (_, value) = self.fetch(uri, budget).await?;
        match Box::pin(self.keep(&value, budget)).await? {
            Resolved::Post(id) => Ok(id),
            Resolved::Account(_) => Err(ResolveError::NotFound),
        }
    }

    /// Writes a post that its own server vouches for; somebody here asked for it.
    async fn keep_note(&self, value: &Value, budget: &Budget) -> Result<PostId, ResolveError> {
        let note = ReceivedNote::read(value)?;
        if note.vote.is_some() {
            return Err(ResolveError::NotFound);
        }
        let author = self.resolve_actor(&note.attributed_to, budget).await?;
        if author.is_suspended() || author.is_local() {
            return Err(ResolveError::NotFound);
        }
        let uri = note.id.clone();
        let post = received(self, &author, note, budget).await?;
        match receive(&self.app, &author, post, true).await? {
            Outcome::Created(id) => Ok(id),
            Outcome::Known | Outcome::Irrelevant => {
                let mut conn = self.app.db.read().await?;
                let post = posts::unchecked_by_uri(&mut conn, &uri).await?;
                post.map(|post| post.id).ok_or(ResolveError::Gone)
            }
        }
    }

    /// Does its own server still have something? Where that cannot be told (it does not answer, it refuses us), an
    /// error.
    pub(crate) async fn standing(&self, id: &str, budget: &Budget) -> Result<Standing, ResolveError> {
        match self.fetch_raw(id, budget).await? {
            Ok((_, value)) if types(&value).any(|t| t == "Tombstone") => Ok(Standing::Gone),
            Ok(_) => Ok(Standing::There),
            Err(FetchError::Absent(410)) => Ok(Standing::Gone),
            Err(FetchError::Absent(_)) => Ok(Standing::Absent),
            Err(e) => Err(ResolveError::Fetch(e)),
        }
    }

    /// Fetches a document in the name of this server.
    pub(crate) async fn fetch(&self, address: &str, budget: &Budget) -> Result<(Url, Value), ResolveError> {
        Ok(self.fetch_raw(address, budget).await??)
    }

    async fn fetch_raw(
        &self,
        address: &str,
        budget: &Budget,
    ) -> Result<Result<(Url, Value), FetchError>, ResolveError> {
        let url = Url::parse(address).map_err(|_| ResolveError::NotFound)?;
        let key = self.instance_key().await?;
        Ok(self.client.object(&url, Some(&key), budget).await)
    }
}

/// The row of a remote account. Counters start at nought: they count what is known here.
fn account(actor: &ReceivedActor, domain: Host, id: AccountId, now: Timestamp) -> Account {
    let image = |image: &Option<crate::wire::read::actor::ReceivedImage>| {
        image.as_ref().map(|image| ProfileImage {
            key: None,
            still_key: None,
            remote_url: Some(image.url.clone()),
            description: image.description.clone(),
        })
    };
    let key = actor.keys.first();
    Account {
        id,
        username: actor.username.clone(),
        url: page_of(actor.url.clone(), &actor.id, Some(&domain)),
        domain: Some(domain),
        uri: actor.id.clone(),
        kind: actor.kind,
        display_name: actor.display_name.clone(),
        note: actor.summary.clone(),
        fields: actor.fields.clone(),
        avatar: image(&actor.icon),
        header: image(&actor.image),
        locked: actor.locked,
        discoverable: actor.discoverable,
        indexable: actor.indexable,
        hide_collections: false,
        inbox_url: actor.inbox.clone(),
        shared_inbox_url: actor.shared_inbox.clone(),
        outbox_url: actor.outbox.clone(),
        followers_url: actor.followers.clone(),
        following_url: actor.following.clone(),
        featured_url: actor.featured.clone(),
        public_key_pem: key.map(|key| key.pem.clone()).unwrap_or_default(),
        public_key_id: key.map(|key| key.id.clone()).unwrap_or_default(),
        also_known_as: actor.also_known_as.clone(),
        moved_to_uri: actor.moved_to.clone(),
        posts_count: 0,
        followers_count: 0,
        following_count: 0,
        last_post_at: None,
        created_at: actor.published.unwrap_or(now),
        fetched_at: Some(now),
        suspended_at: None,
        silenced_at: None,
    }
}
