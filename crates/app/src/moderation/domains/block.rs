//! Another community is blocked, with everything below its domain: nothing comes in and nothing goes out.
//!
//! At once: its accounts and posts are shown to nobody here, what bound members to its people has ended, and what was
//! queued is dropped. It is told nothing of it. By a job: its posts leave home timelines. What members wrote about it
//! (blocks, mutes, notes, bookmarks) stays, and its posts are shown again when the block is taken back; follows are not.

use domain::Host;
use domain::account::Role;
use domain::event::Event;
use domain::instance::DomainSeverity;
use domain::job::Job;
use storage::domains;

use crate::App;
use crate::accounts::By;
use crate::error::Result;

/// What it meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// As it is kept.
    pub domain: Host,
    /// Accounts from there that are known here.
    pub accounts: i64,
    /// Follows that ended, both ways.
    pub follows: usize,
    /// Deliveries that were dropped.
    pub deliveries: usize,
}

/// # Errors
/// [`crate::Error::Forbidden`] for all but admins; [`crate::Error::Invalid`] on `domain` or `reason`.
pub async fn block(app: &App, by: By<'_>, domain: &str, reason: Option<&str>) -> Result<Blocked> {
    let (domain, reason) = (super::other(app, domain)?, super::reason(reason)?);
    let mut tx = app.db.write().await?;
    by.require(&mut tx, Role::Admin).await?;
    domains::set(&mut tx, &domain, DomainSeverity::Suspend, reason).await?;
    let known = domains::known(&mut tx, &domain).await?;
    let severed = domains::sever(&mut tx, &known).await?;
    let deliveries = domains::drop_queued(&mut tx, &domain, &known).await?;
    let accounts = domains::count_accounts(&mut tx, &known).await?;
    for account in severed.members {
        tx.emit(Event::RelationsChanged { account });
        tx.emit(Event::AccountChanged { account });
    }
    tx.enqueue(Job::ForgetDomain { domain: domain.clone() });
    tx.emit(Event::SettingsChanged);
    tx.commit().await?;
    Ok(Blocked { domain, accounts, follows: severed.follows, deliveries })
}
