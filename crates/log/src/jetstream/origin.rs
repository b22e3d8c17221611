//! What a stream is: which log's, which one of its lives, and where its messages stand in the log.

use crate::{Chain, Link, Mark};
use bongsu_base::{Epochs, LogTime, Seq};
use data_encoding::HEXLOWER;
use std::collections::BTreeMap;
use std::fmt;

/// A stream's own id, made at random when the stream is: two streams of one name are never taken for
/// one another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StreamId([u8; 16]);

impl StreamId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key of the checksums in this stream.
    pub(super) fn key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key[..16].copy_from_slice(&self.0);
        key
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a stream is. It stands in the stream's metadata, and beside every site's copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The stream's id.
    pub id: StreamId,
    /// The log's epochs; the last one is this stream's.
    pub epochs: Epochs,
    /// The entry before the stream's first message: message 1 is the entry after it.
    pub base: Mark,
}

/// The keys under which an origin stands in a stream's metadata.
const ID: &str = "bongsu.id";
const EPOCHS: &str = "bongsu.epochs";
const BASE_SEQ: &str = "bongsu.base-seq";
const BASE_TIME: &str = "bongsu.base-time";
const BASE_LINK: &str = "bongsu.base-link";

/// Why metadata do not say what a stream is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is missing or malformed")]
pub struct OriginError(&'static str);

impl Origin {
    /// The first stream of a new log.
    #[must_use]
    pub fn new(id: StreamId) -> Self {
        Self {
            id,
            epochs: Epochs::default(),
            base: Mark::EMPTY,
        }
    }

    /// The entry that message `message` of the stream is.
    #[must_use]
    pub fn entry(&self, message: u64) -> Seq {
        Seq(self.base.seq().0 + message)
    }

    /// The message that the entry `seq` is; 0 for those before the stream.
    #[must_use]
    pub fn message(&self, seq: Seq) -> u64 {
        seq.0.saturating_sub(self.base.seq().0)
    }

    /// As a stream's metadata.
    #[must_use]
    pub fn to_metadata(&self) -> BTreeMap<String, String> {
        let link = HEXLOWER.encode(self.base.chain.link.as_bytes());
        [
            (ID, self.id.to_string()),
            (EPOCHS, self.epochs.to_string()),
            (BASE_SEQ, self.base.seq().to_string()),
            (BASE_TIME, self.base.time.0.to_string()),
            (BASE_LINK, link),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    /// From a stream's metadata; other keys in it are passed over.
    ///
    /// # Errors
    /// When a part is missing or malformed.
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Result<Self, OriginError> {
        let text = |key: &'static str| metadata.get(key).ok_or(OriginError(key));
        let bytes = |key| {
            let bytes = HEXLOWER.decode(text(key)?.as_bytes()).ok();
            let bytes: Option<[u8; 16]> = bytes.and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or(OriginError(key))
        };
        let seq = text(BASE_SEQ)?.parse().map_err(|_| OriginError(BASE_SEQ))?;
        let time = text(BASE_TIME)?
            .parse()
            .map_err(|_| OriginError(BASE_TIME))?;
        Ok(Self {
            id: StreamId(bytes(ID)?),
            epochs: text(EPOCHS)?.parse().map_err(|_| OriginError(EPOCHS))?,
            base: Mark {
                chain: Chain {
                    seq: Seq(seq),
                    link: Link::from_bytes(bytes(BASE_LINK)?),
                },
                time: LogTime(time),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_in_metadata() {
        let base = Mark::EMPTY.extend(LogTime(5), b"a");
        let origin = Origin {
            id: StreamId([9; 16]),
            epochs: Epochs::default().after_restoring(Seq(1)),
            base,
        };
        let mut metadata = origin.to_metadata();
        metadata.insert("other".into(), "x".into());
        assert_eq!(Origin::from_metadata(&metadata), Ok(origin.clone()));
        assert_eq!((origin.entry(1), origin.message(Seq(3))), (Seq(2), 2));
        for key in origin.to_metadata().into_keys() {
            let mut metadata = origin.to_metadata();
            metadata.insert(key.clone(), "x".into());
            assert!(Origin::from_metadata(&metadata).is_err(), "{key}");
            metadata.remove(&key);
            assert!(Origin::from_metadata(&metadata).is_err(), "{key}");
        }
    }
}
