//! A body, unpacked, up to so many bytes.

use crate::error::FetchError;
use flate2::write::MultiGzDecoder;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use std::io::{self, Write};

/// How the body is packed, of the ways that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    Gzip,
}

fn coding(headers: &HeaderMap) -> Option<Coding> {
    let mut named = headers.get_all(header::CONTENT_ENCODING).iter();
    let first = match named.next() {
        None => return Some(Coding::Plain),
        Some(first) => first.to_str().ok()?.trim().to_ascii_lowercase(),
    };
    match (first.as_str(), named.next()) {
        ("" | "identity", None) => Some(Coding::Plain),
        ("gzip" | "x-gzip", None) => Some(Coding::Gzip),
        _ => None,
    }
}

/// The first `most` bytes of the body once it is unpacked, and whether that is all of it. No more than
/// `most` are read off the wire either, but for the last piece.
pub async fn read<B>(
    headers: &HeaderMap,
    mut body: B,
    most: usize,
) -> Result<(Vec<u8>, bool), FetchError>
where
    B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    let taken = Taken {
        bytes: Vec::new(),
        most,
        over: false,
    };
    let mut taken = match coding(headers).ok_or(FetchError::Coding)? {
        Coding::Plain => Unpack::Plain(taken),
        Coding::Gzip => Unpack::Gzip(MultiGzDecoder::new(taken)),
    };
    let mut came = 0;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else {
            continue;
        };
        came += piece.len();
        if !taken.push(&piece)? || came > most {
            return Ok((taken.into_bytes(), false));
        }
    }
    taken.finish()
}

enum Unpack {
    Plain(Taken),
    Gzip(MultiGzDecoder<Taken>),
}

impl Unpack {
    /// Takes a piece; false once there is no room for more.
    fn push(&mut self, piece: &[u8]) -> Result<bool, FetchError> {
        let (written, over) = match self {
            Self::Plain(taken) => (taken.write_all(piece), taken.over),
            Self::Gzip(decoder) => (decoder.write_all(piece), decoder.get_ref().over),
        };
        match written {
            Ok(()) => Ok(true),
            Err(_) if over => Ok(false),
            Err(_) => Err(FetchError::Coding),
        }
    }

    fn finish(mut self) -> Result<(Vec<u8>, bool), FetchError> {
        if let Self::Gzip(decoder) = &mut self {
            let ended = decoder.try_finish();
            let over = decoder.get_ref().over;
            if ended.is_err() && !over {
                return Err(FetchError::Coding);
            }
            return Ok((self.into_bytes(), !over));
        }
        Ok((self.into_bytes(), true))
    }

    fn into_bytes(mut self) -> Vec<u8> {
        match &mut self {
            Self::Plain(taken) => std::mem::take(&mut taken.bytes),
            Self::Gzip(decoder) => std::mem::take(&mut decoder.get_mut().bytes),
        }
    }
}

/// Takes bytes as long as there is room.
struct Taken {
    bytes: Vec<u8>,
    most: usize,
    over: bool,
}

impl Write for Taken {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let room = self.most - self.bytes.len();
        let fits = &piece[..piece.len().min(room)];
        self.bytes.extend_from_slice(fits);
        if fits.is_empty() && !piece.is_empty() {
            self.over = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(fits.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn take(coding: Option<&str>, bytes: &[u8], most: usize) -> Option<(usize, bool)> {
        let mut headers = HeaderMap::new();
        if let Some(coding) = coding {
            headers.insert(
                header::CONTENT_ENCODING,
                HeaderValue::from_str(coding).unwrap(),
            );
        }
        let body = http_body_util::Full::new(Bytes::copy_from_slice(bytes));
        let body = body.map_err(|never| match never {});
        let (bytes, whole) = read(&headers, body, most).await.ok()?;
        Some((bytes.len(), whole))
    }

    #[tokio::test]
    async fn a_body_ends_where_the_bound_is() {
        let long = vec![b'x'; 1_000];
        assert_eq!(take(None, &long, 1_000).await, Some((1_000, true)));
        assert_eq!(take(None, &long, 999).await, Some((999, false)));
        assert_eq!(take(Some("identity"), b"", 9).await, Some((0, true)));
        let gz = packed(&long);
        assert_eq!(take(Some("GZIP"), &gz, 1_000).await, Some((1_000, true)));
        assert_eq!(take(Some("gzip"), &gz, 999).await, Some((999, false)));
        let bomb = packed(&vec![0; 50 << 20]);
        assert!(bomb.len() < 100_000);
        assert_eq!(
            take(Some("gzip"), &bomb, 100_000).await,
            Some((100_000, false))
        );
    }

    #[tokio::test]
    async fn what_cannot_be_unpacked_is_refused() {
        let gz = packed(b"hello");
        for (coding, bytes) in [
            ("br", b"hello".as_slice()),
            ("gzip, gzip", &gz),
            ("gzip", b"hello"),
            ("gzip", &gz[..gz.len() - 9]),
        ] {
            assert_eq!(take(Some(coding), bytes, 100).await, None, "{coding}");
        }
    }
}
