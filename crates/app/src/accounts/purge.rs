//! Removes what a deleted account left: the handler of `Job::PurgeAccount`.
//!
//! In small transactions, so that nobody waits long; run twice, the second finds nothing to do. Counters of others
//! go back with the rows they count.

use domain::AccountId;
use domain::event::Event;
use domain::job::Job;
use storage::{accounts, posts, purges};

use crate::App;
use crate::error::Result;
use crate::posts::delete;

/// Posts taken back in one transaction.
const AT_ONCE: i64 = 50;

/// # Errors
/// When the database refuses; what was done until then stays done.
pub async fn purge(app: &App, id: AccountId) -> Result<()> {
    let mut conn = app.db.read().await?;
    if accounts::even_hidden(&mut conn, id).await.is_ok() {
        // Not deleted: a job for nobody.
        return Ok(());
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
                delete::bury(&mut tx, &post, delete::Media::Remove).await?;
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
