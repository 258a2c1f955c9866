//! A member reports somebody, here or elsewhere, to those who run this community.

use domain::account::Account;
use domain::job::Job;
use domain::report::{BrokenRule, Report, ReportCategory};
use domain::{AccountId, PostId, ReportId, Viewer};
use storage::{accounts, posts, reports, settings};

use super::{DAY, POSTS};
use crate::error::{Error, Result};
use crate::{App, fanout, secrets};

/// Reports of one member that are kept in a day: more than anybody needs, too few to bury the others.
const A_DAY: i64 = 100;
/// Characters of the comment, as in Mastodon.
const COMMENT: usize = 1_000;

/// What the member says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    pub target: AccountId,
    pub posts: Vec<PostId>,
    pub comment: String,
    /// Rules that are named make it a violation whatever this says.
    pub category: ReportCategory,
    /// Ids of rules in the client API.
    pub rules: Vec<String>,
    /// Whether the target's server is told too, where it is another.
    pub forward: bool,
}

/// Keeps a report and tells those who run the community.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account, or one of the posts is not the target's or may not be seen by the
/// member; [`Error::Invalid`] on `account_id`, `comment`, `status_ids` or `rule_ids`; [`Error::Limited`] after a
/// hundred in a day; otherwise when the database refuses.
pub async fn create(app: &App, who: &Account, new: New) -> Result<Report> {
    let comment = domain::text::trimmed(&new.comment).to_owned();
    if comment.chars().count() > COMMENT {
        return Err(Error::invalid("comment", format!("is too long (maximum is {COMMENT} characters)")));
    }
    if new.posts.len() > POSTS {
        return Err(Error::invalid("status_ids", format!("must not be more than {POSTS}")));
    }
    if new.target == who.id {
        return Err(Error::invalid("account_id", "is your own account"));
    }
    let mut tx = app.db.write().await?;
    let target = accounts::get(&mut tx, new.target).await?;
    let now = tx.now();
    if reports::count_by(&mut tx, who.id, now.minus(DAY)).await? >= A_DAY {
        return Err(Error::Limited { until: now.plus(DAY) });
    }
    let mut named: Vec<PostId> = Vec::new();
    for id in new.posts {
        let post = posts::get(&mut tx, Viewer::Account(who.id), id).await?;
        if post.account_id != target.id {
            return Err(Error::NotFound);
        }
        if !named.contains(&id) {
            named.push(id);
        }
    }
    let mut rules: Vec<BrokenRule> = Vec::new();
    if !new.rules.is_empty() {
        let all = settings::community(&mut tx).await?.rules;
        for id in new.rules {
            let text = id.parse::<usize>().ok().and_then(|place| all.get(place.checked_sub(1)?)).cloned();
            let text = text.ok_or_else(|| Error::invalid("rule_ids", "does not reference valid rules"))?;
            if !rules.iter().any(|rule| rule.id == id) {
                rules.push(BrokenRule { id, text });
            }
        }
    }
    let id: ReportId = tx.id();
    let report = Report {
        id,
        uri: app.urls.report(secrets::address_key()),
        account_id: who.id,
        target_id: target.id,
        posts: named,
        comment,
        category: if rules.is_empty() { new.category } else { ReportCategory::Violation },
        rules,
        host: None,
        forwarded: new.forward && !target.is_local(),
        created_at: now,
        resolved_at: None,
        resolved_by: None,
    };
    reports::insert(&mut tx, &report).await?;
    fanout::reported(&mut tx, &report).await?;
    if report.forwarded {
        tx.enqueue(Job::ForwardReport { report: id });
    }
    tx.commit().await?;
    Ok(report)
}
