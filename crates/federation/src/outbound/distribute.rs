//! Jobs into deliveries: what happened is written as an activity, and a delivery is stored for every inbox that is
//! to have it. Nothing is sent here.
//!
//! A job may run twice; then its activity goes out twice under the same id, which receivers drop.

use std::collections::BTreeSet;

use app::secrets;
use domain::account::Account;
use domain::job::{subject_of_post, subject_of_profile};
use domain::post::Post;
use domain::{AccountId, Host, PostId, Timestamp, Viewer, Visibility};
use serde::Serialize;
use storage::deliveries::{self, Inbox, Kind, New, Urgency};
use storage::withdrawn::{withdraw, withdraw_from_former_reader};
use storage::{Conn, Tx, accounts, former_readers, hydrate, interactions, posts, recipients};

use crate::Federation;
use crate::wire::activity;
use crate::wire::actor::actor;
use crate::wire::context::{Context, Document};

/// How a like, follow or block is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    First,
    /// It may have been told before.
    Again,
    TakenBack,
}

/// What of a post is sent.
#[derive(Debug, Clone, Copy)]
enum Version<'a> {
    /// `again`: it may have been stored before.
    First {
        again: bool,
    },
    Edit {
        newly_addressed: &'a [AccountId],
    },
}

/// An activity ready to be stored, and where it goes.
#[derive(Default)]
struct Outgoing {
    body: String,
    inboxes: BTreeSet<String>,
    /// See [`New::subject`].
    subject: Option<String>,
    kind: Kind,
    urgency: Urgency,
    /// Not stored if this post is gone by then, or was edited again since this time.
    about: Option<(PostId, Option<Timestamp>)>,
    /// Stored as well if the author's account is closed by then. So is what has no subject: it takes something back.
    even_hidden: bool,
}

impl Federation {
    /// A new post or boost, to those who should have it. `again`: it may have been stored before.
    ///
    /// # Errors
    /// When the database refuses. A post that is gone meanwhile is no error: its deletion is a job of its own.
    pub async fn distribute_post(&self, id: PostId, again: bool) -> app::Result<()> {
        self.store_as_it_is(id, Version::First { again }).await
    }

    /// Stores a post or an edit of it, once more where it was edited meanwhile: nobody is sent what it said before.
    async fn store_as_it_is(&self, id: PostId, version: Version<'_>) -> app::Result<()> {
        let mut as_of = None;
        loop {
            let db = &self.app.db;
            let mut conn = match version {
                Version::First { .. } => db.glance().await?,
                Version::Edit { .. } => db.read().await?,
            };
            let Some((post, author)) = own_post(&mut conn, id).await? else { return Ok(()) };
            if as_of == Some(post.edited_at) {
                return Ok(());
            }
            as_of = Some(post.edited_at);
            let stored = match version {
                Version::First { again } => self.store_post(conn, id, &author, again).await?,
                Version::Edit { newly_addressed } => self.store_edit(conn, id, &author, newly_addressed).await?,
            };
            if stored {
                return Ok(());
            }
        }
    }

    /// `false` where it was not stored: the post was edited meanwhile, or is gone, or nobody is reached.
    async fn store_post(&self, mut conn: Conn, id: PostId, author: &Account, again: bool) -> app::Result<bool> {
        let inboxes: BTreeSet<String> = recipients::publication_inboxes(&mut conn, id).await?.into_iter().collect();
        if inboxes.is_empty() {
            return Ok(true);
        }
        let view = match hydrate::post(&mut conn, Viewer::Account(author.id), id).await {
            Err(storage::Error::NotFound) => return Ok(false),
            view => view?,
        };
        drop(conn);
        let body = match activity::announce(&view, &self.app.urls) {
            Some(announce) => document(Context::Plain, announce)?,
            None => document(Context::Note, activity::create(&view, &self.app.files))?,
        };
        let kind = if again { Kind::CreateAgain } else { Kind::Create };
        let subject = Some(subject_of_post(id));
        let about = Some((id, view.post().edited_at));
        let out = Outgoing { body, inboxes, subject, kind, about, ..Outgoing::default() };
        let Some((tx, inboxes)) = self.begin_to_store(author.id, &out).await? else { return Ok(false) };
        finish(tx, author.id, &out, &inboxes).await?;
        Ok(true)
    }

    /// An edit, to everybody who has the post and may see it now. Whoever has an older version and may see it no more
    /// keeps that.
    ///
    /// Servers ignore an `Update` of a post that they do not have: those whom the edit addresses first get the post in
    /// a `Create` before it. They get the `Update` as well: a server that has the post all the same, because somebody
    /// else there follows the author or looked at it, ignores the `Create`.
    ///
    /// What still waits to be sent of earlier versions says what the post says now: nobody gets the words before.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_edit(&self, id: PostId, newly_addressed: &[AccountId]) -> app::Result<()> {
        self.store_as_it_is(id, Version::Edit { newly_addressed }).await
    }

    /// As [`Federation::store_post`], for an edit.
    async fn store_edit(
        &self,
        mut conn: Conn,
        id: PostId,
        author: &Account,
        newly_addressed: &[AccountId],
    ) -> app::Result<bool> {
        let inboxes = recipients::update_inboxes(&mut conn, id).await?.into_iter().collect::<BTreeSet<_>>();
        if inboxes.is_empty() {
            return Ok(true);
        }
        let first: BTreeSet<String> =
            recipients::inboxes_that_see(&mut conn, id, newly_addressed).await?.into_iter().collect();
        let view = match hydrate::post(&mut conn, Viewer::Account(author.id), id).await {
            Err(storage::Error::NotFound) => return Ok(false),
            view => view?,
        };
        drop(conn);
        let create = document(Context::Note, activity::create(&view, &self.app.files))?;
        let update = document(Context::Note, activity::update_note(&view, &self.app.files))?;
        let (first, mut inboxes) = (self.reachable(&first).await?, self.reachable(&inboxes).await?);
        let subject = subject_of_post(id);
        let new = |body, kind| New { author: author.id, body, subject: Some(&subject), kind, urgency: Urgency::Usual };
        let mut tx = self.app.db.write_repeatable().await?;
        if !posts::hold(&mut tx, author.id, true, Some((id, view.post().edited_at))).await? {
            return Ok(false);
        }
        let unsent = deliveries::rewrite(&mut tx, id, &create, &update).await?;
        inboxes.retain(|inbox| !unsent.contains(&inbox.url));
        deliveries::enqueue(&mut tx, new(&create, Kind::CreateAgain), &first).await?;
        deliveries::enqueue(&mut tx, new(&update, Kind::Update), &inboxes).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A post or boost is taken back, from everybody who may have it, whether or not they may still see it. Left out
    /// are the inboxes it was never sent to (`unsent`; all of them where it was sent to nobody), unless they have a
    /// copy by what somebody did with it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_delete(&self, id: PostId, unsent: &[String], from_nobody: bool) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let (post, _) = posts::unchecked_or_tombstone(&mut conn, id).await?;
        let Some(author) = own_account(&mut conn, post.account_id).await? else { return Ok(()) };
        let mut inboxes = if from_nobody { BTreeSet::new() } else { all_it_was_sent_to(&mut conn, &post).await? };
        for inbox in unsent {
            inboxes.remove(inbox);
        }
        inboxes.extend(recipients::involved_inboxes(&mut conn, id).await?);
        let body = match post.boost_of_id {
            None => document(Context::Plain, activity::delete_note(&author.uri, &post.uri))?,
            Some(boosted) => {
                let (boosted, _) = posts::unchecked_or_tombstone(&mut conn, boosted).await?;
                document(Context::Plain, activity::undo_announce(&author.uri, &post.uri, &boosted.uri))?
            }
        };
        drop(conn);
        self.store(author.id, Outgoing { body, inboxes, urgency: Urgency::Deletion, ..Outgoing::default() }).await
    }

    /// A favourite, or its being taken back, to the post's author.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_favourite(&self, who: AccountId, post: PostId, uri: &str, said: Said) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let Some(who) = own_account(&mut conn, who).await? else { return Ok(()) };
        let (post, _) = posts::unchecked_or_tombstone(&mut conn, post).await?;
        let inboxes = own_inbox(&mut conn, post.account_id).await?;
        drop(conn);
        let like = activity::like(&who.uri, uri, &post.uri);
        self.store(who.id, relation(&who, uri, like, said, inboxes)?).await
    }

    /// A follow, or its end, to the one who is followed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_follow(&self, who: AccountId, target: AccountId, uri: &str, said: Said) -> app::Result<()> {
        let Some((who, target, inboxes)) = self.between(who, target).await? else { return Ok(()) };
        let follow = activity::follow(&who.uri, uri, &target.uri);
        self.store(who.id, relation(&who, uri, follow, said, inboxes)?).await
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
        if !accepted {
            self.withdraw_once_more(who.id, follower.id).await?;
        }
        let key = secrets::address_key();
        let urls = &self.app.urls;
        let body = match accepted {
            true => document(Context::Plain, activity::accept(&who, &follower.uri, follow_uri, urls, key))?,
            false => document(Context::Plain, activity::reject(&who, &follower.uri, follow_uri, urls, key))?,
        };
        self.store(who.id, Outgoing { body, inboxes, ..Outgoing::default() }).await
    }

    /// A block, or its end, to the one who is blocked: her server keeps the two apart.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_block(&self, who: AccountId, target: AccountId, uri: &str, said: Said) -> app::Result<()> {
        let Some((who, target, inboxes)) = self.between(who, target).await? else { return Ok(()) };
        if said != Said::TakenBack {
            self.withdraw_once_more(who.id, target.id).await?;
        }
        let block = activity::block(&who.uri, uri, &target.uri);
        self.store(who.id, Outgoing { even_hidden: true, ..relation(&who, uri, block, said, inboxes)? }).await
    }

    /// A changed profile, to followers' servers. What still waits to be sent of earlier ones is dropped.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn distribute_account(&self, who: AccountId) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let Some(who) = own_account(&mut conn, who).await? else { return Ok(()) };
        let inboxes: BTreeSet<String> = recipients::follower_inboxes(&mut conn, who.id).await?.into_iter().collect();
        drop(conn);
        let subject = subject_of_profile(who.id);
        let mut out = Outgoing { inboxes, subject: Some(subject.clone()), kind: Kind::Update, ..Outgoing::default() };
        let Some((mut tx, inboxes)) = self.begin_to_store(who.id, &out).await? else { return Ok(()) };
        // As it is now, and stays until this is stored: an older one never comes after a newer one.
        let view = hydrate::account(&mut tx, who.id).await?;
        let Some(actor) = actor(&view, &self.app.urls) else { return Ok(()) };
        out.body = document(Context::Actor, activity::update_actor(actor, self.app.now(), secrets::address_key()))?;
        withdraw(&mut tx, &subject).await?;
        finish(tx, who.id, &out, &inboxes).await
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
        let mut inboxes: BTreeSet<String> = recipients::every_inbox(&mut conn).await?.into_iter().collect();
        inboxes.extend(former_readers::inboxes_of_author(&mut conn, who.id).await?);
        drop(conn);
        let body = document(Context::Plain, activity::delete_actor(&who.uri))?;
        self.store(who.id, Outgoing { body, inboxes, urgency: Urgency::AccountDeletion, ..Outgoing::default() }).await
    }

    /// A pinned or unpinned post, to followers' servers. Not when it was unpinned or pinned again since: that is a job
    /// of its own, which may be done before this one.
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
        let inboxes: BTreeSet<String> = recipients::follower_inboxes(&mut conn, who.id).await?.into_iter().collect();
        drop(conn);
        let key = secrets::address_key();
        let body = match pinned {
            true => document(Context::Plain, activity::add_pin(&who, &post.uri, &self.app.urls, key))?,
            false => document(Context::Plain, activity::remove_pin(&who, &post.uri, &self.app.urls, key))?,
        };
        let subject = pinned.then(|| subject_of_post(post.id));
        let out = Outgoing { body, inboxes, subject, ..Outgoing::default() };
        let Some((mut tx, inboxes)) = self.begin_to_store(who.id, &out).await? else { return Ok(()) };
        if interactions::is_pinned(&mut tx, who.id, post.id).await? != pinned {
            return Ok(());
        }
        finish(tx, who.id, &out, &inboxes).await
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
        drop(conn);
        let inboxes = self.inbox_of(&other).await?;
        Ok((!inboxes.is_empty()).then_some((who, other, inboxes)))
    }

    /// Where an account elsewhere is reached, as [`recipients::inboxes_of`] says; empty for one of ours, and where
    /// nothing is sent to.
    pub(super) async fn inbox_of(&self, account: &Account) -> app::Result<BTreeSet<String>> {
        let Some(domain) = account.domain.as_ref().filter(|_| !account.is_suspended()) else {
            return Ok(BTreeSet::new());
        };
        let reached = !account.inbox_url.is_empty() && !self.is_suspended(domain).await?;
        Ok(reached.then(|| account.delivery_inbox().to_owned()).into_iter().collect())
    }

    /// Drops what waits for somebody who follows no more, or is blocked: a post that was being queued at that moment.
    async fn withdraw_once_more(&self, who: AccountId, reader: AccountId) -> app::Result<()> {
        let mut tx = self.app.db.write_repeatable().await?;
        withdraw_from_former_reader(&mut tx, who, reader).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn store(&self, author: AccountId, out: Outgoing) -> app::Result<()> {
        match self.begin_to_store(author, &out).await? {
            Some((tx, inboxes)) => finish(tx, author, &out, &inboxes).await,
            None => Ok(()),
        }
    }

    /// Begins the transaction in which something is stored, and says for which inboxes. `None` when there are none, and
    /// when by now its author or the post it is about is gone, or the author's account is closed.
    async fn begin_to_store(&self, author: AccountId, out: &Outgoing) -> app::Result<Option<(Tx, Vec<Inbox>)>> {
        let inboxes = self.reachable(&out.inboxes).await?;
        if inboxes.is_empty() {
            return Ok(None);
        }
        let mut tx = self.app.db.write_repeatable().await?;
        let shown = out.subject.is_some() && !out.even_hidden;
        let held = match out.urgency {
            Urgency::AccountDeletion => true,
            _ => posts::hold(&mut tx, author, shown, out.about).await?,
        };
        Ok(held.then_some((tx, inboxes)))
    }

    /// The inboxes at servers that are not suspended. (An account's inbox may be elsewhere than its handle.)
    async fn reachable(&self, inboxes: &BTreeSet<String>) -> app::Result<Vec<Inbox>> {
        let mut reachable: Vec<Inbox> = Vec::with_capacity(inboxes.len());
        for inbox in inboxes.iter().filter_map(|url| inbox(url)) {
            if !self.is_suspended(&inbox.host).await? {
                reachable.push(inbox);
            }
        }
        Ok(reachable)
    }
}

/// Stores what [`Federation::begin_to_store`] began with.
async fn finish(mut tx: Tx, author: AccountId, out: &Outgoing, inboxes: &[Inbox]) -> app::Result<()> {
    let Outgoing { body, subject, kind, urgency, .. } = out;
    let new = New { author, body, subject: subject.as_deref(), kind: *kind, urgency: *urgency };
    deliveries::enqueue(&mut tx, new, inboxes).await?;
    tx.commit().await?;
    Ok(())
}

/// A like, follow or block, or its being taken back.
fn relation<K: Serialize, O: Serialize>(
    who: &Account,
    uri: &str,
    what: activity::Activity<K, O>,
    said: Said,
    inboxes: BTreeSet<String>,
) -> app::Result<Outgoing> {
    let kind = match said {
        Said::First => Kind::Create,
        Said::Again => Kind::CreateAgain,
        Said::TakenBack => {
            let body = document(Context::Plain, activity::undo(&who.uri, what))?;
            return Ok(Outgoing { body, inboxes, ..Outgoing::default() });
        }
    };
    let (body, subject) = (document(Context::Plain, what)?, Some(uri.to_owned()));
    Ok(Outgoing { body, inboxes, subject, kind, ..Outgoing::default() })
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

/// The inboxes of everybody who may have been sent a post: followers unless it is direct, whom it addresses or
/// answers, and who was any of these before. For a boost also the author of what is boosted.
async fn all_it_was_sent_to(conn: &mut Conn, post: &Post) -> app::Result<BTreeSet<String>> {
    let mut inboxes = BTreeSet::new();
    if post.visibility != Visibility::Direct {
        inboxes.extend(recipients::follower_inboxes(conn, post.account_id).await?);
    }
    inboxes.extend(recipients::addressed_inboxes(conn, post.id).await?);
    inboxes.extend(former_readers::inboxes(conn, post.id).await?);
    let mut also: Vec<AccountId> = Vec::new();
    if post.visibility.is_open() {
        also.extend(post.in_reply_to_account_id);
    }
    if let Some(boosted) = post.boost_of_id {
        also.push(posts::unchecked_or_tombstone(conn, boosted).await?.0.account_id);
    }
    inboxes.extend(recipients::inboxes_of(conn, &also).await?);
    Ok(inboxes)
}

/// Where one account is reached; empty for a local one.
async fn own_inbox(conn: &mut Conn, id: AccountId) -> app::Result<BTreeSet<String>> {
    Ok(recipients::inboxes_of(conn, &[id]).await?.into_iter().collect())
}

fn inbox(url: &str) -> Option<Inbox> {
    Some(Inbox { host: Host::of_address(url)?, url: url.to_owned() })
}

pub(super) fn document<T: Serialize>(context: Context, activity: T) -> app::Result<String> {
    let bytes = Document::new(context, activity).to_bytes().map_err(app::Error::internal)?;
    String::from_utf8(bytes).map_err(app::Error::internal)
}
