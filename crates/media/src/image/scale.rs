//! Makes pictures smaller. Never larger.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8x3, U8x4};
use fast_image_resize::{MulDiv, PixelTrait, ResizeOptions, Resizer};
use image::{DynamicImage, ImageBuffer, Pixel, RgbaImage};

use super::{ImageError, Result};

/// The picture in its own shape with at most `pixels` pixels.
pub(super) fn within(picture: DynamicImage, pixels: u64) -> Result<DynamicImage> {
    let (width, height) = (picture.width(), picture.height());
    match smaller(width, height, pixels) {
        size if size == (width, height) => Ok(picture),
        size => shrink(picture, size, &ResizeOptions::new()),
    }
}

/// A copy of the picture with at most `pixels` pixels.
pub(super) fn copy_within(picture: &DynamicImage, pixels: u64) -> Result<DynamicImage> {
    let (width, height) = (picture.width(), picture.height());
    match smaller(width, height, pixels) {
        size if size == (width, height) => Ok(picture.clone()),
        size => resize(picture, size, &ResizeOptions::new()),
    }
}

/// The middle of the picture in the shape of `size`, at most that large.
pub(super) fn cover(picture: DynamicImage, size: (u32, u32)) -> Result<DynamicImage> {
    let (width, height) = (picture.width(), picture.height());
    // How much smaller the result must be than `size` for the picture to fill it.
    let factor = (f64::from(width) / f64::from(size.0)).min(f64::from(height) / f64::from(size.1)).min(1.0);
    let target = (side(f64::from(size.0) * factor), side(f64::from(size.1) * factor));
    if target == (width, height) {
        return Ok(picture);
    }
    shrink(picture, target, &ResizeOptions::new().fit_into_destination(None))
}

fn smaller(width: u32, height: u32, pixels: u64) -> (u32, u32) {
    let area = u64::from(width) * u64::from(height);
    if area <= pixels {
        return (width, height);
    }
    #[expect(clippy::cast_precision_loss, reason = "a pixel more or less does not matter")]
    let factor = (pixels as f64 / area as f64).sqrt();
    let floor = |length: u32| side((f64::from(length) * factor).floor());
    (floor(width), floor(height))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a picture's side")]
fn side(length: f64) -> u32 {
    length.round().max(1.0) as u32
}

/// As [`resize`], of a picture that is needed no more: colours are weighed by their transparency in place, where the
/// library would make a copy of the whole.
fn shrink(mut picture: DynamicImage, size: (u32, u32), options: &ResizeOptions) -> Result<DynamicImage> {
    let DynamicImage::ImageRgba8(whole) = &mut picture else { return resize(&picture, size, options) };
    let weigh = MulDiv::new();
    weigh.multiply_alpha_inplace_typed(&mut view(whole)?).map_err(|e| damaged(&e))?;
    let mut small = resize(&picture, size, &options.use_alpha(false))?;
    if let DynamicImage::ImageRgba8(small) = &mut small {
        weigh.divide_alpha_inplace_typed(&mut view(small)?).map_err(|e| damaged(&e))?;
    }
    Ok(small)
}

fn view(picture: &mut RgbaImage) -> Result<TypedImage<'_, U8x4>> {
    let (width, height) = picture.dimensions();
    TypedImage::from_buffer(width, height, picture).map_err(|e| damaged(&e))
}

fn damaged(e: &dyn std::fmt::Display) -> ImageError {
    ImageError::Damaged(format!("cannot be scaled: {e}"))
}

fn resize(picture: &DynamicImage, size: (u32, u32), options: &ResizeOptions) -> Result<DynamicImage> {
    // Only what pictures are once they are decoded: the code for every other kind of pixel would be in the program, too.
    Ok(match picture {
        DynamicImage::ImageRgb8(picture) => resized::<U8x3, _>(picture, size, options)?.into(),
        DynamicImage::ImageRgba8(picture) => resized::<U8x4, _>(picture, size, options)?.into(),
        other => resized::<U8x4, _>(&other.to_rgba8(), size, options)?.into(),
    })
}

type Bytes<P> = ImageBuffer<P, Vec<u8>>;

fn resized<S: PixelTrait, P: Pixel<Subpixel = u8>>(
    picture: &Bytes<P>,
    (width, height): (u32, u32),
    options: &ResizeOptions,
) -> Result<Bytes<P>> {
    let mut result = Bytes::<P>::new(width, height);
    let from = TypedImageRef::<S>::from_buffer(picture.width(), picture.height(), picture).map_err(|e| damaged(&e))?;
    let mut to = TypedImage::<S>::from_buffer(width, height, &mut result).map_err(|e| damaged(&e))?;
    Resizer::new().resize_typed(&from, &mut to, options).map_err(|e| damaged(&e))?;
    drop(to);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_keep_their_shape_and_are_never_enlarged() {
        assert_eq!(smaller(100, 50, 5_000), (100, 50));
        assert_eq!(smaller(8000, 4000, 8_000_000), (4000, 2000));
        assert_eq!(smaller(30_000, 1, 1_000), (5_477, 1));
        let size = |w, h, to| {
            let made = cover(DynamicImage::new_rgb8(w, h), to).unwrap();
            (made.width(), made.height())
        };
        assert_eq!(size(1000, 600, (400, 400)), (400, 400));
        assert_eq!(size(300, 200, (400, 400)), (200, 200));
        assert_eq!(size(3000, 3000, (1500, 500)), (1500, 500));
        assert_eq!(size(600, 600, (1500, 500)), (600, 200));
        assert_eq!(size(1, 1, (1500, 500)), (1, 1));
        assert_eq!(size(400, 400, (400, 400)), (400, 400));
    }
}
