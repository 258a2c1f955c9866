//! Files → pixels: what kind of file it is, how large, and its pixels upright and in sRGB.
//!
//! Trusts nothing that a file says of itself before it was compared with the limits.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageError as DecodeError, ImageFormat, ImageReader, Limits,
    RgbImage, RgbaImage,
};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::{ImageError, ImageLimits, Result, animation, scale};

/// No side may be longer; a strip would be one pixel high once it was made small.
const MAX_SIDE: u32 = 30_000;
/// Bytes that colour profiles and texts of a file may unpack to: a profile has some thousands, or a few millions.
const BESIDE_PIXELS: u64 = 16 * 1024 * 1024;
/// What every picture takes beside its pixels: rows, tables, buffers that grow.
const BASE: u64 = 8 * 1024 * 1024;

/// What a file says of itself, within the limits.
#[derive(Debug, Clone)]
pub(super) struct Inspected {
    pub format: ImageFormat,
    /// Before it is turned upright.
    pub width: u32,
    pub height: u32,
    pub animated: bool,
    /// Sixteen bits a channel.
    deep: bool,
    /// Bytes that it takes while it is decoded and made anew, at most; the file itself included.
    pub memory: u64,
}

impl Inspected {
    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Looks at the headers. Takes little memory, whatever the file says.
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
    let channels = u64::from(colours.channel_count());
    let (decoding, animated) = match format {
        ImageFormat::Jpeg => {
            let jpeg = jpeg(bytes).ok_or_else(|| ImageError::Damaged("the end is missing".to_owned()))?;
            // The decoder copies the file, and keeps every coefficient where not all come in one scan.
            let padded = (u64::from(width) + 32) * (u64::from(height) + 32);
            (bytes.len() as u64 + padded * jpeg.kept_in_32nds / 32 + pixels * channels, false)
        }
        ImageFormat::Gif => {
            let gif = gif_frames(bytes, limits)?;
            // The whole, the frame, and what is made of both.
            (12 * pixels.max(gif.largest), gif.frames > 1)
        }
        ImageFormat::WebP => {
            webp_fits(bytes, width, height)?;
            let moves = WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?.has_animation();
            // Brightness and colours apart, then together, and the same for transparency; or whole frames.
            (pixels * if moves { 20 } else { 4 + 2 * channels }, moves)
        }
        _ => (pixels * channels, false),
    };
    let memory = bytes.len() as u64
        + BASE
        + decoding.max(working(pixels, channels, limits))
        + after(pixels, format, animated, limits);
    Ok(Inspected { format, width, height, animated, deep: colours.bytes_per_pixel() > colours.channel_count(), memory })
}

/// Bytes while a decoded picture gets its form: colours instead of gray, and smaller.
fn working(pixels: u64, channels: u64, limits: &ImageLimits) -> u64 {
    let (before, shown) = match channels {
        1 => (1, 3),
        2 => (2, 4),
        more => (0, more),
    };
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "about")]
    let half_way = if pixels > limits.kept_pixels {
        // It is made narrower first, then lower.
        (pixels as f64 * (limits.kept_pixels as f64).sqrt() / (pixels as f64).sqrt()) as u64 + limits.kept_pixels
    } else {
        0
    };
    (pixels * (before + shown)).max(pixels * shown + half_way * shown * 9 / 8)
}

/// Bytes once it has its size: copies in other colours and turned round, the small version, and what is written.
fn after(pixels: u64, format: ImageFormat, animated: bool, limits: &ImageLimits) -> u64 {
    let written = match (format, animated) {
        (_, true) => 3 * animation::most_written(limits) as u64,
        (ImageFormat::Jpeg, _) => 0,
        _ => 8 * pixels.min(limits.kept_pixels),
    };
    let written = written.min(3 * animation::most_written(limits) as u64);
    written + if pixels > limits.kept_pixels { 0 } else { 4 * pixels }
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
    reader.limits(decoder_limits(format, limits));
    reader
}

fn decoder_limits(format: ImageFormat, limits: &ImageLimits) -> Limits {
    let mut allowed = Limits::default();
    allowed.max_alloc = Some(match format {
        // Here it is for what stands beside the pixels.
        ImageFormat::Png | ImageFormat::WebP => BESIDE_PIXELS,
        // Four channels, and as much again twice for the decoder.
        _ => limits.pixels.saturating_mul(12),
    });
    allowed
}

/// What a JPEG says of how it is decoded.
struct Jpeg {
    /// Bytes of coefficients that are kept to the end, for 32 pixels.
    kept_in_32nds: u64,
}

/// `None` when the end marker does not follow the first scan: the decoder would paint the missing rest of a picture gray.
fn jpeg(bytes: &[u8]) -> Option<Jpeg> {
    const START_OF_SCAN: u8 = 0xda;
    const END: u8 = 0xd9;
    let mut at = 2;
    // Where it does not say so before its pixels: four components, all kept.
    let (mut components, mut all, mut progressive) = (4, 8 * 32, true);
    while let Some(&[marker_sign, marker, high, low]) = bytes.get(at..at + 4) {
        if marker_sign != 0xff {
            return None;
        }
        if marker == 0xff {
            // Padding.
            at += 1;
            continue;
        }
        let body = bytes.get(at + 4..).unwrap_or_default();
        match marker {
            START_OF_SCAN => {
                let in_one_scan = body.first().is_some_and(|n| *n == components);
                let ends = bytes[at..].windows(2).any(|pair| pair == [0xff, END]);
                let kept_in_32nds = if progressive || !in_one_scan { all } else { 0 };
                return ends.then_some(Jpeg { kept_in_32nds });
            }
            // A frame's header, but for tables (0xc4), a reserved one and conditions for arithmetic coding.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                progressive = !matches!(marker, 0xc0 | 0xc1);
                components = *body.get(5)?;
                let factors = body.get(6..)?.chunks_exact(3).take(usize::from(components));
                let factors: Vec<(u64, u64)> =
                    factors.map(|of| (u64::from(of[1] >> 4).max(1), u64::from(of[1] & 15).max(1))).collect();
                let (h, v) = factors.iter().fold((1, 1), |(h, v), of| (h.max(of.0), v.max(of.1)));
                // Two bytes for each coefficient, and as many of them as there are pixels where none are left out.
                let sum: u64 = factors.iter().map(|of| of.0 * of.1).sum();
                all = (2 * 32 * sum).div_ceil(h * v);
            }
            _ => {}
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    None
}

/// The frames of a GIF, as far as their headers say.
struct GifFrames {
    frames: usize,
    /// Pixels of the largest, which may be larger than the whole.
    largest: u64,
}

fn gif_frames(bytes: &[u8], limits: &ImageLimits) -> Result<GifFrames> {
    let mut options = gif::DecodeOptions::new();
    options.skip_frame_decoding(true);
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(animation::unreadable)?;
    let mut found = GifFrames { frames: 0, largest: 0 };
    while let Some(frame) = decoder.next_frame_info().map_err(animation::unreadable)? {
        found.frames += 1;
        found.largest = found.largest.max(u64::from(frame.width) * u64::from(frame.height));
        // More are refused when they are counted; what they hold does not matter.
        if found.frames > limits.frames {
            break;
        }
    }
    if found.largest > limits.pixels {
        return Err(ImageError::TooLong);
    }
    Ok(found)
}

/// No picture inside a WebP file may be larger than the whole: the decoder makes room for it before it compares.
fn webp_fits(bytes: &[u8], width: u32, height: u32) -> Result<()> {
    let fits = |picture: &[u8]| match picture {
        [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] => {
            let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
            side(*w0, *w1) <= width && side(*h0, *h1) <= height
        }
        // Not what the decoder reads, either.
        _ => true,
    };
    let mut waiting = vec![bytes.get(12..).unwrap_or_default()];
    while let Some(mut rest) = waiting.pop() {
        while let Some((head, body)) = rest.split_at_checked(8) {
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
            let inside = &body[..length.min(body.len())];
            match &head[..4] {
                b"VP8 " if !fits(inside) => {
                    return Err(ImageError::Damaged("a picture larger than the whole".to_owned()));
                }
                b"ANMF" => waiting.push(inside.get(16..).unwrap_or_default()),
                _ => {}
            }
            rest = body.get(length.saturating_add(length % 2)..).unwrap_or_default();
        }
    }
    Ok(())
}

/// The picture, or the first frame of an animation: upright, in sRGB, eight bits, with an alpha channel only where
/// it is used, and at most [`ImageLimits::kept_pixels`] large.
pub(super) fn still(bytes: &[u8], found: &Inspected, limits: &ImageLimits) -> Result<DynamicImage> {
    let mut decoder = reader(bytes, found.format, limits).into_decoder().map_err(damaged)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let colours = decoder.color_type();
    let pixels = if found.deep {
        drop(decoder);
        deep_png(bytes)?
    } else {
        let length = usize::try_from(decoder.total_bytes()).map_err(|_| ImageError::Damaged("too long".to_owned()))?;
        let mut pixels = vec![0; length];
        decoder.read_image(&mut pixels).map_err(damaged)?;
        pixels
    };
    let decoded = in_colours(pixels, colours.channel_count(), found.width, found.height)?;
    let mut picture = scale::within(decoded, limits.kept_pixels)?;
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
    decoder.set_limits(decoder_limits(ImageFormat::Gif, limits)).map_err(damaged)?;
    Ok(decoder.into_frames())
}

/// A PNG file of sixteen bits a channel, of which the lower eight are left out row by row: the whole would take twice
/// the memory.
fn deep_png(bytes: &[u8]) -> Result<Vec<u8>> {
    let unreadable = |e: png::DecodingError| ImageError::Damaged(e.to_string());
    let limits = png::Limits { bytes: usize::try_from(BESIDE_PIXELS).unwrap_or(usize::MAX) };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let length = reader.output_buffer_size().ok_or_else(|| ImageError::Damaged("too long".to_owned()))?;
    let mut pixels = vec![0; length];
    reader.next_frame(&mut pixels).map_err(unreadable)?;
    Ok(pixels)
}

/// Eight bits a channel as a picture in colours, with transparency only where it is used. Takes no second copy but for
/// gray, which grows.
fn in_colours(mut pixels: Vec<u8>, channels: u8, width: u32, height: u32) -> Result<DynamicImage> {
    let opaque = |alpha: u8| alpha == u8::MAX;
    let picture = match channels {
        1 => GrayImage::from_raw(width, height, pixels).map(|gray| DynamicImage::from(gray).into_rgb8().into()),
        2 => {
            let opaque = pixels.chunks_exact(2).all(|of| opaque(of[1]));
            GrayAlphaImage::from_raw(width, height, pixels).map(|gray| {
                let gray = DynamicImage::from(gray);
                if opaque { gray.into_rgb8().into() } else { gray.into_rgba8().into() }
            })
        }
        3 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        4 if pixels.chunks_exact(4).all(|of| opaque(of[3])) => {
            let count = pixels.len() / 4;
            for n in 0..count {
                pixels.copy_within(n * 4..n * 4 + 3, n * 3);
            }
            pixels.truncate(count * 3);
            RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
        }
        4 => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => None,
    };
    picture.ok_or_else(|| ImageError::Damaged("pixels of an unknown kind".to_owned()))
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
