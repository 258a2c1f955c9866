//! A remote account pins one of its posts to its profile, or takes it off.

use domain::account::Account;
use domain::event::Event;
use storage::{interactions, posts};

use crate::App;
use crate::error::Result;

/// `false` when we do not have the post, it is another's, or nothing changed.
///
/// # Errors
/// When the database refuses.
pub async fn receive(app: &App, author: &Account, post_uri: &str, pinned: bool) -> Result<bool> {
    let mut tx = app.db.write_repeatable().await?;
    let Some(post) = posts::unchecked_by_uri(&mut tx, post_uri).await? else { return Ok(false) };
    if post.account_id != author.id || post.boost_of_id.is_some() {
        return Ok(false);
    }
    if pinned && interactions::pins(&mut tx, author.id).await? >= app.limits().pins.max(20) {
        return Ok(false);
    }
    let changed = match pinned {
        true => interactions::pin(&mut tx, author.id, post.id).await?,
        false => interactions::unpin(&mut tx, author.id, post.id).await?,
    };
    tx.emit(Event::AccountChanged { account: author.id });
    tx.commit().await?;
    Ok(changed)
}
