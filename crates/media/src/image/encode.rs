//! Pixels → files. What is written here has no metadata: no EXIF, no profile, no comment, no time.

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, Rgba, RgbaImage};

use super::{ImageError, Result, scale};

pub(super) const ORIGINAL_QUALITY: u8 = 85;
pub(super) const PREVIEW_QUALITY: u8 = 80;
/// A blurhash has a handful of colours: this many pixels tell them all.
const BLURHASH_PIXELS: u64 = 48 * 48;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    Gif,
}

impl Format {
    /// The media type.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
        }
    }

    /// For [`crate::MediaKey::new`].
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
        }
    }
}

/// A file with a picture in it.
#[derive(Debug, Clone)]
pub struct Encoded {
    pub bytes: Bytes,
    pub format: Format,
    /// Pixels.
    pub width: u32,
    pub height: u32,
}

/// JPEG, or PNG where parts are transparent.
pub(super) fn photo(picture: &DynamicImage, quality: u8) -> Result<Encoded> {
    if picture.color().has_alpha() {
        return png(picture);
    }
    let mut bytes = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality)).map_err(failed)?;
    Ok(encoded(bytes, Format::Jpeg, picture))
}

pub(super) fn png(picture: &DynamicImage) -> Result<Encoded> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    picture.write_with_encoder(encoder).map_err(failed)?;
    Ok(encoded(bytes, Format::Png, picture))
}

fn encoded(bytes: Vec<u8>, format: Format, picture: &DynamicImage) -> Encoded {
    Encoded { bytes: bytes.into(), format, width: picture.width(), height: picture.height() }
}

/// What is transparent counts as white.
pub(super) fn blurhash(picture: &DynamicImage) -> Result<String> {
    let small = scale::copy_within(picture, BLURHASH_PIXELS)?;
    let mut flat = RgbaImage::from_pixel(small.width(), small.height(), Rgba([u8::MAX; 4]));
    image::imageops::overlay(&mut flat, &small.into_rgba8(), 0, 0);
    blurhash::encode(4, 4, flat.width(), flat.height(), flat.as_raw())
        .map_err(|e| ImageError::Damaged(format!("no blurhash: {e}")))
}

#[expect(clippy::needless_pass_by_value, reason = "passed to map_err by name")]
fn failed(error: image::ImageError) -> ImageError {
    ImageError::Damaged(format!("cannot be written: {error}"))
}
