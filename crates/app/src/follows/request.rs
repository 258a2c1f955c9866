//! Somebody wants to follow somebody.

use domain::account::Account;
use domain::follow::FollowOptions;
use domain::job::Job;
use domain::notification::NotificationKind;
use domain::{AccountId, FollowId};
use storage::follows::{self, Follow};
use storage::{Tx, accounts, incoming};

use super::establish;
use crate::error::{Error, Result};
use crate::{App, fanout, secrets};

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Following,
    /// The other decides.
    Requested,
}

/// A member follows an account, or asks to. If it is so already, the options change; another server is asked again.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account; [`Error::Forbidden`] when it is herself, gone, one of the
/// two blocks the other, or she blocks its community.
pub async fn request(app: &App, me: &Account, target: AccountId, options: FollowOptions) -> Result<Outcome> {
    let mut tx = app.db.write().await?;
    let target = accounts::get(&mut tx, target).await?;
    if target.is_suspended() {
        return Err(Error::NotFound);
    }
    if target.id == me.id || target.moved_to_uri.is_some() {
        return Err(Error::Forbidden("This account can't be followed"));
    }
    if follows::is_blocked_either_way(&mut tx, me.id, target.id).await?
        || follows::keeps_away(&mut tx, me.id, target.id).await?
    {
        return Err(Error::Forbidden("This account can't be followed"));
    }
    if let Some(mut follow) = follows::find(&mut tx, me.id, target.id).await? {
        follow.options = options;
        follows::insert(&mut tx, &follow).await?;
        super::changed(&mut tx, me.id, target.id);
        tx.commit().await?;
        return Ok(Outcome::Following);
    }
    if let Some(mut asked) = follows::find_request(&mut tx, me.id, target.id).await? {
        asked.options = options;
        follows::insert_request(&mut tx, &asked).await?;
        if !target.is_local() {
            // Asked once more: the first time may have been lost.
            let (account, target, uri) = (me.id, target.id, asked.uri);
            tx.enqueue(Job::DistributeFollow { account, target, uri, again: true });
        }
        tx.commit().await?;
        return Ok(Outcome::Requested);
    }

    let id: FollowId = app.ids().next();
    let follow = Follow {
        id,
        account_id: me.id,
        target_id: target.id,
        uri: app.urls.activity(&me.username, "follows", secrets::address_key()),
        options,
        created_at: app.now(),
    };
    let outcome = if target.is_local() {
        let me = accounts::get(&mut tx, me.id).await?;
        write(&mut tx, &target, &me, &follow).await?
    } else {
        // Her server decides; the answer is an Accept or a Reject.
        follows::insert_request(&mut tx, &follow).await?;
        let (account, target, uri) = (me.id, target.id, follow.uri);
        tx.enqueue(Job::DistributeFollow { account, target, uri, again: false });
        Outcome::Requested
    };
    tx.commit().await?;
    Ok(outcome)
}

/// A remote account wants to follow a member. It is answered by a job, at once or when she has decided.
/// A repeated request is answered again: the first answer may have been lost.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, follower: &Account, target: &Account, uri: &str) -> Result<()> {
    let mut tx = app.db.write_repeatable().await?;
    let met = incoming::met_by_follow(&mut tx, target.id, follower.id).await?;
    if !met.follower_lives {
        return Ok(());
    }
    if met.kept_away || target.is_suspended() {
        tx.enqueue(Job::DistributeReject { account: target.id, follower: follower.id, uri: uri.to_owned() });
        tx.commit().await?;
        return Ok(());
    }
    let follow = Follow {
        id: app.ids().next(),
        account_id: follower.id,
        target_id: target.id,
        uri: uri.to_owned(),
        options: FollowOptions::default(),
        created_at: app.now(),
    };
    let outcome = if met.known {
        establish(&mut tx, &follow, false).await?;
        Outcome::Following
    } else {
        write(&mut tx, target, follower, &follow).await?
    };
    if outcome == Outcome::Following {
        tx.enqueue(Job::DistributeAccept { account: target.id, follower: follower.id, uri: uri.to_owned() });
    }
    tx.commit().await?;
    Ok(())
}

/// To a member of this community, from anywhere: she decides if she is locked, and is told either way.
async fn write(tx: &mut Tx, target: &Account, follower: &Account, follow: &Follow) -> Result<Outcome> {
    if target.locked || follower.silenced_at.is_some() {
        follows::insert_request(tx, follow).await?;
        fanout::notify(tx, target.id, follow.account_id, NotificationKind::FollowRequest, None, None).await?;
        return Ok(Outcome::Requested);
    }
    establish(tx, follow, follower.is_local()).await?;
    fanout::notify(tx, target.id, follow.account_id, NotificationKind::Follow, None, None).await?;
    Ok(Outcome::Following)
}
