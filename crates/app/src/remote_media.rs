//! Notes where pictures of other communities, once fetched, are kept here. Fetching is for whoever has the network.

use domain::account::ProfileImage;
use domain::event::Event;
use domain::job::Job;
use domain::{AccountId, AttachmentId, EmojiId};
use storage::{accounts, attachments, emojis};

use crate::App;
use crate::error::Result;

/// A file whose post was deleted while it was fetched is removed again.
///
/// # Errors
/// When the database refuses.
pub async fn keep_attachment(app: &App, id: AttachmentId, key: &str, preview: Option<&str>) -> Result<()> {
    let mut tx = app.db.write().await?;
    if !attachments::keep_file(&mut tx, id, key, preview).await? {
        let keys = [Some(key), preview].into_iter().flatten().map(str::to_owned).collect();
        tx.enqueue(Job::DeleteMedia { keys });
    }
    tx.commit().await?;
    Ok(())
}

/// An avatar or header, stored by [`crate::attachments::keep_profile_picture`]. Only while her picture is still the one
/// that was fetched, from `url`: she may have changed it meanwhile.
///
/// # Errors
/// When the database refuses.
pub async fn keep_profile_image(app: &App, id: AccountId, avatar: bool, url: &str, kept: ProfileImage) -> Result<()> {
    let mut tx = app.db.write().await?;
    let current = match accounts::get(&mut tx, id).await {
        Ok(account) if avatar => account.avatar,
        Ok(account) => account.header,
        Err(storage::Error::NotFound) => None,
        Err(e) => return Err(e.into()),
    };
    let Some(mut image) = current.filter(|image| image.remote_url.as_deref() == Some(url)) else {
        tx.enqueue(Job::DeleteMedia { keys: kept.keys().collect() });
        tx.commit().await?;
        return Ok(());
    };
    image.key = kept.key;
    image.still_key = kept.still_key;
    accounts::keep_image(&mut tx, id, avatar, &image).await?;
    tx.emit(Event::AccountChanged { account: id });
    tx.commit().await?;
    Ok(())
}

/// # Errors
/// When the database refuses.
pub async fn keep_emoji(app: &App, id: EmojiId, key: &str) -> Result<()> {
    let mut tx = app.db.write().await?;
    emojis::keep_file(&mut tx, id, key).await?;
    tx.commit().await?;
    Ok(())
}
