//! Pictures of members: taken in before the post that shows them, described, thrown away.

pub mod clean;
pub mod describe;
pub mod remove;
pub mod upload;

use domain::account::ProfileImage;
use media::image::{Encoded, ProfilePicture};
use media::{ImageError, MediaKey, StoreError};

use crate::App;
use crate::error::{Error, Result};

/// Stores a picture under a name nobody can guess; gives the name.
///
/// # Errors
/// [`Error::Unavailable`] when it cannot be stored.
pub async fn keep(app: &App, picture: &Encoded) -> Result<String> {
    let key = MediaKey::new(rand::random::<[u8; 16]>(), picture.format.extension()).map_err(Error::internal)?;
    app.media.put(&key, picture.bytes.clone()).await.map_err(stored)?;
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
            Error::invalid(field, "the picture cannot be read: the file is damaged")
        }
        other => Error::invalid(field, other.to_string()),
    }
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
    let text = text.trim();
    let most = app.limits().description_chars;
    if text.chars().count() > most {
        return Err(Error::invalid("description", format!("must have at most {most} characters")));
    }
    Ok(text.to_owned())
}
