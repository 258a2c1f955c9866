//! Files → pixels: what kind of file it is, how large, and its pixels upright and in sRGB.
//!
//! Trusts nothing that a file says of itself before it was compared with the limits.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError as DecodeError, ImageFormat, ImageReader, Limits};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::{ImageError, ImageLimits, Result, scale};

/// No side may be longer; a strip would be one pixel high once it was made small.
const MAX_SIDE: u32 = 30_000;

/// What a file says of itself, within the limits.
#[derive(Debug, Clone)]
pub(super) struct Inspected {
    pub format: ImageFormat,
    /// Before it is turned upright.
    pub width: u32,
    pub height: u32,
    pub animated: bool,
    /// Of a pixel, as the file is decoded.
    bytes: u8,
}

impl Inspected {
    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// What it takes of memory, in millions of pixels of four bytes.
    pub(super) fn megapixels(&self) -> u64 {
        (self.pixels() * u64::from(self.bytes.max(4)) / 4).div_ceil(1_000_000)
    }
}

pub(super) fn inspect(bytes: &[u8], limits: &ImageLimits) -> Result<Inspected> {
    let format = sniff(bytes)?;
    let decoder = reader(bytes, format, limits).into_decoder().map_err(damaged)?;
    let ((width, height), colours) = (decoder.dimensions(), decoder.color_type());
    drop(decoder);
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(ImageError::Damaged("no pixels".to_owned()));
    }
    if pixels > limits.pixels || width.max(height) > MAX_SIDE {
        return Err(ImageError::TooManyPixels { width, height, limit: limits.pixels });
    }
    if format == ImageFormat::Jpeg && !jpeg_has_end(bytes) {
        return Err(ImageError::Damaged("the end is missing".to_owned()));
    }
    let animated = match format {
        ImageFormat::Gif => has_second_frame(bytes)?,
        ImageFormat::WebP => WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?.has_animation(),
        _ => false,
    };
    Ok(Inspected { format, width, height, animated, bytes: colours.bytes_per_pixel() })
}

/// By the first bytes. Names what people try most often, so that they know what to change.
fn sniff(bytes: &[u8]) -> Result<ImageFormat> {
    if let Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Gif | ImageFormat::WebP)) =
        image::guess_format(bytes)
    {
        return Ok(format);
    }
    let brand = bytes.get(4..12).unwrap_or_default();
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).to_ascii_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    Err(ImageError::Unsupported(match brand {
        b"ftypheic" | b"ftypheix" | b"ftyphevc" | b"ftypmif1" | b"ftypmsf1" => Some("a HEIC picture"),
        b"ftypavif" | b"ftypavis" => Some("an AVIF picture"),
        _ if brand.starts_with(b"ftyp") => Some("a video"),
        _ if start.starts_with('<') && start.contains("<svg") => Some("an SVG picture"),
        _ if start.starts_with("%pdf") => Some("a PDF file"),
        _ => None,
    }))
}

fn reader<'a>(bytes: &'a [u8], format: ImageFormat, limits: &ImageLimits) -> ImageReader<Cursor<&'a [u8]>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(decoder_limits(limits));
    reader
}

fn decoder_limits(limits: &ImageLimits) -> Limits {
    let mut allowed = Limits::default();
    // Sixteen bits in four channels, and as much again for the decoder.
    allowed.max_alloc = Some(limits.pixels.saturating_mul(16));
    allowed
}

/// Does the end marker follow the first scan? The decoder would paint the missing rest of a picture gray.
fn jpeg_has_end(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END: u8 = 0xd9;
    let mut at = 2;
    while let Some(&[marker_sign, marker, high, low]) = bytes.get(at..at + 4) {
        if marker_sign != 0xff {
            return false;
        }
        if marker == 0xff {
            // Padding.
            at += 1;
        } else if marker == START_OF_SCAN {
            return bytes[at..].windows(2).any(|pair| pair == [0xff, END]);
        } else {
            at += 2 + usize::from(u16::from_be_bytes([high, low]));
        }
    }
    false
}

fn has_second_frame(bytes: &[u8]) -> Result<bool> {
    let mut options = gif::DecodeOptions::new();
    options.skip_frame_decoding(true);
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(|e| ImageError::Damaged(e.to_string()))?;
    for _ in 0..2 {
        match decoder.next_frame_info() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(false),
            Err(e) => return Err(ImageError::Damaged(e.to_string())),
        }
    }
    Ok(true)
}

/// The picture, or the first frame of an animation: upright, in sRGB, eight bits, with an alpha channel only where
/// it is used, and at most [`ImageLimits::kept_pixels`] large.
pub(super) fn still(bytes: &[u8], found: &Inspected, limits: &ImageLimits) -> Result<DynamicImage> {
    let mut decoder = reader(bytes, found.format, limits).into_decoder().map_err(damaged)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let decoded = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    let mut picture = scale::within(eight_bits(decoded), limits.kept_pixels)?;
    if let Some(profile) = profile {
        picture = to_srgb(picture, &profile);
    }
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The frames of an animation, each as large as the whole.
pub(super) fn frames<'a>(bytes: &'a [u8], found: &Inspected, limits: &ImageLimits) -> Result<image::Frames<'a>> {
    use image::AnimationDecoder;
    if found.format == ImageFormat::WebP {
        return Ok(WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?.into_frames());
    }
    let mut decoder = GifDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    decoder.set_limits(decoder_limits(limits)).map_err(damaged)?;
    Ok(decoder.into_frames())
}

pub(super) fn eight_bits(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return DynamicImage::ImageRgb8(picture.into_rgb8());
    }
    let rgba = picture.into_rgba8();
    if rgba.pixels().all(|pixel| pixel.0[3] == u8::MAX) {
        DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(rgba).into_rgb8())
    } else {
        DynamicImage::ImageRgba8(rgba)
    }
}

/// Colours as they were meant: the profile itself is not kept, since it may name a device. What cannot be converted
/// stays as it is.
fn to_srgb(picture: DynamicImage, profile: &[u8]) -> DynamicImage {
    let convert = |layout: Layout, from: &[u8]| -> Option<Vec<u8>> {
        let profile = ColorProfile::new_from_slice(profile).ok()?;
        if profile.color_space != DataColorSpace::Rgb {
            return None;
        }
        let srgb = ColorProfile::new_srgb();
        let transform = profile.create_transform_8bit(layout, &srgb, layout, TransformOptions::default()).ok()?;
        let mut to = vec![0; from.len()];
        transform.transform(from, &mut to).ok()?;
        Some(to)
    };
    let (width, height) = (picture.width(), picture.height());
    let converted = match &picture {
        DynamicImage::ImageRgb8(rgb) => convert(Layout::Rgb, rgb.as_raw())
            .and_then(|to| image::RgbImage::from_raw(width, height, to))
            .map(DynamicImage::ImageRgb8),
        DynamicImage::ImageRgba8(rgba) => convert(Layout::Rgba, rgba.as_raw())
            .and_then(|to| image::RgbaImage::from_raw(width, height, to))
            .map(DynamicImage::ImageRgba8),
        _ => None,
    };
    converted.unwrap_or(picture)
}

#[expect(clippy::needless_pass_by_value, reason = "passed to map_err by name")]
pub(super) fn damaged(error: DecodeError) -> ImageError {
    ImageError::Damaged(error.to_string())
}
