//! What is taken back while it waits in a queue is dropped from it: what was deleted or undone, and posts that an inbox
//! may not have any more.
//!
//! Deliveries that are under way now cannot be called back. They are not tried again: the bytes they would be sent with
//! are gone, and what takes them back is sent after them, since a host with deliveries under way is given no others.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::job::{self, Job};
use domain::{AccountId, ActivityId, Host, PostId, Visibility};

use crate::db::Tx;
use crate::deliveries::{Kind, forget_activities, hold};
use crate::error::Result;
use crate::recipients::{has_follower_at, update_inboxes, update_inboxes_of_others};
use crate::{jobs, posts, sql};

/// What waited, and is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Withdrawn {
    /// The job that would have queued it had not begun: no server was sent it.
    pub from_everybody: bool,
    /// Inboxes that waited for it and were never sent it.
    pub unsent: Vec<String>,
    /// A delivery of it was begun.
    begun: bool,
}

impl Withdrawn {
    /// No server heard of it, so none needs to hear that it is taken back. Only for what goes to a single inbox: of
    /// others some may have been sent it long ago.
    #[must_use]
    pub fn was_never_sent(&self) -> bool {
        !self.begun && (self.from_everybody || !self.unsent.is_empty())
    }
}

/// Drops the jobs and deliveries that would bring something to other servers: see [`Job::subject`].
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw(tx: &mut Tx, subject: &str) -> Result<Withdrawn> {
    let from_everybody = jobs::withdraw(tx, subject).await?.iter().any(Job::publishes);
    let activities = sql!("SELECT id, kind FROM outgoing_activities WHERE subject = $1")
        .bind(subject)
        .all::<(i64, String)>(tx)
        .await?;
    let first: HashSet<i64> =
        activities.iter().filter(|(_, kind)| kind == Kind::Create.as_str()).map(|(id, _)| *id).collect();
    let activities: Vec<ActivityId> = activities.into_iter().map(|(id, _)| ActivityId(id)).collect();
    let Dropped { waiting, under_way } = drop_activities(tx, &activities).await?;
    let mut begun: HashSet<&str> = under_way.iter().map(|(inbox,)| inbox.as_str()).collect();
    begun.extend(waiting.iter().filter(|(_, _, attempts)| *attempts > 0).map(|(_, inbox, _)| inbox.as_str()));
    let unsent = waiting
        .iter()
        .filter(|(activity, inbox, _)| first.contains(activity) && !begun.contains(inbox.as_str()))
        .map(|(_, inbox, _)| inbox.clone())
        .collect();
    Ok(Withdrawn { from_everybody, unsent, begun: !begun.is_empty() })
}

/// Drops all that an account would send: its deletion says everything.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw_account(tx: &mut Tx, author: AccountId) -> Result<()> {
    let activities = sql!("SELECT id FROM outgoing_activities WHERE account_id = $1").bind(author).ids(tx).await?;
    drop_activities(tx, &activities).await?;
    Ok(())
}

/// Drops what waits of all that an account says: it was closed, and nobody sees it. What it takes back stays, and so
/// do its blocks.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw_words_of(tx: &mut Tx, author: AccountId) -> Result<()> {
    let activities: Vec<ActivityId> = sql!(
        "SELECT o.id FROM outgoing_activities o WHERE o.account_id = $1 AND o.subject IS NOT NULL
            AND o.subject NOT IN (SELECT b.uri FROM blocks b WHERE b.account_id = $1)"
    )
    .bind(author)
    .ids(tx)
    .await?;
    drop_activities(tx, &activities).await?;
    Ok(())
}

/// Drops deliveries of a post to inboxes where nobody may see it any more: an edit addresses fewer accounts.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw_from_former_audience(tx: &mut Tx, post: PostId) -> Result<()> {
    let waiting = sql!(
        "SELECT DISTINCT d.inbox_url FROM outgoing_activities a JOIN deliveries d ON d.activity_id = a.id
         WHERE a.subject = $1"
    )
    .bind(job::subject_of_post(post))
    .all::<(String,)>(tx)
    .await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let wanted: HashSet<String> = update_inboxes(tx, post).await?.into_iter().collect();
    let former: Vec<String> =
        waiting.into_iter().map(|(inbox,)| inbox).filter(|inbox| !wanted.contains(inbox)).collect();
    drop_from_inboxes(tx, &job::subject_of_post(post), &former).await
}

/// As [`withdraw_from_former_reader`], for all of a community, which the author has blocked.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw_from_domain(tx: &mut Tx, author: AccountId, domain: &Host) -> Result<()> {
    let waiting = sql!(
        "SELECT DISTINCT d.inbox_url, a.subject
         FROM (SELECT DISTINCT coalesce(shared_inbox_url, inbox_url) AS url FROM accounts WHERE domain = $1) AS i
            JOIN deliveries d ON d.inbox_url = i.url JOIN outgoing_activities a ON a.id = d.activity_id
         WHERE d.account_id = $2 AND a.subject IS NOT NULL"
    )
    .bind(domain)
    .bind(author)
    .all(tx)
    .await?;
    withdraw_unseen(tx, author, waiting).await
}

/// Drops an author's posts that wait to be sent to the inbox of an account that follows no more, or was blocked, and
/// that nobody at that inbox may see now. Nothing happens for a local account.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn withdraw_from_former_reader(tx: &mut Tx, author: AccountId, reader: AccountId) -> Result<()> {
    let inbox = sql!("SELECT coalesce(shared_inbox_url, inbox_url) FROM accounts WHERE id = $1 AND domain <> ''")
        .bind(reader)
        .maybe::<(String,)>(tx)
        .await?;
    let Some((inbox,)) = inbox else { return Ok(()) };
    let waiting = sql!(
        "SELECT DISTINCT d.inbox_url, a.subject FROM deliveries d JOIN outgoing_activities a ON a.id = d.activity_id
         WHERE d.inbox_url = $1 AND d.account_id = $2 AND a.subject IS NOT NULL"
    )
    .bind(&inbox)
    .bind(author)
    .all(tx)
    .await?;
    withdraw_unseen(tx, author, waiting).await
}

/// Of an author's activities that wait, by inbox and subject, drops the posts that nobody at the inbox may see now, and
/// the author's profile where nobody there follows.
///
/// Followers are many: they are asked about once for an inbox, the others once for a post.
async fn withdraw_unseen(tx: &mut Tx, author: AccountId, waiting: Vec<(String, String)>) -> Result<()> {
    let mut inboxes: HashMap<&str, bool> = waiting.iter().map(|(inbox, _)| (inbox.as_str(), false)).collect();
    for (inbox, follows) in &mut inboxes {
        *follows = has_follower_at(tx, author, inbox).await?;
    }
    let mut subjects: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (inbox, subject) in &waiting {
        subjects.entry(subject).or_default().push(inbox.clone());
    }
    let profile = job::subject_of_profile(author);
    for (subject, mut unseen) in subjects {
        if let Some(post) = job::post_of_subject(subject) {
            let (published, _) = posts::unchecked_or_tombstone(tx, post).await?;
            if published.visibility != Visibility::Direct {
                unseen.retain(|inbox| !inboxes[inbox.as_str()]);
            }
            if !unseen.is_empty() {
                let seen: HashSet<String> = update_inboxes_of_others(tx, post).await?.into_iter().collect();
                unseen.retain(|inbox| !seen.contains(inbox));
            }
        } else if subject == profile {
            unseen.retain(|inbox| !inboxes[inbox.as_str()]);
        } else {
            continue;
        }
        drop_from_inboxes(tx, subject, &unseen).await?;
    }
    Ok(())
}

/// Of one subject, to these inboxes.
async fn drop_from_inboxes(tx: &mut Tx, subject: &str, inboxes: &[String]) -> Result<()> {
    if inboxes.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let activities: Vec<ActivityId> =
        sql!("SELECT id FROM outgoing_activities WHERE subject = $1").bind(subject).ids(tx).await?;
    hold(tx, &activities).await?;
    sql!("DELETE FROM deliveries WHERE activity_id = ANY($1) AND inbox_url = ANY($2) AND leased_until <= $3")
        .bind(&activities)
        .bind(inboxes)
        .bind(now)
        .run(tx)
        .await?;
    // Other inboxes still get the activity: what is under way to these becomes a delivery of nothing.
    let nothing: ActivityId = tx.id();
    sql!(
        "INSERT INTO outgoing_activities (id, account_id, body, created_at)
         SELECT $1, d.account_id, '', $2 FROM deliveries d WHERE d.activity_id = ANY($3) AND d.inbox_url = ANY($4) LIMIT 1"
    )
    .bind(nothing)
    .bind(now)
    .bind(&activities)
    .bind(inboxes)
    .run(tx)
    .await?;
    sql!("UPDATE deliveries SET activity_id = $1 WHERE activity_id = ANY($2) AND inbox_url = ANY($3)")
        .bind(nothing)
        .bind(&activities)
        .bind(inboxes)
        .run(tx)
        .await?;
    forget_activities(tx, activities).await
}

/// What became of deliveries.
#[derive(Default)]
struct Dropped {
    /// Dropped: activity, inbox, and how often they were begun.
    waiting: Vec<(i64, String, i64)>,
    /// The inboxes of those that are left, since they are under way.
    under_way: Vec<(String,)>,
}

async fn drop_activities(tx: &mut Tx, activities: &[ActivityId]) -> Result<Dropped> {
    if activities.is_empty() {
        return Ok(Dropped::default());
    }
    let now = tx.now();
    hold(tx, activities).await?;
    let waiting = sql!(
        "DELETE FROM deliveries WHERE activity_id = ANY($1) AND leased_until <= $2
         RETURNING activity_id, inbox_url, attempts"
    )
    .bind(activities)
    .bind(now)
    .all(tx)
    .await?;
    let under_way =
        sql!("SELECT inbox_url FROM deliveries WHERE activity_id = ANY($1)").bind(activities).all(tx).await?;
    forget_activities(tx, activities.to_vec()).await?;
    sql!("UPDATE outgoing_activities SET body = '' WHERE id = ANY($1)").bind(activities).run(tx).await?;
    Ok(Dropped { waiting, under_way })
}
