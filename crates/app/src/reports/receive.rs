//! Another server passes on what one of its people reports of a member here.

use domain::account::Account;
use domain::report::{Report, ReportCategory};
use domain::{AccountId, PostId};
use storage::{accounts, posts, reports};

use super::{DAY, POSTS};
use crate::App;
use crate::error::{Error, Result};
use crate::fanout;

/// Reports of one server that are kept in a day: enough for a bad day, too few to fill the disk.
const A_DAY: i64 = 200;
/// Characters of the comment.
const COMMENT: usize = 5_000;

/// A report as it came, about accounts and posts that are known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub uri: String,
    pub target: AccountId,
    /// Those that are not the target's are left out.
    pub posts: Vec<PostId>,
    pub comment: String,
}

/// Keeps a report and tells those who run the community. `false` when it is here already.
///
/// # Errors
/// [`Error::NotFound`] when it is about nobody of this community; [`Error::Limited`] when the server has sent too many
/// in a day; otherwise when the database refuses.
pub async fn receive(app: &App, reporter: &Account, received: Received) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let target = accounts::even_hidden(&mut tx, received.target).await?;
    let Some(host) = reporter.domain.clone().filter(|_| target.is_local()) else { return Err(Error::NotFound) };
    let now = tx.now();
    if reports::count_from(&mut tx, &host, now.minus(DAY)).await? >= A_DAY {
        return Err(Error::Limited { until: now.plus(DAY) });
    }
    let mut named = Vec::new();
    for id in received.posts.into_iter().take(POSTS) {
        let (post, _) = posts::unchecked_or_tombstone(&mut tx, id).await?;
        if post.account_id == target.id && !named.contains(&id) {
            named.push(id);
        }
    }
    let report = Report {
        id: tx.id(),
        uri: received.uri,
        account_id: reporter.id,
        target_id: target.id,
        posts: named,
        comment: domain::text::trimmed(&received.comment).chars().take(COMMENT).collect(),
        category: ReportCategory::Other,
        rules: Vec::new(),
        host: Some(host),
        forwarded: false,
        created_at: now,
        resolved_at: None,
        resolved_by: None,
    };
    let new = reports::insert(&mut tx, &report).await?;
    if new {
        fanout::reported(&mut tx, &report).await?;
        tx.commit().await?;
    }
    Ok(new)
}
