//! What a deleted account left, apart from its posts: relations, notifications, lists, files nobody shows.
//!
//! Counters of followers go back in the same transaction as the rows they count; those of posts did when the account was
//! buried ([`crate::counts`]). Mentions of her stay with the posts of
//! others that mention her; nothing shows them any more. Favourites and boosts of *her* posts go with her posts.

use domain::AccountId;

use crate::counts;
use crate::db::Tx;
use crate::error::Result;
use crate::former_readers;
use crate::sql;

/// What else has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Left {
    /// Members whose relations changed.
    pub members_touched: Vec<AccountId>,
    /// Accounts whose counters changed.
    pub accounts_touched: Vec<AccountId>,
    /// Files in the media store that nothing points at any more.
    pub media_keys: Vec<String>,
}

/// Removes everything that relates the account to others.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn relations(tx: &mut Tx, id: AccountId) -> Result<Left> {
    let members_touched = sql!(
        "SELECT m.account_id FROM members m WHERE m.account_id <> $1 AND m.account_id IN (
            SELECT account_id FROM follows WHERE target_id = $1 UNION SELECT target_id FROM follows WHERE account_id = $1
            UNION SELECT account_id FROM follow_requests WHERE target_id = $1
            UNION SELECT target_id FROM follow_requests WHERE account_id = $1
            UNION SELECT account_id FROM blocks WHERE target_id = $1 UNION SELECT target_id FROM blocks WHERE account_id = $1
            UNION SELECT account_id FROM mutes WHERE target_id = $1)"
    )
    .bind(id)
    .ids(tx)
    .await?;
    former_readers::of_account(tx, id).await?;
    let accounts_touched = follows(tx, id).await?;
    favourites(tx, id).await?;
    let media_keys = files(tx, id).await?;
    between(tx, id).await?;
    own(tx, id).await?;
    Ok(Left { members_touched, accounts_touched, media_keys })
}

/// The rows go first, and counters follow what was really removed: a follow that somebody else ends at the same time
/// is counted once.
async fn follows(tx: &mut Tx, id: AccountId) -> Result<Vec<AccountId>> {
    counts::settle(tx).await?;
    let followers: Vec<AccountId> =
        sql!("DELETE FROM follows WHERE target_id = $1 RETURNING account_id").bind(id).ids(tx).await?;
    let followed: Vec<AccountId> =
        sql!("DELETE FROM follows WHERE account_id = $1 RETURNING target_id").bind(id).ids(tx).await?;
    sql!("UPDATE accounts SET version = version + 1, following_count = following_count - 1 WHERE id = ANY($1)")
        .bind(&followers)
        .run(tx)
        .await?;
    sql!("UPDATE accounts SET version = version + 1, followers_count = followers_count - 1 WHERE id = ANY($1)")
        .bind(&followed)
        .run(tx)
        .await?;
    sql!("UPDATE accounts SET version = version + 1, followers_count = 0, following_count = 0 WHERE id = $1")
        .bind(id)
        .run(tx)
        .await?;
    let mut touched = followers;
    touched.extend(followed);
    touched.sort();
    touched.dedup();
    Ok(touched)
}

/// No counter has counted them since the account was buried.
async fn favourites(tx: &mut Tx, id: AccountId) -> Result<()> {
    sql!("DELETE FROM favourites WHERE account_id = $1").bind(id).run(tx).await?;
    Ok(())
}

/// Files she uploaded and no post shows. (What her posts showed went with them.)
async fn files(tx: &mut Tx, id: AccountId) -> Result<Vec<String>> {
    let rows = sql!("DELETE FROM attachments WHERE account_id = $1 AND post_id IS NULL RETURNING key, preview_key")
        .bind(id)
        .all::<(Option<String>, Option<String>)>(tx)
        .await?;
    Ok(rows.into_iter().flat_map(|(key, preview)| [key, preview]).flatten().collect())
}

/// What stands between her and others, whichever side wrote it.
async fn between(tx: &mut Tx, id: AccountId) -> Result<()> {
    sql!("DELETE FROM follow_requests WHERE account_id = $1 OR target_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM blocks WHERE account_id = $1 OR target_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM mutes WHERE account_id = $1 OR target_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM notifications WHERE account_id = $1 OR from_account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM account_notes WHERE account_id = $1 OR target_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM list_members WHERE account_id = $1 OR list_id IN (SELECT id FROM lists WHERE account_id = $1)")
        .bind(id)
        .run(tx)
        .await?;
    Ok(())
}

/// What was hers alone.
async fn own(tx: &mut Tx, id: AccountId) -> Result<()> {
    sql!("DELETE FROM account_keys WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM lists WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM bookmarks WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM pins WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM thread_mutes WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM idempotency_keys WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM tag_follows WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM account_domain_blocks WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM home_entries WHERE account_id = $1").bind(id).run(tx).await?;
    sql!(
        "DELETE FROM conversation_posts WHERE conversation_id IN (SELECT id FROM conversations WHERE account_id = $1)"
    )
    .bind(id)
    .run(tx)
    .await?;
    sql!("DELETE FROM conversations WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM markers WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM oauth_codes WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM oauth_tokens WHERE account_id = $1").bind(id).run(tx).await?;
    sql!("DELETE FROM sessions WHERE account_id = $1").bind(id).run(tx).await?;
    Ok(())
}
