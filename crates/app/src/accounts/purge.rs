//! Removes what a deleted account left: the handler of `Job::PurgeAccount`.
//!
//! In small transactions, so that nobody waits long; run twice, the second finds nothing to do. Counters of others
//! go back with the rows they count.

use domain::AccountId;
use domain::event::Event;
use domain::job::Job;
use storage::{accounts, jobs, posts, purges};

use crate::App;
use crate::error::{Error, Result};
use crate::posts::delete;

/// Posts taken back in one transaction.
const AT_ONCE: i64 = 50;

/// # Errors
/// [`Error::Unavailable`] while other servers are not told yet: who they are is read from what is removed here.
pub async fn purge(app: &App, id: AccountId) -> Result<()> {
    let mut conn = app.db.read().await?;
    if accounts::get(&mut conn, id).await.is_ok() {
        // Not deleted: a job for nobody.
        return Ok(());
    }
    if jobs::is_waiting(&mut conn, &Job::DistributeAccountDelete { account: id }).await? {
        return Err(Error::Unavailable("other servers are to be told first".to_owned()));
    }
    drop(conn);
    loop {
        let mut tx = app.db.write().await?;
        let some = posts::living_of(&mut tx, id, AT_ONCE).await?;
        if some.is_empty() {
            break;
        }
        for post in some {
            // A boost of her own post may have gone with it.
            if posts::deleted_at(&mut tx, post).await?.is_none() {
                let post = posts::unchecked(&mut tx, post).await?;
                delete::bury(&mut tx, &post).await?;
            }
        }
        tx.commit().await?;
    }
    let mut tx = app.db.write().await?;
    let left = purges::relations(&mut tx, id).await?;
    for account in left.members_touched {
        tx.emit(Event::RelationsChanged { account });
    }
    for account in left.accounts_touched {
        tx.emit(Event::AccountChanged { account });
    }
    if !left.media_keys.is_empty() {
        tx.enqueue(Job::DeleteMedia { keys: left.media_keys });
    }
    tx.commit().await?;
    Ok(())
}
