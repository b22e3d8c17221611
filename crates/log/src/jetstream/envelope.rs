//! The wrapping in which an entry lies in a stream.
//!
//! Byte 0 is the version: 1 for an entry whose time is the engine's, 2 for one that was restored and
//! brings its time along (8 bytes, little endian, after the checksum). Bytes 1 to 16 are the first half
//! of a BLAKE3 hash, keyed by the stream's id, over all that follows; then comes the entry.

use super::origin::StreamId;
use bongsu_base::LogTime;
use bytes::{BufMut, Bytes, BytesMut};

const APPENDED: u8 = 1;
const RESTORED: u8 = 2;
const CHECKSUM: usize = 16;
/// What wrapping adds to an entry, at most.
pub const OVERHEAD: usize = 1 + CHECKSUM + size_of::<i64>();

/// The checksum of a message, by which two are compared.
pub type Checksum = [u8; CHECKSUM];

/// An entry out of its wrapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The entry.
    pub body: Bytes,
    /// Its time, if it brought one along.
    pub time: Option<LogTime>,
    /// Its checksum.
    pub checksum: Checksum,
}

/// Wraps an entry for the stream `id`; with a time, if it was given one before.
pub fn seal(id: &StreamId, time: Option<LogTime>, body: &[u8]) -> (Bytes, Checksum) {
    let mut bytes = BytesMut::with_capacity(OVERHEAD + body.len());
    bytes.put_u8(if time.is_some() { RESTORED } else { APPENDED });
    bytes.put_bytes(0, CHECKSUM);
    if let Some(time) = time {
        bytes.put_i64_le(time.0);
    }
    bytes.put_slice(body);
    let checksum = checksum(id, bytes[0], &bytes[1 + CHECKSUM..]);
    bytes[1..=CHECKSUM].copy_from_slice(&checksum);
    (bytes.freeze(), checksum)
}

/// Takes an entry out of its wrapping, or says what is wrong with it.
pub fn open(id: &StreamId, message: &Bytes) -> Result<Opened, &'static str> {
    if message.len() <= CHECKSUM {
        return Err("it is too short to be an entry");
    }
    let version = message[0];
    if version != APPENDED && version != RESTORED {
        return Err("it is wrapped in a way that this release does not know");
    }
    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&message[1..=CHECKSUM]);
    let sealed = message.slice(1 + CHECKSUM..);
    if checksum != self::checksum(id, version, &sealed) {
        return Err("its checksum does not fit it");
    }
    let (time, body) = if version == RESTORED {
        let Some((time, _)) = sealed.split_first_chunk() else {
            return Err("it is too short to be a restored entry");
        };
        (
            Some(LogTime(i64::from_le_bytes(*time))),
            sealed.slice(size_of::<i64>()..),
        )
    } else {
        (None, sealed)
    };
    Ok(Opened {
        body,
        time,
        checksum,
    })
}

fn checksum(id: &StreamId, version: u8, sealed: &[u8]) -> Checksum {
    let mut hasher = blake3::Hasher::new_keyed(&id.key());
    hasher.update(&[version]);
    hasher.update(sealed);
    let mut checksum = [0; CHECKSUM];
    hasher.finalize_xof().fill(&mut checksum);
    checksum
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: StreamId = StreamId::from_bytes([7; 16]);

    #[test]
    fn what_was_wrapped_comes_out_again() {
        for time in [None, Some(LogTime(-5))] {
            for body in [&b""[..], b"abc"] {
                let (message, checksum) = seal(&ID, time, body);
                assert!(message.len() <= body.len() + OVERHEAD);
                let opened = open(&ID, &message).expect("whole");
                assert_eq!((&opened.body[..], opened.time), (body, time));
                assert_eq!(opened.checksum, checksum);
            }
        }
    }

    #[test]
    fn every_flipped_bit_every_cut_and_every_other_stream_is_noticed() {
        for time in [None, Some(LogTime(5))] {
            let (message, _) = seal(&ID, time, b"body");
            for bit in 0..message.len() * 8 {
                let mut altered = message.to_vec();
                altered[bit / 8] ^= 1 << (bit % 8);
                assert!(open(&ID, &altered.into()).is_err(), "bit {bit}");
            }
            for length in 0..message.len() {
                assert!(open(&ID, &message.slice(..length)).is_err());
            }
            assert!(open(&StreamId::from_bytes([8; 16]), &message).is_err());
        }
    }
}
