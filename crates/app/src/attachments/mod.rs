//! Pictures of members: taken in before the post that shows them, described, thrown away.

pub mod clean;
pub mod describe;
pub mod remove;
pub mod upload;

use bytes::Bytes;
use domain::account::ProfileImage;
use media::image::{Encoded, ProfilePicture};
use media::{ImageError, MediaKey, Sent, StoreError};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::App;
use crate::error::{Error, Result};

/// Stores a picture that everybody may see, such as an emoji's; gives its name.
///
/// # Errors
/// [`Error::Unavailable`] when it cannot be stored.
pub async fn keep(app: &App, picture: &Encoded) -> Result<String> {
    let key = MediaKey::new(rand::random(), picture.format.extension()).map_err(Error::internal)?;
    put(app, &key, picture.bytes.clone()).await
}

/// Stores a picture that a post shows, or will; gives its name.
///
/// # Errors
/// As [`keep`].
pub async fn keep_of_post(app: &App, picture: &Encoded) -> Result<String> {
    keep_file_of_post(app, picture.bytes.clone(), picture.format.extension()).await
}

/// Stores any file that a post shows, as it is; gives its name.
///
/// # Errors
/// As [`keep`]; [`Error::Internal`] when files with this extension are not stored.
pub async fn keep_file_of_post(app: &App, bytes: Bytes, extension: &str) -> Result<String> {
    let key = MediaKey::of_post(rand::random(), extension).map_err(Error::internal)?;
    put(app, &key, bytes).await
}

async fn put(app: &App, key: &MediaKey, bytes: Bytes) -> Result<String> {
    app.media.put(key, bytes).await.map_err(stored)?;
    Ok(key.as_str().to_owned())
}

/// Stores an avatar or header, and its still version where it moves.
///
/// # Errors
/// [`Error::Unavailable`] when it cannot be stored.
pub async fn keep_profile_picture(app: &App, made: &ProfilePicture) -> Result<ProfileImage> {
    let key = keep(app, &made.picture).await?;
    let still_key = match &made.still {
        Some(still) => Some(keep(app, still).await?),
        None => None,
    };
    Ok(ProfileImage { key: Some(key), still_key, remote_url: None, description: String::new() })
}

fn stored(e: StoreError) -> Error {
    Error::Unavailable(format!("media store: {e}"))
}

/// What is wrong with a picture is told to whoever sent it.
pub(crate) fn refused(field: &'static str, e: ImageError) -> Error {
    match e {
        ImageError::Unavailable => Error::Unavailable(e.to_string()),
        ImageError::Damaged(why) => {
            tracing::debug!(%why, "a picture could not be read");
            Error::invalid(field, "was not taken: the picture cannot be read: the file is damaged")
        }
        // These are sentences of their own, none that a field's name begins.
        other => Error::invalid(field, format!("was not taken: {other}")),
    }
}

/// Uploads whose bytes are in memory at a time, each of at most `limits.image_bytes`. The others wait on the disk: as
/// many are worked on at a time as pictures at the least.
static IN_MEMORY: Semaphore = Semaphore::const_new(4);

/// An upload's bytes, and its place among those in memory.
pub(crate) struct InMemory {
    pub bytes: Bytes,
    _place: SemaphorePermit<'static>,
}

/// Brings an upload into memory, once there is a place for it. What is too large is not even read.
///
/// # Errors
/// [`Error::Invalid`] when it has too many bytes.
pub(crate) async fn in_memory(app: &App, field: &'static str, sent: Sent) -> Result<InMemory> {
    let limit = app.limits().image_bytes;
    if sent.len() > limit {
        return Err(refused(field, ImageError::TooManyBytes { limit }));
    }
    let place = IN_MEMORY.acquire().await.map_err(Error::internal)?;
    Ok(InMemory { bytes: sent.into_bytes().await.map_err(stored)?, _place: place })
}

/// What the owner allows of pictures.
pub(crate) fn limits(app: &App) -> media::ImageLimits {
    media::ImageLimits {
        bytes: app.limits().image_bytes,
        pixels: app.limits().image_pixels,
        ..media::ImageLimits::default()
    }
}

pub(crate) fn checked_description(app: &App, text: &str) -> Result<String> {
    let text = domain::text::trimmed(text);
    let most = app.limits().description_chars;
    if text.chars().count() > most {
        return Err(Error::invalid("description", format!("must have at most {most} characters")));
    }
    Ok(text.to_owned())
}
