//! Moving pictures: GIFs keep their frames as they are, others are drawn anew as GIFs.
//!
//! Comments, application data, thumbnails and whatever follows the end are left out.

use std::borrow::Cow;
use std::io::{self, Cursor, ErrorKind, Write};

use gif::{ColorOutput, DisposalMethod, Encoder, Frame, MemoryLimit, Repeat};
use image::DynamicImage;

use super::decode::{Inspected, damaged, frames};
use super::encode::{Encoded, Format};
use super::{ImageError, ImageLimits, Result};

/// Animations that are drawn anew have at most this many pixels: GIF packs badly.
pub(super) const REDRAWN_PIXELS: u64 = 640 * 480;
/// 1 = best colours, 30 = fastest.
const QUANTISER_SPEED: i32 = 10;
/// Hundredths of a second; browsers slow down what is faster.
const LEAST_DELAY: u16 = 2;

/// The same frames in a new file, colours untouched.
pub(super) fn rewrite_gif(bytes: &[u8], limits: &ImageLimits) -> Result<Encoded> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    if let Some(most) = std::num::NonZeroU64::new(limits.pixels) {
        options.set_memory_limit(MemoryLimit::Bytes(most));
    }
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(unreadable)?;
    let (width, height) = (decoder.width(), decoder.height());
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut encoder = Encoder::new(Capped::new(limits), width, height, &palette).map_err(unwritable)?;
    encoder.set_repeat(decoder.repeat()).map_err(unwritable)?;
    let mut budget = Budget::new(limits);
    while let Some(frame) = decoder.next_frame_info().map_err(unreadable)? {
        let mut frame = Frame {
            delay: frame.delay,
            dispose: frame.dispose,
            transparent: frame.transparent,
            needs_user_input: false,
            top: frame.top,
            left: frame.left,
            width: frame.width,
            height: frame.height,
            interlaced: false,
            palette: frame.palette.clone(),
            buffer: Cow::Borrowed(&[]),
        };
        let pixels = usize::from(frame.width) * usize::from(frame.height);
        budget.take(pixels as u64)?;
        if pixels as u64 > limits.pixels {
            return Err(ImageError::TooLong);
        }
        let mut buffer = vec![0; pixels];
        if pixels > 0 {
            decoder.read_into_buffer(&mut buffer).map_err(unreadable)?;
        }
        frame.buffer = Cow::Owned(buffer);
        encoder.write_frame(&frame).map_err(unwritable)?;
    }
    budget.finish()?;
    let bytes = encoder.into_inner().map_err(unwritable)?.bytes;
    Ok(Encoded { bytes: bytes.into(), format: Format::Gif, width: width.into(), height: height.into() })
}

/// Draws every frame anew through `change`, which must make all of them the same size.
pub(super) fn redraw(
    bytes: &[u8],
    found: &Inspected,
    limits: &ImageLimits,
    change: &dyn Fn(DynamicImage) -> Result<DynamicImage>,
) -> Result<Encoded> {
    let mut budget = Budget::new(limits);
    let mut output: Option<(Encoder<Capped>, u16, u16)> = None;
    for frame in frames(bytes, found, limits)? {
        budget.take(found.pixels())?;
        let frame = frame.map_err(damaged)?;
        let (milliseconds, parts) = frame.delay().numer_denom_ms();
        let delay = u16::try_from(milliseconds / parts.max(1) / 10).unwrap_or(u16::MAX).max(LEAST_DELAY);
        let mut picture = change(DynamicImage::ImageRgba8(frame.into_buffer()))?.into_rgba8();
        let too_large = |_| ImageError::TooLong;
        let width = u16::try_from(picture.width()).map_err(too_large)?;
        let height = u16::try_from(picture.height()).map_err(too_large)?;
        let mut drawn = Frame::from_rgba_speed(width, height, &mut picture, QUANTISER_SPEED);
        drawn.delay = delay;
        // Each frame is the whole picture: what was transparent must not show the frame before.
        drawn.dispose = DisposalMethod::Background;
        let (encoder, _, _) = match &mut output {
            Some(output) => output,
            None => {
                let mut encoder = Encoder::new(Capped::new(limits), width, height, &[]).map_err(unwritable)?;
                encoder.set_repeat(Repeat::Infinite).map_err(unwritable)?;
                output.insert((encoder, width, height))
            }
        };
        encoder.write_frame(&drawn).map_err(unwritable)?;
    }
    budget.finish()?;
    let Some((encoder, width, height)) = output else { return Err(ImageError::Damaged("no frames".to_owned())) };
    let bytes = encoder.into_inner().map_err(unwritable)?.bytes;
    Ok(Encoded { bytes: bytes.into(), format: Format::Gif, width: width.into(), height: height.into() })
}

/// Bytes that may be written of an animation. One that is drawn anew can take far more than it came with.
pub(super) fn most_written(limits: &ImageLimits) -> usize {
    limits.bytes.saturating_mul(2)
}

/// A file that is written, up to a length.
struct Capped {
    bytes: Vec<u8>,
    at_most: usize,
}

impl Capped {
    fn new(limits: &ImageLimits) -> Self {
        Self { bytes: Vec::new(), at_most: most_written(limits) }
    }
}

impl Write for Capped {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > self.at_most {
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts what an animation costs.
struct Budget {
    frames: usize,
    pixels: u64,
    used: bool,
}

impl Budget {
    fn new(limits: &ImageLimits) -> Self {
        Self { frames: limits.frames, pixels: limits.animation_pixels, used: false }
    }

    fn take(&mut self, pixels: u64) -> Result<()> {
        self.frames = self.frames.checked_sub(1).ok_or(ImageError::TooLong)?;
        self.pixels = self.pixels.checked_sub(pixels).ok_or(ImageError::TooLong)?;
        self.used = true;
        Ok(())
    }

    fn finish(&self) -> Result<()> {
        if self.used { Ok(()) } else { Err(ImageError::Damaged("no frames".to_owned())) }
    }
}

pub(super) fn unreadable(error: gif::DecodingError) -> ImageError {
    ImageError::Damaged(error.to_string())
}

fn unwritable(error: gif::EncodingError) -> ImageError {
    if matches!(&error, gif::EncodingError::Io(io) if io.kind() == ErrorKind::FileTooLarge) {
        return ImageError::TooLong;
    }
    ImageError::Damaged(format!("cannot be written: {error}"))
}
