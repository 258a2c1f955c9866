//! What pictures really take of memory, counted at the allocator: for each kind of file, less than was reserved for it;
//! for many at once, less than is promised for all. One test: whatever else ran here would be counted, too.

use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder as _, ImageFormat};
use media::image::{ImageLimits, MEMORY, Whose, avatar, process, reserved};
use peak_alloc::PeakAlloc;

#[global_allocator]
static USED: PeakAlloc = PeakAlloc;

const MIB: usize = 1024 * 1024;

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(width: u32, height: u32, colours: ExtendedColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::NoFilter);
    let pixels = usize::try_from(u64::from(width) * u64::from(height)).unwrap();
    let raw = vec![0; pixels * usize::from(colours.bits_per_pixel()) / 8];
    encoder.write_image(&raw, width, height, colours).unwrap();
    bytes
}

/// What packs badly: no two pixels are alike.
fn noise(width: u32, height: u32) -> DynamicImage {
    let mut state = 1_u32;
    let raw = (0..width * height * 4).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    image::RgbaImage::from_raw(width, height, raw.collect()).unwrap().into()
}

/// A JPEG of one flat colour, written by hand: every coefficient is nought, one bit each. Where it is progressive, or each
/// component has a scan of its own, a decoder must keep them all until the end.
fn flat_jpeg(width: u16, height: u16, components: u8, progressive: bool, one_scan: bool) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    let mut segment = |marker: u8, body: &[u8]| {
        out.extend([0xff, marker]);
        out.extend(u16::try_from(body.len() + 2).unwrap().to_be_bytes());
        out.extend(body);
    };
    segment(0xdb, &[vec![0], vec![1; 64]].concat());
    let mut frame = vec![8];
    frame.extend(height.to_be_bytes());
    frame.extend(width.to_be_bytes());
    frame.push(components);
    for id in 1..=components {
        frame.extend([id, 0x11, 0]);
    }
    segment(if progressive { 0xc2 } else { 0xc0 }, &frame);
    // One code of one bit, for nought: no difference, and the end of a block.
    let table = |class: u8| [vec![class, 1], vec![0; 15], vec![0]].concat();
    segment(0xc4, &table(0x00));
    segment(0xc4, &table(0x10));
    let all: Vec<u8> = (1..=components).collect();
    let scans: Vec<Vec<u8>> = if one_scan { vec![all] } else { all.into_iter().map(|id| vec![id]).collect() };
    let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8);
    for scan in scans {
        let mut head = vec![u8::try_from(scan.len()).unwrap()];
        for id in &scan {
            head.extend([*id, 0]);
        }
        head.extend([0, if progressive { 0 } else { 63 }, 0]);
        out.extend([0xff, 0xda]);
        out.extend(u16::try_from(head.len() + 2).unwrap().to_be_bytes());
        out.extend(head);
        let bits = blocks * scan.len() * if progressive { 1 } else { 2 };
        out.extend(vec![0; bits.div_ceil(8)]);
    }
    out.extend([0xff, 0xd9]);
    out
}

fn gif(frames: usize, width: u16, height: u16) -> Vec<u8> {
    let mut encoder = ::gif::Encoder::new(Vec::new(), width, height, &[255, 0, 0, 0, 255, 0]).unwrap();
    for n in 0..frames {
        let pixels = vec![u8::try_from(n % 2).unwrap(); usize::from(width) * usize::from(height)];
        encoder.write_frame(&::gif::Frame::from_indexed_pixels(width, height, pixels, None)).unwrap();
    }
    encoder.into_inner().unwrap()
}

/// A chunk of a RIFF file.
fn chunk(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    [kind, &length.to_le_bytes(), body, if length % 2 == 1 { &[0] } else { &[] }].concat()
}

fn moving_webp(frames: usize, width: u32, height: u32) -> Vec<u8> {
    let u24 = |n: u32| n.to_le_bytes()[..3].to_vec();
    let size = [u24(width - 1), u24(height - 1)].concat();
    let mut body = b"WEBP".to_vec();
    body.extend(chunk(b"VP8X", &[&[0b10, 0, 0, 0], size.as_slice()].concat()));
    body.extend(chunk(b"ANIM", &[0; 6]));
    let still = file(&DynamicImage::new_rgba8(width, height), ImageFormat::WebP);
    for _ in 0..frames {
        body.extend(chunk(b"ANMF", &[vec![0; 6], size.clone(), u24(250), vec![0b10], still[12..].to_vec()].concat()));
    }
    chunk(b"RIFF", &body)
}

/// A small WebP file whose picture, inside, says that it is 16,383 pixels wide and high.
fn lying_webp() -> Vec<u8> {
    let mut frame = vec![0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f];
    frame.extend([0; 4_000]);
    let mut body = b"WEBP".to_vec();
    body.extend(chunk(b"VP8X", &[0; 10]));
    body.extend(chunk(b"VP8 ", &frame));
    chunk(b"RIFF", &body)
}

/// A small picture with a colour profile that unpacks to 300 MB.
fn profile_bomb() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(vec![0; 300 * MIB]).unwrap();
    encoder.write_image(&[0; 3], 1, 1, ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// Bytes at the highest, above what there was before.
async fn peak<T>(work: impl Future<Output = T>) -> (usize, T) {
    USED.reset_peak_usage();
    let before = USED.current_usage();
    let done = work.await;
    (USED.peak_usage().saturating_sub(before), done)
}

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    // Four million pixels each: what is true of these is true of larger ones.
    let (w, h) = (2_000, 2_000);
    let rgba = |alpha: u8| DynamicImage::ImageRgba8(image::RgbaImage::from_pixel(w, h, image::Rgba([9, 9, 9, alpha])));
    vec![
        ("png, gray", png(w, h, ExtendedColorType::L8)),
        ("png, gray with alpha", png(w, h, ExtendedColorType::La8)),
        ("png, colours", png(w, h, ExtendedColorType::Rgb8)),
        ("png, colours with alpha", png(w, h, ExtendedColorType::Rgba8)),
        ("png, colours with alpha, nowhere used", file(&rgba(255), ImageFormat::Png)),
        ("png, gray, 16 bits", png(w, h, ExtendedColorType::L16)),
        ("png, gray with alpha, 16 bits", png(w, h, ExtendedColorType::La16)),
        ("png, colours, 16 bits", png(w, h, ExtendedColorType::Rgb16)),
        ("png, colours with alpha, 16 bits", png(w, h, ExtendedColorType::Rgba16)),
        ("png, noise", file(&noise(900, 900), ImageFormat::Png)),
        ("jpeg, gray", flat_jpeg(2_000, 2_000, 1, false, true)),
        ("jpeg", flat_jpeg(2_000, 2_000, 3, false, true)),
        ("jpeg, a scan for each", flat_jpeg(2_000, 2_000, 3, false, false)),
        ("jpeg, progressive", flat_jpeg(2_000, 2_000, 3, true, true)),
        ("jpeg, four inks, progressive", flat_jpeg(2_000, 2_000, 4, true, true)),
        ("webp", file(&DynamicImage::new_rgb8(w, h), ImageFormat::WebP)),
        ("webp with alpha", file(&rgba(100), ImageFormat::WebP)),
        ("gif", gif(1, 2_000, 2_000)),
        ("gif, moving", gif(4, 1_100, 800)),
        ("webp, moving", moving_webp(2, 1_100, 800)),
        ("png, small", png(300, 200, ExtendedColorType::Rgb8)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_take_no_more_memory_than_is_reserved_for_them_and_all_together_what_is_promised() {
    // Less is kept than usual, which takes less time: the peak is before.
    let limits = ImageLimits { kept_pixels: 900_000, ..ImageLimits::default() };
    assert_eq!(MEMORY, 512 * MIB as u64);
    for (name, bytes) in samples() {
        let bytes = Bytes::from(bytes);
        let reserved = usize::try_from(reserved(&bytes, &limits).unwrap()).unwrap();
        let (of_post, made) = peak(process(bytes.clone(), &limits)).await;
        drop(made.unwrap_or_else(|why| panic!("{name}: {why:?}")));
        let mut highest = of_post;
        // Cut and made smaller, otherwise the same: where that is more than that.
        if name.contains("moving") || name.contains("with alpha") {
            let (of_avatar, made) = peak(avatar(bytes.clone(), &limits)).await;
            drop(made.unwrap_or_else(|why| panic!("{name}: {why:?}")));
            highest = highest.max(of_avatar);
        }
        println!("{name}: {} MiB at most of {} MiB reserved", highest / MIB, reserved / MIB);
        assert!(highest <= reserved, "{name}: {highest} bytes, {reserved} were reserved");
        assert!(reserved <= highest * 3 + 112 * MIB, "{name}: {reserved} bytes are reserved, {highest} are enough");
    }

    // Files that take more than they say, whatever comes of them.
    for (name, bytes) in [("profile", profile_bomb()), ("webp", lying_webp())] {
        let (highest, made) = peak(process(bytes.into(), &limits)).await;
        println!("{name}, lying: {} MiB, {:?}", highest / MIB, made.map(|_| ()));
        assert!(highest < 64 * MIB, "{name}: {highest}");
    }

    // Many at once, more than there is memory for: each waits for its share.
    let large = Bytes::from(flat_jpeg(3_500, 3_500, 3, true, true));
    let (of_one, _) = peak(process(large.clone(), &limits)).await;
    assert!(6 * of_one > usize::try_from(MEMORY).unwrap(), "all of them would be too much: {of_one} each");
    let all_at_once = async {
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (bytes, limits) = (large.clone(), limits.clone());
                tokio::spawn(async move { process(bytes, &limits).await.map(drop) })
            })
            .collect();
        let mut made = Vec::new();
        for task in tasks {
            made.push(task.await.unwrap());
        }
        made
    };
    let (highest, made) = peak(all_at_once).await;
    println!("six at once: {} MiB, of one: {} MiB", highest / MIB, of_one / MIB);
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert!(highest <= usize::try_from(MEMORY).unwrap(), "{} MiB", highest / MIB);

    // The line is bounded, for pictures from elsewhere sooner than for members', and whoever finds no place is told at once.
    let heavy = Bytes::from(flat_jpeg(2_000, 2_000, 3, true, true));
    for (whose, at_most) in [(Whose::Elsewhere, 24), (Whose::Ours, 48)] {
        let limits = ImageLimits { whose, ..limits.clone() };
        let tasks: Vec<_> = (0..80)
            .map(|_| {
                let (bytes, limits) = (heavy.clone(), limits.clone());
                tokio::spawn(async move { process(bytes, &limits).await.is_err() })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let refused = tasks.iter().filter(|task| task.is_finished()).count();
        assert!(refused >= 80 - at_most - 4, "{whose:?}: {refused} of 80 were refused at once");
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
