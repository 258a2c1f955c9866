//! What accounts can do to each other, one verb a file.

pub mod accept;
pub mod block;
pub mod block_domain;
pub mod mute;
pub mod reject;
pub mod remove;
pub mod request;

use domain::AccountId;
use domain::account::Account;
use domain::event::Event;
use domain::job::Job;
use storage::follows::Follow;
use storage::withdrawn::{withdraw, withdraw_from_former_reader};
use storage::{Tx, accounts, counts, follows, homes, lists};

use crate::error::Result;

/// Posts of somebody just followed that go into the home timeline at once.
const BACKFILL: i64 = 20;

/// Makes it a follow: counters, relations, and the home timeline of a follower who is a member. Idempotent.
async fn establish(tx: &mut Tx, follow: &Follow, by_member: bool) -> Result<()> {
    if follows::insert(tx, follow).await? {
        counts::followers(tx, follow.target_id, 1);
        counts::following(tx, follow.account_id, 1);
        if by_member {
            homes::add_author(tx, follow.account_id, follow.target_id, BACKFILL).await?;
        }
    }
    changed(tx, follow.account_id, follow.target_id);
    Ok(())
}

/// Ends a follow, if there is one: counters, the follower's home timeline, posts that wait to be sent to them,
/// relations. Whoever she follows no more, or no more asks to, is on none of her lists.
async fn dissolve(tx: &mut Tx, follower: AccountId, target: AccountId) -> Result<Option<Follow>> {
    // She may be on her own lists, and follows herself never.
    if follower != target {
        lists::remove_everywhere(tx, follower, target).await?;
    }
    let Some(follow) = follows::find(tx, follower, target).await? else { return Ok(None) };
    if follows::remove(tx, follower, target).await? {
        counts::followers(tx, target, -1);
        counts::following(tx, follower, -1);
        homes::remove_author(tx, follower, target).await?;
        withdraw_from_former_reader(tx, target, follower).await?;
        changed(tx, follower, target);
    }
    Ok(Some(follow))
}

/// Somebody a member may keep away: whoever is shown, and whoever is not but follows them, or asks to.
async fn within_reach(tx: &mut Tx, me: AccountId, other: AccountId) -> Result<Account> {
    let account = accounts::even_hidden(tx, other).await?;
    if follows::find(tx, other, me).await?.or(follows::find_request(tx, other, me).await?).is_some() {
        return Ok(account);
    }
    Ok(accounts::get(tx, other).await?)
}

/// Has the server of `target` told that a member's follow or request ended, unless it never heard of it.
async fn tell_unfollow(tx: &mut Tx, account: AccountId, target: AccountId, uri: String) -> Result<()> {
    if !withdraw(tx, &uri).await?.was_never_sent() {
        tx.enqueue(Job::DistributeUnfollow { account, target, uri });
    }
    Ok(())
}

fn changed(tx: &mut Tx, one: AccountId, other: AccountId) {
    tx.emit(Event::RelationsChanged { account: one });
    tx.emit(Event::RelationsChanged { account: other });
}
