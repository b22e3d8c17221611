//! Making a smaller picture of a picture that a stranger sent.
//!
//! Nothing is decoded before its header said how large it is; what a picture may cost is bounded by its
//! pixels and by what its decoder may allocate.

use super::gallery::Picture;
use bytes::Bytes;
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The most pixels that a source may have.
const MAX_PIXELS: u64 = 32_000_000;
/// The longest side that a source may have.
const MAX_SIDE: u32 = 16_384;
/// The most that decoding may allocate, in bytes.
const MAX_ALLOC: u64 = 256 << 20;
/// How good a photograph is, of 100.
const QUALITY: u8 = 80;

/// Why no thumbnail was made.
#[derive(Debug, thiserror::Error)]
pub enum NoPicture {
    /// It is none of the kinds that are known here.
    #[error("thumbnails are made of PNG, JPEG, GIF and WebP alone")]
    Unsupported,
    /// It is too large.
    #[error("the picture has more than {MAX_PIXELS} pixels")]
    TooLarge,
    /// It is not what it says it is.
    #[error("the picture cannot be read: {0}")]
    Broken(#[from] image::ImageError),
}

/// A size and how to come to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
    /// Whether what stands over is cut off; otherwise the picture keeps its shape.
    pub crop: bool,
}

const fn size(width: u32, height: u32, crop: bool) -> Size {
    Size {
        width,
        height,
        crop,
    }
}

/// Sizes that are made, from small to large (Matrix v1.19, content repository, thumbnails). Few, so that
/// asking for ever new ones costs nothing.
const SIZES: [Size; 10] = [
    size(32, 32, true),
    size(96, 96, true),
    size(320, 240, true),
    size(320, 320, true),
    size(640, 480, true),
    size(640, 640, true),
    size(800, 600, true),
    size(320, 240, false),
    size(640, 480, false),
    size(800, 600, false),
];

impl Size {
    /// The smallest size that is made and covers what is wanted, or the largest.
    pub fn made(self) -> Self {
        let alike = || SIZES.into_iter().filter(|size| size.crop == self.crop);
        let covers = |size: &Self| size.width >= self.width && size.height >= self.height;
        alike()
            .find(covers)
            .or_else(|| alike().next_back())
            .unwrap_or(self)
    }
}

/// A thumbnail of `source`: its first frame, upright, never larger than it is.
pub fn thumbnail(source: &[u8], size: Size) -> Result<Picture, NoPicture> {
    let format = format(source)?;
    let mut reader = ImageReader::with_format(Cursor::new(source), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    decoder.set_limits(limits())?;
    if !is_bearable(&decoder) {
        return Err(NoPicture::TooLarge);
    }
    let upright = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(upright);
    encode(&resize(&picture, size), format)
}

/// What a picture is, by its first bytes, and its sides, by its header.
pub fn measure(source: &[u8]) -> Result<(&'static str, u32, u32), NoPicture> {
    let format = format(source)?;
    let mut reader = ImageReader::with_format(Cursor::new(source), format);
    reader.limits(limits());
    let decoder = reader.into_decoder()?;
    if !is_bearable(&decoder) {
        return Err(NoPicture::TooLarge);
    }
    let (width, height) = decoder.dimensions();
    Ok((format.to_mime_type(), width, height))
}

/// Whether `source` is a picture that moves.
pub fn is_animated(source: &[u8]) -> bool {
    let reader = Cursor::new(source);
    match format(source) {
        Ok(ImageFormat::Gif) => GifDecoder::new(reader)
            .and_then(|mut decoder| {
                decoder.set_limits(limits())?;
                if !is_bearable(&decoder) {
                    return Ok(false);
                }
                Ok(decoder.into_frames().take(2).filter_map(Result::ok).count() > 1)
            })
            .unwrap_or(false),
        Ok(ImageFormat::WebP) => {
            WebPDecoder::new(reader).is_ok_and(|decoder| decoder.has_animation())
        }
        Ok(ImageFormat::Png) => PngDecoder::with_limits(reader, limits())
            .and_then(|decoder| decoder.is_apng())
            .unwrap_or(false),
        _ => false,
    }
}

/// The kind by the first bytes: what the uploader said of it decides nothing.
fn format(source: &[u8]) -> Result<ImageFormat, NoPicture> {
    match image::guess_format(source) {
        Ok(
            format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::WebP),
        ) => Ok(format),
        _ => Err(NoPicture::Unsupported),
    }
}

/// Whether the header promises no more pixels than may be decoded.
fn is_bearable(decoder: &impl ImageDecoder) -> bool {
    let (width, height) = decoder.dimensions();
    u64::from(width) * u64::from(height) <= MAX_PIXELS
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    limits
}

fn resize(picture: &DynamicImage, size: Size) -> DynamicImage {
    let (width, height) = (
        size.width.min(picture.width()),
        size.height.min(picture.height()),
    );
    if size.crop {
        let (width, height) = shaped(size, (picture.width(), picture.height()));
        picture.resize_to_fill(width, height, FilterType::Triangle)
    } else if width == picture.width() && height == picture.height() {
        picture.clone()
    } else {
        picture.resize(width, height, FilterType::Triangle)
    }
}

/// The sides of a picture in the shape of `size` that is nowhere larger than `most`.
fn shaped(size: Size, most: (u32, u32)) -> (u32, u32) {
    let [width, height] = [size.width, size.height].map(u64::from);
    let (most_width, most_height) = (u64::from(most.0), u64::from(most.1));
    let (width, height) = if most_width >= width && most_height >= height {
        (width, height)
    } else if most_width * height <= most_height * width {
        (most_width, most_width * height / width)
    } else {
        (most_height * width / height, most_height)
    };
    let side = |side: u64| u32::try_from(side).unwrap_or(u32::MAX).max(1);
    (side(width), side(height))
}

/// Photographs as JPEG, everything else as PNG, which keeps what is transparent.
fn encode(picture: &DynamicImage, source: ImageFormat) -> Result<Picture, NoPicture> {
    let mut bytes = Vec::new();
    let photograph = match source {
        ImageFormat::Jpeg => true,
        ImageFormat::WebP => !picture.color().has_alpha(),
        _ => false,
    };
    let kind = if photograph {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        picture.to_rgb8().write_with_encoder(encoder)?;
        "image/jpeg"
    } else {
        let encoder = PngEncoder::new(&mut bytes);
        DynamicImage::from(picture.to_rgba8()).write_with_encoder(encoder)?;
        "image/png"
    };
    Ok(Picture {
        kind,
        bytes: Bytes::from(bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgba, RgbaImage};

    #[test]
    fn what_is_cropped_has_the_shape_that_was_wanted() {
        let of = |most| shaped(size(320, 240, true), most);
        assert_eq!(of((800, 600)), (320, 240));
        assert_eq!(of((160, 600)), (160, 120));
        assert_eq!(of((800, 60)), (80, 60));
        assert_eq!(of((1, 600)), (1, 1));
        assert_eq!(shaped(size(96, 96, true), (50, 400)), (50, 50));
    }

    fn source(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let picture = RgbaImage::from_pixel(width, height, Rgba([200, 30, 30, 255]));
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::from(picture);
        let picture = match format {
            ImageFormat::Jpeg => DynamicImage::from(picture.to_rgb8()),
            _ => picture,
        };
        picture.write_to(&mut bytes, format).expect("it is written");
        bytes.into_inner()
    }

    fn sides(picture: &Picture) -> (u32, u32) {
        let read = image::load_from_memory(&picture.bytes).expect("a picture");
        (read.width(), read.height())
    }

    #[test]
    fn the_smallest_size_that_covers_is_made() {
        let check = |wanted: (u32, u32, bool), made: (u32, u32)| {
            let found = size(wanted.0, wanted.1, wanted.2).made();
            assert_eq!((found.width, found.height), made, "{wanted:?}");
        };
        check((1, 1, true), (32, 32));
        check((32, 32, true), (32, 32));
        check((33, 10, true), (96, 96));
        check((300, 300, true), (320, 320));
        check((10_000, 10, true), (800, 600));
        check((10, 10, false), (320, 240));
        check((320, 241, false), (640, 480));
        check((u32::MAX, u32::MAX, false), (800, 600));
    }

    #[test]
    fn a_thumbnail_keeps_its_shape_or_fills_its_frame_and_never_grows() {
        let check = |from: (u32, u32), wanted: Size, made: (u32, u32)| {
            let source = source(from.0, from.1, ImageFormat::Png);
            let picture = thumbnail(&source, wanted).expect("a picture");
            assert_eq!((sides(&picture), picture.kind), (made, "image/png"));
        };
        check((400, 200), size(320, 240, false), (320, 160));
        check((400, 200), size(32, 32, true), (32, 32));
        check((20, 10), size(320, 240, false), (20, 10));
        check((20, 10), size(32, 32, true), (10, 10));
        check((1, 1), size(800, 600, false), (1, 1));
        check((2_000, 1), size(320, 240, false), (320, 1));
    }

    #[test]
    fn each_kind_is_read_and_photographs_stay_photographs() {
        for (format, kind) in [
            (ImageFormat::Png, "image/png"),
            (ImageFormat::Jpeg, "image/jpeg"),
            (ImageFormat::Gif, "image/png"),
            (ImageFormat::WebP, "image/png"),
        ] {
            let source = source(400, 300, format);
            let made = thumbnail(&source, size(320, 240, false)).expect("a picture");
            assert_eq!((made.kind, sides(&made)), (kind, (320, 240)), "{format:?}");
            assert!(!is_animated(&source), "{format:?}");
        }
    }

    #[test]
    fn what_is_no_picture_or_a_bomb_is_refused() {
        let wanted = size(32, 32, true);
        for text in [
            b"".as_slice(),
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"BM1234",
        ] {
            assert!(matches!(
                thumbnail(text, wanted),
                Err(NoPicture::Unsupported)
            ));
        }
        let good = source(64, 64, ImageFormat::Png);
        assert!(matches!(
            thumbnail(&good[..good.len() / 2], wanted),
            Err(NoPicture::Broken(_))
        ));
        // A header of a few bytes that promises 100 million pixels, or a side beyond all bounds.
        for side in [10_000_u16, 60_000] {
            let mut header = b"GIF89a".to_vec();
            let short = side.to_le_bytes();
            header.extend(short);
            header.extend(short);
            header.extend([0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2c, 0, 0, 0, 0]);
            header.extend(short);
            header.extend(short);
            header.extend([0, 2, 2, 0x44, 0x01, 0, 0x3b]);
            assert!(thumbnail(&header, wanted).is_err(), "{side}");
            assert!(!is_animated(&header), "{side}");
        }
    }

    #[test]
    fn two_frames_move() {
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
        for shade in [0, 255] {
            let frame = RgbaImage::from_pixel(4, 4, Rgba([shade, shade, shade, 255]));
            encoder
                .encode_frame(image::Frame::new(frame))
                .expect("it is written");
        }
        drop(encoder);
        assert!(is_animated(&bytes));
    }
}
