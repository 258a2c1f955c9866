//! Notes where pictures of other communities, once fetched, are kept here. Fetching is for whoever has the network.

use domain::account::ProfileImage;
use domain::event::Event;
use domain::{AccountId, AttachmentId, EmojiId};
use storage::{accounts, attachments, emojis};

use crate::App;
use crate::error::Result;

/// # Errors
/// When the database refuses.
pub async fn keep_attachment(app: &App, id: AttachmentId, key: &str, preview: Option<&str>) -> Result<()> {
    let mut tx = app.db.write().await?;
    attachments::keep_file(&mut tx, id, key, preview).await?;
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
    let account = accounts::get(&mut tx, id).await?;
    let current = if avatar { account.avatar } else { account.header };
    let Some(mut image) = current.filter(|image| image.remote_url.as_deref() == Some(url)) else { return Ok(()) };
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
