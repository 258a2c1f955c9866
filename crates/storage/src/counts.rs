//! Counters of posts: what anybody may see, and nothing else. Whoever watches a counter learns of no private answer, and
//! of nobody who is suspended, closed or gone.
//!
//! - `replies_count`: answers that are public or unlisted, of authors who are shown;
//! - `boosts_count`: boosts that are public or unlisted, of accounts that are shown;
//! - `favourites_count`: favourites of accounts that are shown.
//!
//! What somebody does moves them by one, at the end of the transaction of the change, while the account is shown. When
//! an account begins or ceases to be shown, all that it stands in is counted anew (`around_account`, `around_domains`);
//! its posts and favourites may go afterwards without being counted twice. An account's own `posts_count` counts its
//! public and unlisted posts and boosts, whether or not the account is shown.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use domain::{AccountId, Host, PostId, Timestamp};

use crate::db::Tx;
use crate::error::Result;
use crate::sql;
use crate::visible::listed;

/// What a transaction moves, all at once and last, in this order: an account that everybody follows and a post that
/// everybody likes are locked for a moment, not while others' requests are worked on.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    accounts: BTreeMap<Reverse<AccountId>, OfAccount>,
    posts: BTreeMap<(Reverse<PostId>, AccountId), OfPost>,
}

#[derive(Debug, Default)]
struct OfPost {
    replies: i64,
    boosts: i64,
    favourites: i64,
}

#[derive(Debug, Default)]
struct OfAccount {
    followers: i64,
    following: i64,
    posts: i64,
    last_post_at: Option<Timestamp>,
}

impl Moves {
    fn post(&mut self, id: PostId, whose: AccountId) -> &mut OfPost {
        self.posts.entry((Reverse(id), whose)).or_default()
    }

    fn account(&mut self, id: AccountId) -> &mut OfAccount {
        self.accounts.entry(Reverse(id)).or_default()
    }
}

/// Moves a counter of a post when the transaction of the change commits: `whose` answer came or went. Nothing moves for
/// an account that is not shown by then.
pub fn replies(tx: &mut Tx, id: PostId, by: i64, whose: AccountId) {
    tx.moves().post(id, whose).replies += by;
}

/// See [`replies`]: a boost came or went.
pub fn boosts(tx: &mut Tx, id: PostId, by: i64, whose: AccountId) {
    tx.moves().post(id, whose).boosts += by;
}

/// See [`replies`]: a favourite came or went.
pub fn favourites(tx: &mut Tx, id: PostId, by: i64, whose: AccountId) {
    tx.moves().post(id, whose).favourites += by;
}

/// Moves a counter of an account when the transaction of the change commits: it is followed, or no more.
pub fn followers(tx: &mut Tx, id: AccountId, by: i64) {
    tx.moves().account(id).followers += by;
}

/// See [`followers`]: it follows.
pub fn following(tx: &mut Tx, id: AccountId, by: i64) {
    tx.moves().account(id).following += by;
}

/// See [`followers`]: it wrote, which also moves `last_post_at`, or a post is gone.
pub fn posts(tx: &mut Tx, id: AccountId, by: i64, at: Option<Timestamp>) {
    let of = tx.moves().account(id);
    of.posts += by;
    of.last_post_at = of.last_post_at.max(at);
}

/// Moves what was asked to be moved until now: before something is counted anew, and at the end.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn settle(tx: &mut Tx) -> Result<()> {
    let Moves { accounts, posts } = std::mem::take(tx.moves());
    for (Reverse(id), by) in accounts {
        sql!(
            "UPDATE accounts SET version = version + 1, followers_count = followers_count + $2,
                following_count = following_count + $3, posts_count = posts_count + $4,
                last_post_at = CASE WHEN $5 > coalesce(last_post_at, 0) THEN $5 ELSE last_post_at END
             WHERE id = $1"
        )
        .bind(id)
        .bind(by.followers)
        .bind(by.following)
        .bind(by.posts)
        .bind(by.last_post_at)
        .run(tx)
        .await?;
    }
    for ((Reverse(id), whose), by) in posts {
        sql!(concat!(
            "UPDATE posts SET version = version + 1, replies_count = replies_count + $3,
                boosts_count = boosts_count + $4, favourites_count = favourites_count + $5
             WHERE id = $1 AND EXISTS (SELECT 1 FROM accounts a WHERE a.id = $2 AND ",
            listed!("a"),
            ")"
        ))
        .bind(id)
        .bind(whose)
        .bind(by.replies)
        .bind(by.boosts)
        .bind(by.favourites)
        .run(tx)
        .await?;
    }
    Ok(())
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
pub(crate) async fn around_account(tx: &mut Tx, id: AccountId) -> Result<()> {
    settle(tx).await?;
    around!(tx, id, "= $1")
}

/// All accounts of these domains did.
///
/// # Errors
/// As [`crate::Error`] says.
pub(crate) async fn around_domains(tx: &mut Tx, domains: &[Host]) -> Result<()> {
    settle(tx).await?;
    around!(tx, domains, "IN (SELECT id FROM accounts WHERE domain = ANY($1))")
}
