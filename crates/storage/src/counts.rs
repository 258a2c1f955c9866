//! Counters of posts: what anybody may see, and nothing else. Whoever watches a counter learns of no private answer, and
//! of nobody who is suspended, closed or gone.
//!
//! - `replies_count`: answers that are public or unlisted, of authors who are shown;
//! - `boosts_count`: boosts that are public or unlisted, of accounts that are shown;
//! - `favourites_count`: favourites of accounts that are shown.
//!
//! What somebody does moves them by one, in the transaction of the change, while the account is shown. When an
//! account begins or ceases to be shown, all that it stands in is counted anew (`around_account`, `around_domains`);
//! its posts and favourites may go afterwards without being counted twice. An account's own `posts_count` counts its
//! public and unlisted posts and boosts, whether or not the account is shown.

use domain::{AccountId, Host, PostId};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::sql;
use crate::visible::listed;

/// Moves a counter of a post by `$by`, unless the account that it is moved for is not shown.
macro_rules! moved {
    ($tx:expr, $counter:literal, $id:expr, $by:expr, $whose:expr) => {{
        sql!(concat!(
            "UPDATE posts SET version = version + 1, ",
            $counter,
            " = ",
            $counter,
            " + $2 WHERE id = $1 AND EXISTS (SELECT 1 FROM accounts a WHERE a.id = $3 AND ",
            listed!("a"),
            ")"
        ))
        .bind($id)
        .bind($by)
        .bind($whose)
        .run($tx)
        .await?;
        Ok(())
    }};
}

/// Moves a counter of a post, in the transaction of the change it counts: `whose` answer came or went. Nothing moves for
/// an account that is not shown.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn replies(tx: &mut Tx, id: PostId, by: i64, whose: AccountId) -> Result<()> {
    moved!(tx, "replies_count", id, by, whose)
}

/// See [`replies`]: a boost came or went.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn boosts(tx: &mut Tx, id: PostId, by: i64, whose: AccountId) -> Result<()> {
    moved!(tx, "boosts_count", id, by, whose)
}

/// See [`replies`]: a favourite came or went.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn favourites(tx: &mut Tx, id: PostId, by: i64, whose: AccountId) -> Result<()> {
    moved!(tx, "favourites_count", id, by, whose)
}

/// Counts anew a counter of posts that the posts of some accounts point at by `$pointer`.
macro_rules! pointed_at {
    ($conn:expr, $accounts:expr, $which:literal, $counter:literal, $pointer:literal) => {
        sql!(concat!(
            "UPDATE posts SET version = version + 1, ",
            $counter,
            " = (SELECT count(*) FROM posts r JOIN accounts a ON a.id = r.account_id
                WHERE r.",
            $pointer,
            " = posts.id AND r.",
            $pointer,
            " IS NOT NULL AND r.deleted_at IS NULL AND r.visibility IN ('public', 'unlisted') AND ",
            listed!("a"),
            ") WHERE id IN (SELECT p.",
            $pointer,
            " FROM posts p WHERE p.account_id ",
            $which,
            " AND p.deleted_at IS NULL AND p.",
            $pointer,
            " IS NOT NULL)"
        ))
        .bind($accounts)
        .run($conn)
        .await?
    };
}

/// Counts anew what posts and favourites of some accounts stand in; `$1` says which, as `$which` puts it.
macro_rules! around {
    ($conn:expr, $accounts:expr, $which:literal) => {{
        pointed_at!($conn, $accounts, $which, "replies_count", "in_reply_to_id");
        pointed_at!($conn, $accounts, $which, "boosts_count", "boost_of_id");
        sql!(concat!(
            "UPDATE posts SET version = version + 1, favourites_count = (
                SELECT count(*) FROM favourites f JOIN accounts a ON a.id = f.account_id
                WHERE f.post_id = posts.id AND ",
            listed!("a"),
            ") WHERE id IN (SELECT f.post_id FROM favourites f WHERE f.account_id ",
            $which,
            ")"
        ))
        .bind($accounts)
        .run($conn)
        .await?;
        Ok(())
    }};
}

/// An account began or ceased to be shown, in this transaction.
///
/// # Errors
/// As [`crate::Error`] says.
pub(crate) async fn around_account(conn: &mut Conn, id: AccountId) -> Result<()> {
    around!(conn, id, "= $1")
}

/// All accounts of these domains did.
///
/// # Errors
/// As [`crate::Error`] says.
pub(crate) async fn around_domains(conn: &mut Conn, domains: &[Host]) -> Result<()> {
    around!(conn, domains, "IN (SELECT id FROM accounts WHERE domain = ANY($1))")
}
