//! A picture is taken in: written anew without its metadata, with a small version, stored, and noted.

use domain::AccountId;
use domain::attachment::{Attachment, AttachmentKind, Focus};
use media::Sent;

use super::{checked_description, in_memory, keep_of_post, limits, refused};
use crate::App;
use crate::error::Result;

/// # Errors
/// [`crate::Error::Invalid`] when it is no picture that can be used here, too large, or its description too long.
pub async fn upload(
    app: &App,
    owner: AccountId,
    file: Sent,
    description: &str,
    focus: Option<Focus>,
) -> Result<Attachment> {
    let description = checked_description(app, description)?;
    let file = in_memory(app, "file", file).await?;
    let picture = media::image::process(file.bytes.clone(), &limits(app)).await.map_err(|e| refused("file", e))?;
    drop(file);
    let key = keep_of_post(app, &picture.original).await?;
    let preview_key = keep_of_post(app, &picture.preview).await?;
    let pixels = |n: u32| i32::try_from(n).ok();
    let attachment = Attachment {
        id: app.ids().next(),
        account_id: owner,
        post_id: None,
        // A moving GIF stays a picture: that is what it is stored as.
        kind: AttachmentKind::Image,
        mime: picture.original.format.mime().to_owned(),
        key: Some(key),
        preview_key: Some(preview_key),
        remote_url: None,
        description,
        blurhash: Some(picture.blurhash),
        focus,
        width: pixels(picture.original.width),
        height: pixels(picture.original.height),
        preview_width: pixels(picture.preview.width),
        preview_height: pixels(picture.preview.height),
        size: i64::try_from(picture.original.bytes.len()).ok(),
        created_at: app.now(),
    };
    let mut tx = app.db.write().await?;
    storage::attachments::insert(&mut tx, &attachment).await?;
    tx.commit().await?;
    Ok(attachment)
}
