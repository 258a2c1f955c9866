//! A remote account moved: those here who followed it follow its successor.

use domain::account::Account;
use domain::follow::FollowOptions;
use storage::{accounts, follows, peers};

use crate::App;
use crate::error::{Error, Result};
use crate::follows::{remove, request};

/// Each member who follows `from` asks to follow `to`, with the options she had, and lets go of `from`. `federation`
/// has checked that both accounts say the same of each other. May run twice.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, from: &Account, to: &Account) -> Result<usize> {
    let followers = peers::local_followers(&mut app.db.read().await?, from.id).await?;
    let mut moved = 0;
    for follower in followers {
        let mut conn = app.db.read().await?;
        let member = match accounts::get(&mut conn, follower).await {
            Ok(member) => member,
            // Closed: what that account says is not sent now.
            Err(storage::Error::NotFound) => continue,
            Err(e) => return Err(e.into()),
        };
        let options =
            follows::find(&mut conn, follower, from.id).await?.map_or_else(FollowOptions::default, |f| f.options);
        drop(conn);
        if member.id != to.id {
            match request::request(app, &member, to.id, options).await {
                // Blocked, or gone: she follows nobody in its place.
                Ok(_) | Err(Error::Forbidden(_) | Error::NotFound) => moved += 1,
                Err(e) => return Err(e),
            }
        }
        remove::remove(app, &member, from.id).await?;
    }
    Ok(moved)
}
