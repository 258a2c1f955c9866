//! Pictures: what people upload becomes what may be shown, free of metadata and of a reasonable size.
//!
//! Every picture is decoded and written anew, so nothing of the file that was uploaded survives but its pixels: no
//! place, no camera, no comment, nothing appended. The work is done on blocking threads, a few pictures at a time, and all
//! of them within a budget of memory.

mod animation;
mod decode;
mod encode;
mod scale;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use image::{DynamicImage, ImageFormat};
use tokio::sync::{Semaphore, SemaphorePermit};

use self::decode::Inspected;
pub use self::encode::{Encoded, Format};

/// What a picture may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageLimits {
    /// Bytes of the upload.
    pub bytes: usize,
    /// Width × height of the upload; checked before it is decoded.
    pub pixels: u64,
    /// Larger pictures are made smaller until they have this many pixels.
    pub kept_pixels: u64,
    /// Pixels of the small version.
    pub preview_pixels: u64,
    /// Frames of an animation.
    pub frames: usize,
    /// Pixels of all frames of an animation together.
    pub animation_pixels: u64,
    /// In whose line it waits.
    pub whose: Whose,
}

/// Where a picture comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A member uploads it.
    Ours,
    /// Another server shows it.
    Elsewhere,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self {
            bytes: 16 * 1024 * 1024,
            pixels: 50_000_000,
            kept_pixels: 3840 * 2160,
            preview_pixels: 640 * 360,
            frames: 600,
            animation_pixels: 150_000_000,
            whose: Whose::Ours,
        }
    }
}

/// A picture ready to be stored.
#[derive(Debug, Clone)]
pub struct Processed {
    pub original: Encoded,
    /// A small still version.
    pub preview: Encoded,
    /// See <https://blurha.sh>; four by four components.
    pub blurhash: String,
    pub animated: bool,
}

/// An avatar or header ready to be stored.
#[derive(Debug, Clone)]
pub struct ProfilePicture {
    pub picture: Encoded,
    /// A still version, if `picture` moves.
    pub still: Option<Encoded>,
}

/// Why a picture was not taken. The texts may be shown to whoever uploaded it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("{} cannot be used here; please choose a JPEG, PNG, GIF or WebP picture", .0.unwrap_or("this kind of file"))]
    Unsupported(Option<&'static str>),
    #[error("the file is too large: at most {limit} bytes")]
    TooManyBytes { limit: usize },
    #[error("the picture is too large: {width} × {height}, at most {limit} pixels")]
    TooManyPixels { width: u32, height: u32, limit: u64 },
    #[error("the animation is too long")]
    TooLong,
    #[error("the picture cannot be read: the file is damaged")]
    Damaged(String),
    #[error("pictures cannot be processed right now")]
    Unavailable,
}

pub type Result<T> = std::result::Result<T, ImageError>;

/// Avatars are squares of at most this many pixels a side.
pub const AVATAR_SIDE: u32 = 400;
/// Headers are at most this large, and of this shape.
pub const HEADER_SIZE: (u32, u32) = (1500, 500);

/// Makes a picture for a post. Goes by what the bytes are, whatever the file was called. JPEG stays JPEG, PNG stays
/// PNG, GIF stays GIF and keeps moving; WebP becomes JPEG, PNG (where it is transparent) or GIF (where it moves).
///
/// # Errors
/// See [`ImageError`].
pub async fn process(bytes: Bytes, limits: &ImageLimits) -> Result<Processed> {
    run(bytes, limits, process_blocking).await
}

/// Makes an avatar: the middle square, at most [`AVATAR_SIDE`] a side; smaller pictures are not enlarged.
///
/// # Errors
/// See [`ImageError`].
pub async fn avatar(bytes: Bytes, limits: &ImageLimits) -> Result<ProfilePicture> {
    run(bytes, limits, |bytes, found, limits| cropped(bytes, found, limits, (AVATAR_SIDE, AVATAR_SIDE))).await
}

/// Makes a header: the middle, three times as wide as high, at most [`HEADER_SIZE`].
///
/// # Errors
/// See [`ImageError`].
pub async fn header(bytes: Bytes, limits: &ImageLimits) -> Result<ProfilePicture> {
    run(bytes, limits, |bytes, found, limits| cropped(bytes, found, limits, HEADER_SIZE)).await
}

/// Bytes that all pictures together take while they are decoded and made anew: each waits until what its headers say it
/// takes is free. Measured in `tests/memory.rs`.
pub const MEMORY: u64 = SHARES_IN_ALL as u64 * UNIT;
/// Bytes of the files that wait for it.
pub const WAITING_BYTES: usize = 64 * 1024 * 1024;
/// Pictures that are worked on at a time: leaves processors to others.
const AT_ONCE: u64 = 4;
/// Of these, so many may be other servers': members never wait behind more of them.
const ELSEWHERE_AT_ONCE: usize = 2;
/// Pictures that wait, and of these other servers'.
const WAITING: usize = 48;
const WAITING_ELSEWHERE: usize = 24;
/// Bytes of one of [`SHARES`].
const UNIT: u64 = 1024;
const SHARES_IN_ALL: usize = 512 * 1024;

static SHARES: Semaphore = Semaphore::const_new(SHARES_IN_ALL);
static ELSEWHERE: Semaphore = Semaphore::const_new(ELSEWHERE_AT_ONCE);
static LINE: Semaphore = Semaphore::const_new(WAITING);
static LINE_ELSEWHERE: Semaphore = Semaphore::const_new(WAITING_ELSEWHERE);
static LINE_BYTES: Semaphore = Semaphore::const_new(WAITING_BYTES);

/// A place in the line of those that wait, for as long as it is held.
///
/// # Errors
/// [`ImageError::Unavailable`] when the line is full.
fn place(bytes: usize, whose: Whose) -> Result<[Option<SemaphorePermit<'static>>; 3]> {
    let full = |_| ImageError::Unavailable;
    let bytes = u32::try_from(bytes).map_err(|_| ImageError::Unavailable)?;
    let elsewhere = (whose == Whose::Elsewhere).then(|| LINE_ELSEWHERE.try_acquire()).transpose().map_err(full)?;
    let in_line = LINE.try_acquire().map_err(full)?;
    Ok([elsewhere, Some(in_line), Some(LINE_BYTES.try_acquire_many(bytes).map_err(full)?)])
}

/// Bytes that are reserved for a picture before it is decoded, by what its headers say.
///
/// # Errors
/// See [`ImageError`].
pub fn reserved(bytes: &[u8], limits: &ImageLimits) -> Result<u64> {
    Ok(decode::inspect(bytes, limits)?.memory)
}

async fn run<T: Send + 'static>(
    bytes: Bytes,
    limits: &ImageLimits,
    work: fn(&[u8], &Inspected, &ImageLimits) -> Result<T>,
) -> Result<T> {
    if bytes.len() > limits.bytes {
        return Err(ImageError::TooManyBytes { limit: limits.bytes });
    }
    let place = place(bytes.len(), limits.whose)?;
    let (input, allowed) = (bytes.clone(), limits.clone());
    let found = blocking(move || decode::inspect(&input, &allowed)).await?;
    if found.memory > MEMORY {
        let (width, height) = (found.width, found.height);
        // As many pixels of this kind as can be taken.
        let limit = found.pixels() / found.memory.div_ceil(MEMORY);
        return Err(ImageError::TooManyPixels { width, height, limit });
    }
    let unavailable = |_| ImageError::Unavailable;
    let elsewhere = match limits.whose {
        Whose::Ours => None,
        Whose::Elsewhere => Some(ELSEWHERE.acquire().await.map_err(unavailable)?),
    };
    let share = found.memory.max(MEMORY / AT_ONCE).div_ceil(UNIT);
    let share = u32::try_from(share).map_err(|_| ImageError::Unavailable)?;
    let share = SHARES.acquire_many(share).await.map_err(unavailable)?;
    drop(place);
    let allowed = limits.clone();
    // The shares go with the work: a request that is given up does not stop the thread.
    blocking(move || {
        let _shares = (elsewhere, share);
        let done = work(&bytes, &found, &allowed);
        // The file is gone before its share is.
        drop(bytes);
        done
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // A decoder that panics on a file tells us that the file is bad.
        Err(e) if e.is_panic() => {
            tracing::warn!("a picture made its decoder panic");
            Err(ImageError::Damaged("decoder panicked".to_owned()))
        }
        Err(_) => Err(ImageError::Unavailable),
    }
}

fn process_blocking(bytes: &[u8], found: &Inspected, limits: &ImageLimits) -> Result<Processed> {
    if found.animated {
        return process_animation(bytes, found, limits);
    }
    let picture = decode::still(bytes, found, limits)?;
    let original = match found.format {
        ImageFormat::Gif if found.pixels() <= limits.kept_pixels => animation::rewrite_gif(bytes, limits)?,
        ImageFormat::Png | ImageFormat::Gif => encode::png(&picture)?,
        _ => encode::photo(&picture, encode::ORIGINAL_QUALITY)?,
    };
    with_preview(original, &picture, false, limits)
}

fn process_animation(bytes: &[u8], found: &Inspected, limits: &ImageLimits) -> Result<Processed> {
    if found.pixels() > limits.kept_pixels {
        let (width, height) = (found.width, found.height);
        return Err(ImageError::TooManyPixels { width, height, limit: limits.kept_pixels });
    }
    let original = if found.format == ImageFormat::Gif {
        animation::rewrite_gif(bytes, limits)?
    } else {
        animation::redraw(bytes, found, limits, &|frame| scale::within(frame, animation::REDRAWN_PIXELS))?
    };
    let picture = decode::still(bytes, found, limits)?;
    with_preview(original, &picture, true, limits)
}

fn with_preview(original: Encoded, picture: &DynamicImage, animated: bool, limits: &ImageLimits) -> Result<Processed> {
    let small = scale::copy_within(picture, limits.preview_pixels)?;
    let blurhash = encode::blurhash(&small)?;
    Ok(Processed { original, preview: encode::photo(&small, encode::PREVIEW_QUALITY)?, blurhash, animated })
}

fn cropped(bytes: &[u8], found: &Inspected, limits: &ImageLimits, size: (u32, u32)) -> Result<ProfilePicture> {
    let picture = scale::cover(decode::still(bytes, found, limits)?, size)?;
    let still = match found.format {
        ImageFormat::Png | ImageFormat::Gif => encode::png(&picture)?,
        _ => encode::photo(&picture, encode::ORIGINAL_QUALITY)?,
    };
    if !found.animated {
        return Ok(ProfilePicture { picture: still, still: None });
    }
    let picture = animation::redraw(bytes, found, limits, &|frame| scale::cover(frame, size))?;
    Ok(ProfilePicture { picture, still: Some(still) })
}
