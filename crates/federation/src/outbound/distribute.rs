//! Jobs into deliveries: what happened is written as an activity, and a delivery is stored for every inbox that is
//! to have it. Nothing is sent here.
//!
//! A job may run twice; then its activity goes out twice under the same id, which receivers drop.

use std::collections::BTreeSet;

use app::secrets;
use domain::account::Account;
use domain::post::Post;
use domain::{AccountId, Host, PostId, Viewer, Visibility};
use serde::Serialize;
use storage::deliveries::{self, Inbox};
use storage::{Conn, accounts, follows, former_readers, hydrate, posts};

use crate::Federation;
use crate::wire::activity;
use crate::wire::actor::actor;
use crate::wire::context::{Context, Document};

/// An activity ready to be stored, and where it goes.
struct Outgoing {
    author: AccountId,
    body: String,
    inboxes: BTreeSet<String>,
}

impl Federation {
    /// A new post or boost, to those who should have it.
    ///
    /// # Errors
    /// When the database refuses. A post that is gone meanwhile is no error: its deletion is a job of its own.
    pub async fn distribute_post(&self, id: PostId) -> app::Result<()> {
        let mut conn = self.app.db.glance().await?;
        let Some((post, author)) = own_post(&mut conn, id).await? else { return Ok(()) };
        let mut inboxes = audience(&mut conn, &post).await?;
        if let Some(boosted) = post.boost_of_id {
            let boosted = posts::unchecked_or_tombstone(&mut conn, boosted).await?.0.account_id;
            if !follows::is_blocking(&mut conn, author.id, boosted).await? {
                inboxes.extend(own_inbox(&mut conn, boosted).await?);
            }
        }
        if inboxes.is_empty() {
            return Ok(());
        }
        let view = match hydrate::post(&mut conn, Viewer::Account(author.id), id).await {
            Err(storage::Error::NotFound) => return Ok(()),
            view => view?,
        };
        drop(conn);
        let body = match activity::announce(&view, &self.app.urls) {
            Some(announce) => document(Context::Plain, announce)?,
            None => document(Context::Note, activity::create(&view, &self.app.files))?,
        };
        self.store(Outgoing { author: author.id, body, inboxes }).await
    }

    /// An edit, to everybody who may see the post now. Whoever has an older version and may see it no more keeps that.
    ///
    /// Servers ignore an `Update` of a post that they do not have: those whom the edit addresses first get the post in
    /// a `Create` before it. They get the `Update` as well: a server that has the post all the same, because somebody
    /// else there follows the author or looked at it, ignores the `Create`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_edit(&self, id: PostId, newly_addressed: &[AccountId]) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let Some((post, author)) = own_post(&mut conn, id).await? else { return Ok(()) };
        let inboxes = audience(&mut conn, &post).await?;
        if inboxes.is_empty() {
            return Ok(());
        }
        let first: BTreeSet<String> =
            deliveries::inboxes_that_see(&mut conn, id, newly_addressed).await?.into_iter().collect();
        let view = match hydrate::post(&mut conn, Viewer::Account(author.id), id).await {
            Err(storage::Error::NotFound) => return Ok(()),
            view => view?,
        };
        drop(conn);
        if !first.is_empty() {
            let body = document(Context::Note, activity::create(&view, &self.app.files))?;
            self.store(Outgoing { author: author.id, body, inboxes: first }).await?;
        }
        let body = document(Context::Note, activity::update_note(&view, &self.app.files))?;
        self.store(Outgoing { author: author.id, body, inboxes }).await
    }

    /// A post or boost is taken back, from everybody who may have it, whether or not she may still see it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_delete(&self, id: PostId) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let (post, _) = posts::unchecked_or_tombstone(&mut conn, id).await?;
        let Some(author) = own_account(&mut conn, post.account_id).await? else { return Ok(()) };
        let inboxes = holders(&mut conn, &post).await?;
        let body = match post.boost_of_id {
            None => document(Context::Plain, activity::delete_note(&author.uri, &post.uri))?,
            Some(boosted) => {
                let (boosted, _) = posts::unchecked_or_tombstone(&mut conn, boosted).await?;
                document(Context::Plain, activity::undo_announce(&author.uri, &post.uri, &boosted.uri))?
            }
        };
        drop(conn);
        self.store(Outgoing { author: author.id, body, inboxes }).await
    }

    /// A favourite, to the post's author; or, `undo`, its being taken back.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_favourite(&self, who: AccountId, post: PostId, uri: &str, undo: bool) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let Some(who) = own_account(&mut conn, who).await? else { return Ok(()) };
        let (post, _) = posts::unchecked_or_tombstone(&mut conn, post).await?;
        let inboxes = own_inbox(&mut conn, post.account_id).await?;
        drop(conn);
        let like = activity::like(&who.uri, uri, &post.uri);
        let body = match undo {
            false => document(Context::Plain, like)?,
            true => document(Context::Plain, activity::undo(&who.uri, like))?,
        };
        self.store(Outgoing { author: who.id, body, inboxes }).await
    }

    /// A follow, or its end, to the one who is followed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_follow(&self, who: AccountId, target: AccountId, uri: &str, undo: bool) -> app::Result<()> {
        let Some((who, target, inboxes)) = self.between(who, target).await? else { return Ok(()) };
        let follow = activity::follow(&who.uri, uri, &target.uri);
        let body = match undo {
            false => document(Context::Plain, follow)?,
            true => document(Context::Plain, activity::undo(&who.uri, follow))?,
        };
        self.store(Outgoing { author: who.id, body, inboxes }).await
    }

    /// The answer to a follow.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_answer(
        &self,
        who: AccountId,
        follower: AccountId,
        follow_uri: &str,
        accepted: bool,
    ) -> app::Result<()> {
        let Some((who, follower, inboxes)) = self.between(who, follower).await? else { return Ok(()) };
        let key = secrets::address_key();
        let urls = &self.app.urls;
        let body = match accepted {
            true => document(Context::Plain, activity::accept(&who, &follower.uri, follow_uri, urls, key))?,
            false => document(Context::Plain, activity::reject(&who, &follower.uri, follow_uri, urls, key))?,
        };
        self.store(Outgoing { author: who.id, body, inboxes }).await
    }

    /// A block, or its end, to the one who is blocked: her server keeps the two apart.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_block(&self, who: AccountId, target: AccountId, uri: &str, undo: bool) -> app::Result<()> {
        let Some((who, target, inboxes)) = self.between(who, target).await? else { return Ok(()) };
        let block = activity::block(&who.uri, uri, &target.uri);
        let body = match undo {
            false => document(Context::Plain, block)?,
            true => document(Context::Plain, activity::undo(&who.uri, block))?,
        };
        self.store(Outgoing { author: who.id, body, inboxes }).await
    }

    /// A changed profile, to followers' servers.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_account(&self, who: AccountId) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let Some(who) = own_account(&mut conn, who).await? else { return Ok(()) };
        let inboxes: BTreeSet<String> = deliveries::follower_inboxes(&mut conn, who.id).await?.into_iter().collect();
        let view = match hydrate::account(&mut conn, who.id).await {
            // Closed meanwhile: nobody sees her profile.
            Err(storage::Error::NotFound) => return Ok(()),
            view => view?,
        };
        drop(conn);
        let Some(actor) = actor(&view, &self.app.urls) else { return Ok(()) };
        let body = document(Context::Actor, activity::update_actor(actor, self.app.now(), secrets::address_key()))?;
        self.store(Outgoing { author: who.id, body, inboxes }).await
    }

    /// A deleted account, to every server that may know it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_account_delete(&self, who: AccountId) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let Some(who) = accounts::many_even_deleted(&mut conn, &[who]).await?.pop().filter(Account::is_local) else {
            return Ok(());
        };
        let mut inboxes: BTreeSet<String> = deliveries::every_inbox(&mut conn).await?.into_iter().collect();
        inboxes.extend(former_readers::inboxes_of_author(&mut conn, who.id).await?);
        drop(conn);
        let body = document(Context::Plain, activity::delete_actor(&who.uri))?;
        self.store(Outgoing { author: who.id, body, inboxes }).await
    }

    /// A pinned or unpinned post, to followers' servers.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_pin(&self, who: AccountId, post: PostId, pinned: bool) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let Some(who) = own_account(&mut conn, who).await? else { return Ok(()) };
        let (post, _) = posts::unchecked_or_tombstone(&mut conn, post).await?;
        if !post.visibility.is_open() {
            // The collection that servers read holds open posts only.
            return Ok(());
        }
        let inboxes: BTreeSet<String> = deliveries::follower_inboxes(&mut conn, who.id).await?.into_iter().collect();
        drop(conn);
        let key = secrets::address_key();
        let body = match pinned {
            true => document(Context::Plain, activity::add_pin(&who, &post.uri, &self.app.urls, key))?,
            false => document(Context::Plain, activity::remove_pin(&who, &post.uri, &self.app.urls, key))?,
        };
        self.store(Outgoing { author: who.id, body, inboxes }).await
    }

    /// The two accounts of something that happens between them, and where the other is reached. `None` when one of
    /// them is gone, or nothing needs to be sent.
    async fn between(
        &self,
        who: AccountId,
        other: AccountId,
    ) -> app::Result<Option<(Account, Account, BTreeSet<String>)>> {
        let mut conn = self.app.db.read().await?;
        let Some(who) = own_account(&mut conn, who).await? else { return Ok(None) };
        let other = match accounts::get(&mut conn, other).await {
            Err(storage::Error::NotFound) => return Ok(None),
            other => other?,
        };
        let inboxes = own_inbox(&mut conn, other.id).await?;
        Ok((!inboxes.is_empty()).then_some((who, other, inboxes)))
    }

    async fn store(&self, out: Outgoing) -> app::Result<()> {
        let mut inboxes: Vec<Inbox> = Vec::with_capacity(out.inboxes.len());
        for inbox in out.inboxes.into_iter().filter_map(|url| inbox(&url)) {
            // An account's inbox may be elsewhere than its handle.
            if !self.is_suspended(&inbox.host).await? {
                inboxes.push(inbox);
            }
        }
        if inboxes.is_empty() {
            return Ok(());
        }
        let mut tx = self.app.db.write().await?;
        deliveries::enqueue(&mut tx, out.author, &out.body, &inboxes).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A live local post and its author.
async fn own_post(conn: &mut Conn, id: PostId) -> app::Result<Option<(Post, Account)>> {
    let post = match posts::unchecked(conn, id).await {
        Err(storage::Error::NotFound) => return Ok(None),
        post => post?,
    };
    Ok(own_account(conn, post.account_id).await?.map(|author| (post, author)))
}

/// A live local account: only they send. One that was closed meanwhile still takes back what it said.
async fn own_account(conn: &mut Conn, id: AccountId) -> app::Result<Option<Account>> {
    match accounts::even_hidden(conn, id).await {
        Ok(account) => Ok(account.is_local().then_some(account)),
        Err(storage::Error::NotFound) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// The inboxes of everybody whom a post or boost concerns and who may see it now.
async fn audience(conn: &mut Conn, post: &Post) -> app::Result<BTreeSet<String>> {
    Ok(deliveries::audience_inboxes(conn, post.id).await?.into_iter().collect())
}

/// The inboxes of everybody who may have been sent a post: followers unless it is direct, whom it addresses or
/// answers, whoever answered or boosted it, and who was any of these before. For a boost also the author of what is
/// boosted.
async fn holders(conn: &mut Conn, post: &Post) -> app::Result<BTreeSet<String>> {
    let mut inboxes = BTreeSet::new();
    if post.visibility != Visibility::Direct {
        inboxes.extend(deliveries::follower_inboxes(conn, post.account_id).await?);
    }
    inboxes.extend(deliveries::addressed_inboxes(conn, post.id).await?);
    inboxes.extend(deliveries::involved_inboxes(conn, post.id).await?);
    inboxes.extend(former_readers::inboxes(conn, post.id).await?);
    let mut also: Vec<AccountId> = Vec::new();
    if post.visibility.is_open() {
        also.extend(post.in_reply_to_account_id);
    }
    if let Some(boosted) = post.boost_of_id {
        also.push(posts::unchecked_or_tombstone(conn, boosted).await?.0.account_id);
    }
    inboxes.extend(deliveries::inboxes_of(conn, &also).await?);
    Ok(inboxes)
}

/// Where one account is reached; empty for a local one.
async fn own_inbox(conn: &mut Conn, id: AccountId) -> app::Result<BTreeSet<String>> {
    Ok(deliveries::inboxes_of(conn, &[id]).await?.into_iter().collect())
}

fn inbox(url: &str) -> Option<Inbox> {
    Some(Inbox { host: Host::of_address(url)?, url: url.to_owned() })
}

fn document<T: Serialize>(context: Context, activity: T) -> app::Result<String> {
    let bytes = Document::new(context, activity).to_bytes().map_err(app::Error::internal)?;
    String::from_utf8(bytes).map_err(app::Error::internal)
}
