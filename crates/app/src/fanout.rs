//! The one place where timelines, notifications, conversations and live events are written.
//!
//! A local post and a received one both end here, so they are shown alike. Everything happens in the transaction
//! of the change; listeners hear of it after commit.

use domain::account::Account;
use domain::event::Event;
use domain::notification::NotificationKind;
use domain::post::Post;
use domain::{AccountId, PostId, ThreadId, Visibility};
use storage::timelines::HomeEntry;
use storage::{Tx, accounts, conversations, follows, notifications, posts, timelines};

use crate::error::Result;

/// Moves the counters that a post or boost stands in: its author's, and those of what it answers or shares. `by` is 1
/// when it came to be and -1 when it goes.
///
/// A private message stands in none: everybody sees counters, and nobody who watches them may learn when somebody
/// writes privately.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn count(tx: &mut Tx, post: &Post, by: i64) -> Result<()> {
    if let Some(original) = post.boost_of_id {
        posts::count_boosts(tx, original, by).await?;
    }
    if post.visibility == Visibility::Direct {
        return Ok(());
    }
    let at = (by > 0).then_some(post.created_at);
    accounts::count_posts(tx, post.account_id, by, at).await?;
    if let Some(parent) = post.in_reply_to_id {
        posts::count_replies(tx, parent, by).await?;
    }
    Ok(())
}

/// A post (not a boost) came to be. `mentions` are those it addresses, `true` = silently.
///
/// # Errors
/// When the database refuses.
pub async fn post_created(tx: &mut Tx, author: &Account, post: &Post, mentions: &[(AccountId, bool)]) -> Result<()> {
    count(tx, post, 1).await?;
    timelines::add_to_homes(
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
    if post.visibility == Visibility::Public {
        timelines::add_to_tag_followers(tx, post.id, author.id).await?;
    }
    for &(account, _) in mentions.iter().filter(|(_, silent)| !silent) {
        notify(tx, account, author.id, NotificationKind::Mention, Some(post.id), Some(post.thread_id)).await?;
    }
    if post.visibility == Visibility::Direct {
        to_conversations(tx, author, post, mentions).await?;
    } else if post.in_reply_to_id.is_none() {
        for watcher in notifications::watchers(tx, author.id).await? {
            notify(tx, watcher, author.id, NotificationKind::Status, Some(post.id), None).await?;
        }
    }
    tx.emit(Event::PostCreated { post: post.id });
    Ok(())
}

/// Somebody boosted a post.
///
/// # Errors
/// When the database refuses.
pub async fn boost_created(tx: &mut Tx, booster: &Account, boost: &Post, original: &Post) -> Result<()> {
    count(tx, boost, 1).await?;
    timelines::add_to_homes(
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

/// A post was edited: those who are addressed by it now, and were not before, are told, and so are local members
/// who boosted it.
///
/// # Errors
/// When the database refuses.
pub async fn post_edited(tx: &mut Tx, author: &Account, post: &Post, newly_addressed: &[AccountId]) -> Result<()> {
    for account in newly_addressed {
        notify(tx, *account, author.id, NotificationKind::Mention, Some(post.id), Some(post.thread_id)).await?;
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
/// To be called before [`storage::posts::bury`], which forgets what it points at.
///
/// # Errors
/// When the database refuses.
pub async fn post_removed(tx: &mut Tx, post: &Post) -> Result<()> {
    count(tx, post, -1).await?;
    if let Some(original) = post.boost_of_id
        && let Ok(original) = posts::unchecked(tx, original).await
    {
        let kind = NotificationKind::Reblog;
        notifications::retract(tx, original.account_id, post.account_id, kind, Some(original.id)).await?;
    }
    timelines::remove_from_homes(tx, post.id, post.account_id).await?;
    for (account, conversation) in conversations::remove_post(tx, post.id).await? {
        tx.emit(Event::ConversationChanged { account, conversation });
    }
    tx.emit(Event::PostDeleted { post: post.id, author: post.account_id, visibility: post.visibility });
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

/// A private post goes into the conversation of everybody here whom it concerns, unless she blocks its author
/// or her community.
async fn to_conversations(tx: &mut Tx, author: &Account, post: &Post, mentions: &[(AccountId, bool)]) -> Result<()> {
    let mut people: Vec<AccountId> = mentions.iter().map(|(id, _)| *id).chain([author.id]).collect();
    people.sort();
    people.dedup();
    for account in accounts::many(tx, &people).await? {
        if !account.is_local() || follows::keeps_away(tx, account.id, author.id).await? {
            continue;
        }
        let others: Vec<AccountId> = people.iter().copied().filter(|id| *id != account.id).collect();
        let unread = account.id != author.id;
        let conversation = conversations::add_post(tx, account.id, &others, post.thread_id, post.id, unread).await?;
        tx.emit(Event::ConversationChanged { account: account.id, conversation });
    }
    Ok(())
}
