//! What pictures must become, on files made by hand: with metadata, bombs, damaged ones, moving ones.

use std::io::Cursor;

use image::{ExtendedColorType, GrayImage, ImageEncoder, ImageReader, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

const RED: Rgb<u8> = Rgb([220, 30, 30]);
const BLUE: Rgb<u8> = Rgb([30, 30, 220]);

/// The left half red, the right half blue.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { RED } else { BLUE })
}

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    file(&halves(width, height).into(), ImageFormat::Jpeg)
}

fn png(width: u32, height: u32) -> Vec<u8> {
    file(&halves(width, height).into(), ImageFormat::Png)
}

fn decode(encoded: &Encoded) -> DynamicImage {
    let reader = ImageReader::new(Cursor::new(&encoded.bytes)).with_guessed_format().unwrap();
    let expected = match encoded.format {
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Png => ImageFormat::Png,
        Format::Gif => ImageFormat::Gif,
    };
    assert_eq!(reader.format(), Some(expected));
    let picture = reader.decode().unwrap();
    assert_eq!((picture.width(), picture.height()), (encoded.width, encoded.height));
    picture
}

fn near(a: Rgb<u8>, b: Rgb<u8>) -> bool {
    a.0.iter().zip(b.0).all(|(a, b)| a.abs_diff(b) < 40)
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|w| w == needle)
}

async fn made(bytes: Vec<u8>) -> Result<Processed> {
    process(bytes.into(), &ImageLimits::default()).await
}

/// A TIFF structure with an orientation, a camera and a place.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend(3u16.to_le_bytes());
    // Make: 12 characters at 50; Orientation; GPS directory at 62.
    tiff.extend([0x0f, 0x01, 2, 0, 12, 0, 0, 0, 50, 0, 0, 0]);
    tiff.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    tiff.extend([0x25, 0x88, 4, 0, 1, 0, 0, 0, 62, 0, 0, 0]);
    tiff.extend(0u32.to_le_bytes());
    assert_eq!(tiff.len(), 50);
    tiff.extend(b"SpyCamera 9\0");
    tiff.extend(1u16.to_le_bytes());
    // GPSMapDatum, standing for all of them: 8 characters at 80.
    tiff.extend([0x12, 0x00, 2, 0, 8, 0, 0, 0, 80, 0, 0, 0]);
    tiff.extend(0u32.to_le_bytes());
    assert_eq!(tiff.len(), 80);
    tiff.extend(b"GPSHOME\0");
    tiff
}

/// Puts segments after the first marker of a JPEG.
fn with_segments(jpeg: &[u8], segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = jpeg[..2].to_vec();
    for (marker, body) in segments {
        out.extend([0xff, *marker]);
        out.extend(u16::try_from(body.len() + 2).unwrap().to_be_bytes());
        out.extend(body);
    }
    out.extend(&jpeg[2..]);
    out
}

fn app1(orientation: u8) -> (u8, Vec<u8>) {
    (0xe1, [b"Exif\0\0".to_vec(), exif(orientation)].concat())
}

#[tokio::test]
async fn a_photo_loses_its_metadata_and_stands_upright() {
    let comment = (0xfe, b"a comment".to_vec());
    let xmp = (0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>GPSHOME</x:xmpmeta>".to_vec());
    let mut bytes = with_segments(&jpeg(80, 40), &[app1(6), xmp, comment]);
    bytes.extend(b"appended secret");
    let made = made(bytes).await.unwrap();
    for encoded in [&made.original, &made.preview] {
        for secret in ["Exif", "SpyCamera", "GPSHOME", "xmpmeta", "a comment", "appended", "ICC_PROFILE"] {
            assert!(!contains(&encoded.bytes, secret.as_bytes()), "{secret}");
        }
        // Orientation 6: turned a quarter to the right, so what was left is on top.
        assert_eq!((encoded.width, encoded.height), (40, 80));
        let picture = decode(encoded).into_rgb8();
        assert!(near(*picture.get_pixel(20, 10), RED) && near(*picture.get_pixel(20, 70), BLUE));
    }
    assert_eq!(made.original.format, Format::Jpeg);
    assert!(!made.animated);
}

#[tokio::test]
async fn every_orientation_is_applied() {
    // Where red, which was on the left, ends up.
    for (orientation, size, red) in [
        (1, (80, 40), (10, 20)),
        (2, (80, 40), (70, 20)),
        (3, (80, 40), (70, 20)),
        (4, (80, 40), (10, 20)),
        (5, (40, 80), (20, 10)),
        (6, (40, 80), (20, 10)),
        (7, (40, 80), (20, 70)),
        (8, (40, 80), (20, 70)),
        (0, (80, 40), (10, 20)),
        (99, (80, 40), (10, 20)),
    ] {
        let made = made(with_segments(&jpeg(80, 40), &[app1(orientation)])).await.unwrap();
        assert_eq!((made.original.width, made.original.height), size, "{orientation}");
        assert!(near(*decode(&made.original).into_rgb8().get_pixel(red.0, red.1), RED), "{orientation}");
    }
}

/// A PNG chunk with its checksum.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in kind.iter().chain(body) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut out = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    out.extend(kind);
    out.extend(body);
    out.extend((!crc).to_be_bytes());
    out
}

#[tokio::test]
async fn a_png_stays_one_and_loses_its_texts() {
    let bytes = png(60, 30);
    // Signature and header have 33 bytes.
    let mut told = bytes[..33].to_vec();
    told.extend(chunk(b"tEXt", b"Comment\0taken at home"));
    told.extend(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0GPSHOME"));
    told.extend(chunk(b"tIME", &[7, 234, 11, 22, 14, 0, 0]));
    told.extend(chunk(b"eXIf", &exif(3)));
    told.extend(&bytes[33..]);
    told.extend(b"appended");
    let made = made(told).await.unwrap();
    assert_eq!(made.original.format, Format::Png);
    for secret in ["tEXt", "iTXt", "tIME", "eXIf", "taken at home", "GPSHOME", "appended"] {
        assert!(!contains(&made.original.bytes, secret.as_bytes()), "{secret}");
    }
    let picture = decode(&made.original).into_rgb8();
    assert_eq!(*picture.get_pixel(50, 15), RED, "turned round, and not a shade different");
}

#[tokio::test]
async fn transparency_and_depth_survive_where_they_can() {
    let ghost = RgbaImage::from_fn(40, 40, |x, _| Rgba([200, 10, 10, if x < 20 { 0 } else { 255 }]));
    let transparent = made(file(&ghost.clone().into(), ImageFormat::Png)).await.unwrap();
    assert!(decode(&transparent.original).color().has_alpha());
    assert_eq!(transparent.preview.format, Format::Png);
    let webp = made(file(&ghost.into(), ImageFormat::WebP)).await.unwrap();
    assert_eq!(webp.original.format, Format::Png);
    assert_eq!(made(file(&halves(9, 9).into(), ImageFormat::WebP)).await.unwrap().original.format, Format::Jpeg);
    let sixteen = DynamicImage::ImageRgb8(halves(8, 8)).into_rgb16();
    let picture = decode(&made(file(&sixteen.into(), ImageFormat::Png)).await.unwrap().original);
    assert_eq!(*picture.into_rgb8().get_pixel(1, 1), RED);
    let gray = GrayImage::from_pixel(8, 8, image::Luma([77]));
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let picture = decode(&made(file(&gray.clone().into(), format)).await.unwrap().original).into_rgb8();
        assert_eq!(*picture.get_pixel(4, 4), Rgb([77; 3]));
    }
}

#[tokio::test]
async fn colours_of_another_profile_are_converted() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(profile).unwrap();
    let pixels: Vec<u8> = [200, 100, 50].repeat(64);
    encoder.write_image(&pixels, 8, 8, ExtendedColorType::Rgb8).unwrap();
    let made = made(bytes).await.unwrap();
    assert!(!contains(&made.original.bytes, b"iCCP"));
    let pixel = *decode(&made.original).into_rgb8().get_pixel(3, 3);
    // The same colour needs more red and less blue in the smaller space.
    assert!(pixel[0] > 205 && pixel[2] < 45, "{pixel:?}");
}

#[tokio::test]
async fn large_pictures_are_made_smaller() {
    let limits = ImageLimits { kept_pixels: 100 * 50, preview_pixels: 20 * 10, ..ImageLimits::default() };
    let made = process(jpeg(400, 200).into(), &limits).await.unwrap();
    assert_eq!((made.original.width, made.original.height), (100, 50));
    assert_eq!((made.preview.width, made.preview.height), (20, 10));
    let picture = decode(&made.original).into_rgb8();
    assert!(near(*picture.get_pixel(10, 25), RED) && near(*picture.get_pixel(90, 25), BLUE));
    let colours = blurhash::decode(&made.blurhash, 20, 10, 1.0).unwrap();
    assert!(colours[0] > colours[2], "the left of the blurhash is red");
}

#[tokio::test]
async fn bombs_are_refused_before_they_are_decoded() {
    // Claims 50,000 × 50,000 pixels and has none.
    let mut ihdr = 50_000u32.to_be_bytes().to_vec();
    ihdr.extend(50_000u32.to_be_bytes());
    ihdr.extend([8, 6, 0, 0, 0]);
    let bytes =
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &ihdr), chunk(b"IDAT", &[]), chunk(b"IEND", &[])].concat();
    let answer = made(bytes).await.unwrap_err();
    assert_eq!(answer, ImageError::TooManyPixels { width: 50_000, height: 50_000, limit: 50_000_000 });

    let limits = ImageLimits { pixels: 99, ..ImageLimits::default() };
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let answer = process(file(&halves(10, 10).into(), format).into(), &limits).await.unwrap_err();
        assert_eq!(answer, ImageError::TooManyPixels { width: 10, height: 10, limit: 99 });
    }
    let long = file(&GrayImage::new(30_001, 1).into(), ImageFormat::Png);
    assert!(matches!(made(long).await, Err(ImageError::TooManyPixels { .. })));
    let limits = ImageLimits { bytes: 100, ..ImageLimits::default() };
    let answer = process(jpeg(10, 10).into(), &limits).await.unwrap_err();
    assert_eq!(answer, ImageError::TooManyBytes { limit: 100 });
}

/// 48 megapixels, as phones take them.
#[tokio::test]
async fn the_largest_photos_of_phones_are_taken() {
    let made = made(file(&GrayImage::new(8064, 6048).into(), ImageFormat::Png)).await.unwrap();
    let (width, height) = (made.original.width, made.original.height);
    assert!(u64::from(width) * u64::from(height) <= ImageLimits::default().kept_pixels);
    assert!((f64::from(width) / f64::from(height) - 4.0 / 3.0).abs() < 0.01, "{width} × {height}");
}

#[tokio::test]
async fn what_is_no_picture_of_ours_is_named() {
    let mp4 = b"\0\0\0\x18ftypmp42\0\0\0\0".as_slice();
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0".as_slice();
    let avif = b"\0\0\0\x18ftypavif\0\0\0\0".as_slice();
    let svg = b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>".as_slice();
    for (bytes, name) in [
        (mp4, Some("a video")),
        (heic, Some("a HEIC picture")),
        (avif, Some("an AVIF picture")),
        (svg, Some("an SVG picture")),
        (b"%PDF-1.7", Some("a PDF file")),
        (b"BM\0\0\0\0", None),
        (b"hello", None),
        (b"", None),
    ] {
        assert_eq!(made(bytes.to_vec()).await.unwrap_err(), ImageError::Unsupported(name));
    }
    let answer = ImageError::Unsupported(Some("a HEIC picture")).to_string();
    assert_eq!(answer, "a HEIC picture cannot be used here; please choose a JPEG, PNG, GIF or WebP picture");
}

#[tokio::test]
async fn damaged_files_are_errors_and_never_panics() {
    let animated = gif(3, 20, 20);
    let webp = file(&halves(20, 20).into(), ImageFormat::WebP);
    for whole in [jpeg(20, 20), png(20, 20), animated, webp] {
        // Cut anywhere; and with a byte changed anywhere (a decoder may then still see a picture).
        for at in 0..whole.len() {
            let found = decode::inspect(&whole[..at], &ImageLimits::default());
            if let Ok(found) = found
                && at < whole.len() - 20
            {
                assert!(process_blocking(&whole[..at], &found, &ImageLimits::default()).is_err(), "{at}");
            }
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            let limits = ImageLimits { pixels: 10_000, ..ImageLimits::default() };
            if let Ok(found) = decode::inspect(&changed, &limits) {
                let _ = process_blocking(&changed, &found, &limits);
            }
        }
    }
    let garbage = [b"\xff\xd8\xff\xe0".as_slice(), &[0x5a; 4_000]].concat();
    assert!(matches!(made(garbage).await, Err(ImageError::Damaged(_))));
    assert!(matches!(made(b"GIF89a".to_vec()).await, Err(ImageError::Damaged(_))));
}

/// Frames of one colour each, a comment, and bytes after the end.
fn gif(frames: usize, width: u16, height: u16) -> Vec<u8> {
    let palette = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    let mut encoder = ::gif::Encoder::new(Vec::new(), width, height, &palette).unwrap();
    encoder.set_repeat(::gif::Repeat::Infinite).unwrap();
    encoder.write_raw_extension(::gif::AnyExtension(0xfe), &[b"a comment"]).unwrap();
    for n in 0..frames {
        let pixels = vec![u8::try_from(n % 3).unwrap(); usize::from(width) * usize::from(height)];
        let mut frame = ::gif::Frame::from_indexed_pixels(width, height, pixels, None);
        frame.delay = 7;
        encoder.write_frame(&frame).unwrap();
    }
    let mut bytes = encoder.into_inner().unwrap();
    bytes.extend(b"appended");
    bytes
}

/// Delay and middle pixel of each frame.
fn frames_of(encoded: &Encoded) -> Vec<(u16, [u8; 4])> {
    assert_eq!(encoded.format, Format::Gif);
    let mut options = ::gif::DecodeOptions::new();
    options.set_color_output(::gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(Cursor::new(&encoded.bytes)).unwrap();
    assert_eq!(decoder.repeat(), ::gif::Repeat::Infinite);
    let mut found = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let middle = (usize::from(frame.height) / 2 * usize::from(frame.width) + usize::from(frame.width) / 2) * 4;
        found.push((frame.delay, frame.buffer[middle..middle + 4].try_into().unwrap()));
    }
    found
}

#[tokio::test]
async fn an_animation_keeps_moving_without_its_comments() {
    let made = made(gif(3, 40, 20)).await.unwrap();
    assert!(made.animated);
    assert_eq!((made.original.width, made.original.height), (40, 20));
    let expected = [(7, [255, 0, 0, 255]), (7, [0, 255, 0, 255]), (7, [0, 0, 255, 255])];
    assert_eq!(frames_of(&made.original), expected);
    for secret in ["a comment", "appended"] {
        assert!(!contains(&made.original.bytes, secret.as_bytes()), "{secret}");
    }
    assert_eq!(made.preview.format, Format::Jpeg);
    assert!(near(*decode(&made.preview).into_rgb8().get_pixel(20, 10), Rgb([255, 0, 0])), "the first frame");
}

#[tokio::test]
async fn a_gif_of_one_frame_is_a_picture() {
    let single = made(gif(1, 40, 20)).await.unwrap();
    assert!(!single.animated);
    assert_eq!(single.original.format, Format::Gif);
    let limits = ImageLimits { kept_pixels: 200, ..ImageLimits::default() };
    let shrunk = process(gif(1, 40, 20).into(), &limits).await.unwrap();
    assert_eq!((shrunk.original.format, shrunk.original.width), (Format::Png, 20));
}

#[tokio::test]
async fn endless_animations_are_refused() {
    let few = ImageLimits { frames: 2, ..ImageLimits::default() };
    assert_eq!(process(gif(3, 8, 8).into(), &few).await.unwrap_err(), ImageError::TooLong);
    assert_eq!(avatar(gif(3, 8, 8).into(), &few).await.unwrap_err(), ImageError::TooLong);
    let small = ImageLimits { animation_pixels: 3 * 64 - 1, ..ImageLimits::default() };
    assert_eq!(process(gif(3, 8, 8).into(), &small).await.unwrap_err(), ImageError::TooLong);
    assert_eq!(header(gif(3, 8, 8).into(), &small).await.unwrap_err(), ImageError::TooLong);
    let wide = ImageLimits { kept_pixels: 63, ..ImageLimits::default() };
    assert!(matches!(process(gif(3, 8, 8).into(), &wide).await, Err(ImageError::TooManyPixels { .. })));
    // A frame far larger than the canvas.
    let mut encoder = ::gif::Encoder::new(Vec::new(), 4, 4, &[0, 0, 0, 255, 255, 255]).unwrap();
    for _ in 0..2 {
        encoder.write_frame(&::gif::Frame::from_indexed_pixels(3_000, 3_000, vec![0; 9_000_000], None)).unwrap();
    }
    let limits = ImageLimits { pixels: 1_000_000, ..ImageLimits::default() };
    assert_eq!(process(encoder.into_inner().unwrap().into(), &limits).await.unwrap_err(), ImageError::TooLong);
}

/// A WebP file of two still ones.
fn animated_webp(first: &RgbImage, second: &RgbImage) -> Vec<u8> {
    let u24 = |n: u32| n.to_le_bytes()[..3].to_vec();
    let chunk = |kind: &[u8], body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap();
        [kind, &length.to_le_bytes(), body, if length % 2 == 1 { &[0] } else { &[] }].concat()
    };
    let (width, height) = first.dimensions();
    let size = [u24(width - 1), u24(height - 1)].concat();
    let mut body = b"WEBP".to_vec();
    body.extend(chunk(b"VP8X", &[&[0b10, 0, 0, 0], size.as_slice()].concat()));
    body.extend(chunk(b"ANIM", &[0, 0, 0, 0, 0, 0]));
    for picture in [first, second] {
        let still = file(&picture.clone().into(), ImageFormat::WebP);
        // What follows the RIFF header is the chunk with the pixels.
        let frame = [vec![0; 6], size.clone(), u24(250), vec![0b10], still[12..].to_vec()].concat();
        body.extend(chunk(b"ANMF", &frame));
    }
    chunk(b"RIFF", &body)
}

#[tokio::test]
async fn a_moving_webp_becomes_a_gif() {
    let (red, blue) = (RgbImage::from_pixel(16, 16, RED), RgbImage::from_pixel(16, 16, BLUE));
    let made = made(animated_webp(&red, &blue)).await.unwrap();
    assert!(made.animated);
    let frames = frames_of(&made.original);
    assert_eq!(frames.iter().map(|f| f.0).collect::<Vec<_>>(), [25, 25]);
    let rgb = |n: usize| Rgb([frames[n].1[0], frames[n].1[1], frames[n].1[2]]);
    assert!(near(rgb(0), RED) && near(rgb(1), BLUE));
}

#[tokio::test]
async fn avatars_and_headers_are_cut_from_the_middle() {
    let limits = ImageLimits::default();
    let stripes = RgbImage::from_fn(900, 600, |x, _| if (300..600).contains(&x) { RED } else { BLUE });
    let jpeg = with_segments(&file(&stripes.into(), ImageFormat::Jpeg), &[app1(1)]);
    let made = avatar(jpeg.clone().into(), &limits).await.unwrap();
    assert_eq!((made.picture.width, made.picture.height), (400, 400));
    assert!(made.still.is_none());
    assert!(!contains(&made.picture.bytes, b"GPSHOME"));
    let picture = decode(&made.picture).into_rgb8();
    assert!(near(*picture.get_pixel(200, 200), RED) && near(*picture.get_pixel(5, 200), BLUE));

    let made = header(jpeg.into(), &limits).await.unwrap();
    assert_eq!((made.picture.width, made.picture.height), (900, 300));
    assert_eq!(header(png(3000, 2000).into(), &limits).await.unwrap().picture.width, 1500);
    assert_eq!(avatar(png(30, 20).into(), &limits).await.unwrap().picture.width, 20, "never enlarged");
}

#[tokio::test]
async fn a_moving_avatar_has_a_still_one_beside_it() {
    let made = avatar(gif(2, 60, 40).into(), &ImageLimits::default()).await.unwrap();
    assert_eq!((made.picture.width, made.picture.height), (40, 40));
    let frames = frames_of(&made.picture);
    assert_eq!(frames, [(7, [255, 0, 0, 255]), (7, [0, 255, 0, 255])]);
    let still = made.still.unwrap();
    assert_eq!((still.format, still.width), (Format::Png, 40));
    assert_eq!(decode(&still).into_rgb8().get_pixel(20, 20).0, [255, 0, 0]);
}
