//! The one place where timelines, notifications, conversations and live events are written.
//!
//! A local post and a received one both end here, so they are shown alike. Everything happens in the transaction
//! of the change; listeners hear of it after commit.

use domain::account::Account;
use domain::event::Event;
use domain::notification::NotificationKind;
use domain::post::Post;
use domain::report::Report;
use domain::{AccountId, PostId, ThreadId, Visibility};
use storage::homes::HomeEntry;
use storage::posts::Links;
use storage::{
    Tx, accounts, attachments, audience, conversations, counts, follows, homes, members, notifications, posts, tags,
};

use crate::error::Result;

/// Ids that one event carries: PostgreSQL's messages have at most 8,000 bytes.
const IN_ONE_EVENT: usize = 300;

/// Moves the counters that a post or boost stands in: its author's, and those of what it answers or shares. `by` is 1
/// when it came to be and -1 when it goes.
///
/// What is not for everybody stands in none: everybody sees counters, and nobody who watches them may learn when
/// somebody writes to fewer.
pub(crate) fn count(tx: &mut Tx, post: &Post, by: i64) {
    if !post.visibility.is_open() {
        return;
    }
    let at = (by > 0).then_some(post.created_at);
    counts::posts(tx, post.account_id, by, at);
    if let Some(original) = post.boost_of_id {
        counts::boosts(tx, original, by, post.account_id);
    }
    if let Some(parent) = post.in_reply_to_id {
        counts::replies(tx, parent, by, post.account_id);
    }
}

/// A post that was for everybody is for fewer: it leaves the counters, and so do boosts of it, which nobody but those
/// fewer can see any more.
async fn closed(tx: &mut Tx, before: &Post) -> Result<()> {
    count(tx, before, -1);
    for boost in posts::boosts_of(tx, before.id).await? {
        let boost = posts::unchecked(tx, boost).await?;
        if boost.visibility.is_open() {
            count(tx, &boost, -1);
            posts::narrow_boost(tx, boost.id, Visibility::Followers).await?;
        }
    }
    Ok(())
}

/// Is a post news?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It takes its place in timelines, and is told to those it names; nobody hears that its author has written.
    None,
    /// It is told to all who listen. `watched`: members may have asked to hear of each post of its author.
    Of { watched: bool },
}

/// A post (not a boost) came to be, with its `links`.
///
/// # Errors
/// When the database refuses.
pub async fn post_created(tx: &mut Tx, author: &Account, post: &Post, links: &Links, news: News) -> Result<()> {
    let mentions = links.mentions.as_slice();
    count(tx, post, 1);
    homes::add(
        tx,
        &HomeEntry {
            post: post.id,
            author: author.id,
            boost_of: None,
            reply_to: post.in_reply_to_account_id.filter(|to| *to != author.id),
            language: post.language.as_deref(),
            mentioned_only: post.visibility == Visibility::Direct,
        },
    )
    .await?;
    if post.visibility == Visibility::Public && !links.tags.is_empty() {
        homes::add_for_tags(tx, post.id, author.id).await?;
    }
    for &(account, _) in mentions.iter().filter(|(_, silent)| !silent) {
        notify(tx, account, author.id, NotificationKind::Mention, Some(post.id), Some(post.thread_id)).await?;
    }
    if post.visibility == Visibility::Direct {
        to_conversations(tx, author, post, mentions).await?;
    } else if news == (News::Of { watched: true }) && post.in_reply_to_id.is_none() {
        for watcher in notifications::watchers(tx, author.id).await? {
            notify(tx, watcher, author.id, NotificationKind::Status, Some(post.id), None).await?;
        }
    }
    tx.emit(match news {
        News::Of { .. } => Event::PostCreated { post: post.id },
        News::None => Event::AccountChanged { account: author.id },
    });
    Ok(())
}

/// Somebody boosted a post.
///
/// # Errors
/// When the database refuses.
pub async fn boost_created(tx: &mut Tx, booster: &Account, boost: &Post, original: &Post) -> Result<()> {
    count(tx, boost, 1);
    homes::add(
        tx,
        &HomeEntry {
            post: boost.id,
            author: booster.id,
            boost_of: Some((original.account_id, original.id)),
            reply_to: None,
            language: original.language.as_deref(),
            mentioned_only: false,
        },
    )
    .await?;
    notify(tx, original.account_id, booster.id, NotificationKind::Reblog, Some(original.id), Some(original.thread_id))
        .await?;
    tx.emit(Event::PostCreated { post: boost.id });
    Ok(())
}

/// Whom an edited post addresses, and addressed before; `true` = silently.
#[derive(Debug, Clone, Copy)]
pub struct Readdressed<'a> {
    pub before: &'a [(AccountId, bool)],
    pub now: &'a [(AccountId, bool)],
}

impl Readdressed<'_> {
    /// Those whom it names, and did not before.
    #[must_use]
    pub fn newly_named(&self) -> Vec<AccountId> {
        let named = |id| self.before.iter().any(|(other, silent)| *other == id && !silent);
        self.now.iter().filter(|(id, silent)| !silent && !named(*id)).map(|(id, _)| *id).collect()
    }

    fn added(&self) -> Vec<AccountId> {
        Self::without(self.now, self.before)
    }

    fn taken_out(&self) -> Vec<AccountId> {
        Self::without(self.before, self.now)
    }

    fn without(some: &[(AccountId, bool)], others: &[(AccountId, bool)]) -> Vec<AccountId> {
        some.iter().map(|(id, _)| *id).filter(|id| !others.iter().any(|(other, _)| other == id)).collect()
    }
}

/// A post was edited: those whom it names now, and did not before, are told, and so are local members who boosted it.
/// For whom may see it no more it is gone.
///
/// # Errors
/// When the database refuses.
pub async fn post_edited(
    tx: &mut Tx,
    author: &Account,
    before: &Post,
    post: &Post,
    readdressed: Readdressed<'_>,
) -> Result<()> {
    for account in readdressed.newly_named() {
        notify(tx, account, author.id, NotificationKind::Mention, Some(post.id), Some(post.thread_id)).await?;
    }
    let (added, taken_out) = (readdressed.added(), readdressed.taken_out());
    if before.visibility.is_open() && !post.visibility.is_open() {
        closed(tx, before).await?;
    }
    if post.visibility == Visibility::Direct && before.visibility != Visibility::Direct {
        to_conversations(tx, author, post, readdressed.now).await?;
    } else if post.visibility == Visibility::Direct && !(added.is_empty() && taken_out.is_empty()) {
        to_other_conversations(tx, author, post, readdressed.now, &added).await?;
    }
    let outside = audience::hidden_from(tx, post.id, &taken_out).await?;
    notifications::remove_about(tx, &outside, post.id).await?;
    for account in outside {
        // Whom the author blocks never saw it.
        if !follows::is_blocking(tx, author.id, account).await? {
            tx.emit(Event::PostHidden { post: post.id, account });
        }
    }
    for boost in posts::boosts_of(tx, post.id).await? {
        let booster = posts::unchecked(tx, boost).await?;
        if booster.local {
            notify(tx, booster.account_id, author.id, NotificationKind::Update, Some(post.id), None).await?;
        }
    }
    tx.emit(Event::PostEdited { post: post.id });
    Ok(())
}

/// A post or boost is about to become a tombstone: it leaves every list, and the counters go back.
/// To be called before [`storage::posts::bury`], which forgets what it points at, and while it shows its media.
///
/// # Errors
/// When the database refuses.
pub async fn post_removed(tx: &mut Tx, post: &Post) -> Result<()> {
    count(tx, post, -1);
    if let Some(original) = post.boost_of_id
        && let Ok(original) = posts::unchecked(tx, original).await
    {
        let kind = NotificationKind::Reblog;
        notifications::retract(tx, original.account_id, post.account_id, kind, Some(original.id)).await?;
    }
    let mut accounts = homes::remove(tx, post.id, post.account_id).await?;
    let named = posts::mentions(tx, post.id).await?;
    accounts.extend(named.into_iter().filter(|(_, silent)| !silent).map(|(account, _)| account));
    accounts.sort();
    accounts.dedup();
    for some in accounts.chunks(IN_ONE_EVENT) {
        tx.emit(Event::PostLeft { post: post.id, accounts: some.to_vec() });
    }
    for left in conversations::remove_post(tx, post.id).await?.into_iter().filter(|left| left.told) {
        tx.emit(Event::ConversationChanged { account: left.owner, conversation: left.conversation });
    }
    let (mut tags, mut media) = (Vec::new(), false);
    if post.visibility == Visibility::Public && post.boost_of_id.is_none() {
        tags = tags::of_post(tx, post.id).await?;
        tags.truncate(IN_ONE_EVENT);
        media = !attachments::of_post(tx, post.id).await?.is_empty();
    }
    tx.emit(Event::PostDeleted { post: post.id, tags, media });
    Ok(())
}

/// Tells a member something, unless she wants to hear nothing of it; others are told by their own server.
///
/// # Errors
/// When the database refuses.
pub async fn notify(
    tx: &mut Tx,
    to: AccountId,
    from: AccountId,
    kind: NotificationKind,
    post: Option<PostId>,
    thread: Option<ThreadId>,
) -> Result<()> {
    if let Some(notification) = notifications::insert(tx, to, from, kind, post, thread).await? {
        tx.emit(Event::Notified { account: to, notification });
    }
    Ok(())
}

/// Tells those who run the community of a report. A moderator who is reported does not hear of it, nor does its author.
///
/// # Errors
/// When the database refuses.
pub async fn reported(tx: &mut Tx, report: &Report) -> Result<()> {
    for staff in members::staff(tx).await? {
        if staff == report.target_id || staff == report.account_id {
            continue;
        }
        if let Some(notification) = notifications::insert_report(tx, staff, report).await? {
            tx.emit(Event::Notified { account: staff, notification });
        }
    }
    Ok(())
}

/// A private post goes into the conversation of everybody here whom it concerns, unless she blocks its author
/// or her community.
async fn to_conversations(tx: &mut Tx, author: &Account, post: &Post, mentions: &[(AccountId, bool)]) -> Result<()> {
    let people = people(author, mentions);
    for account in accounts::many(tx, &people).await? {
        if account.is_local() && !follows::keeps_away(tx, account.id, author.id).await? {
            file(tx, &people, post, account.id, account.id != author.id, false).await?;
        }
    }
    Ok(())
}

/// A private post is for other people since it was edited: it goes from the conversations that it is in to theirs with
/// those people. Who had removed hers is not given another.
async fn to_other_conversations(
    tx: &mut Tx,
    author: &Account,
    post: &Post,
    mentions: &[(AccountId, bool)],
    added: &[AccountId],
) -> Result<()> {
    let people = people(author, mentions);
    let left = conversations::remove_post(tx, post.id).await?;
    for left in left.iter().filter(|left| left.told) {
        tx.emit(Event::ConversationChanged { account: left.owner, conversation: left.conversation });
    }
    for account in accounts::many(tx, &people).await? {
        if !account.is_local() || follows::keeps_away(tx, account.id, author.id).await? {
            continue;
        }
        let had = left.iter().find(|left| left.owner == account.id);
        if let Some(unread) = had.map(|left| left.unread).or(added.contains(&account.id).then_some(true)) {
            file(tx, &people, post, account.id, unread, true).await?;
        }
    }
    Ok(())
}

fn people(author: &Account, mentions: &[(AccountId, bool)]) -> Vec<AccountId> {
    let mut people: Vec<AccountId> = mentions.iter().map(|(id, _)| *id).chain([author.id]).collect();
    people.sort();
    people.dedup();
    people
}

/// Puts a post into a member's conversation with the others of these people.
async fn file(
    tx: &mut Tx,
    people: &[AccountId],
    post: &Post,
    owner: AccountId,
    unread: bool,
    moved: bool,
) -> Result<()> {
    let others: Vec<AccountId> = people.iter().copied().filter(|id| *id != owner).collect();
    let place = (post.thread_id, post.id);
    let filed = conversations::add_post(tx, owner, &others, place, unread, moved).await?;
    if filed.told {
        tx.emit(Event::ConversationChanged { account: owner, conversation: filed.conversation });
    }
    Ok(())
}
