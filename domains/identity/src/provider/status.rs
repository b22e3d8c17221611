//! Which tokens were revoked, as a list that anybody can keep (IETF Token Status List): one bit for each session.
//!
//! A session's number says which list it is on and where. A bit is set from the moment that the session ended until the
//! last of its access tokens has expired; there is nothing to be told about tokens that nobody would take.

use super::tokens::{NoKey, seconds};
use super::{Keys, Provider};
use crate::command::oauth::SessionNo;
use crate::query;
use bongsu_base::{LogTime, Millis};
use bongsu_jose::Algorithm;
use bongsu_lane::ReadError;
use data_encoding::BASE64URL_NOPAD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

/// Where the lists are.
pub const PATH: &str = "/oauth2/status";
/// How many sessions are on one list: 16 KiB before it is compressed.
const LENGTH: i64 = 1 << 17;
/// The kind of such a token (section 5.1).
const KIND: &str = "statuslist+jwt";
/// After how long a list should be fetched again.
const FRESH: Millis = Millis::seconds(30);
/// How long a list may be relied on when none can be fetched.
const LASTS: Millis = Millis::hours(12);
/// How long one that was made is given out.
const KEPT: Millis = Millis::seconds(2);
/// How many are kept.
const MOST_KEPT: usize = 64;

/// Where a token's status is told (section 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusClaim {
    /// The place.
    pub status_list: StatusPlace,
}

/// A place on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPlace {
    /// Which bit.
    pub idx: i64,
    /// Which list.
    pub uri: String,
}

/// What a list says (section 5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListClaims {
    /// Its own address.
    pub sub: String,
    /// Of when it is, in seconds since 1970.
    pub iat: i64,
    /// Until when it may be relied on, in seconds since 1970.
    pub exp: i64,
    /// After how many seconds it should be fetched again.
    pub ttl: i64,
    /// The bits.
    pub status_list: StatusBits,
}

/// The bits of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusBits {
    /// How many each token has: 1.
    pub bits: u8,
    /// All of them, compressed (zlib), in base64url.
    pub lst: String,
}

/// Lists that were made a moment ago.
#[derive(Debug, Default)]
pub struct Kept(Mutex<BTreeMap<i64, (LogTime, Arc<str>)>>);

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Nobody has a session on it.
    #[error("there is no such list")]
    None,
    /// The view could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It cannot be signed.
    #[error(transparent)]
    Key(#[from] NoKey),
    /// This data centre has not heard of the log since it started: what it knows may be of any age.
    #[error("this data centre does not know yet how old its view is; ask again in a moment")]
    Unsure,
}

/// The bits of a list on which these places are set, compressed.
fn bits(set: impl Iterator<Item = i64>) -> StatusBits {
    let mut bytes = vec![0_u8; usize::try_from(LENGTH / 8).unwrap_or(0)];
    for place in set {
        let (byte, bit) = (place / 8, place % 8);
        if let Some(byte) = usize::try_from(byte)
            .ok()
            .and_then(|byte| bytes.get_mut(byte))
        {
            // The lowest bit is the first (section 4.1).
            *byte |= 1 << bit;
        }
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let done = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    let done = done.expect("memory takes what is written");
    StatusBits {
        bits: 1,
        lst: BASE64URL_NOPAD.encode(&done),
    }
}

impl Provider {
    fn list_address(&self, list: i64) -> String {
        self.config().url(&format!("{PATH}/{list}"))
    }

    /// Where the status of a session's tokens is told.
    pub(crate) fn status(&self, session: SessionNo) -> StatusClaim {
        StatusClaim {
            status_list: StatusPlace {
                idx: session.0.rem_euclid(LENGTH),
                uri: self.list_address(session.0.div_euclid(LENGTH)),
            },
        }
    }

    /// The moment up to which everything that was acknowledged anywhere is known here: a list says no more. One that is cut
    /// off would otherwise tell that a token is good that was revoked elsewhere.
    fn known_until(&self, now: LogTime) -> Result<LogTime, StatusError> {
        let health = self.accounts.lane().health();
        let age = health.canary_age.ok_or(StatusError::Unsure)?;
        let age = age + health.canary_took.unwrap_or_default();
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Ok(LogTime(now.0.saturating_sub(age)))
    }

    /// The list of this number, signed.
    pub(crate) async fn status_list(
        &self,
        keys: &Keys,
        list: i64,
    ) -> Result<Arc<str>, StatusError> {
        let now = self.now();
        let kept = self.shared.lists.0.lock().get(&list).cloned();
        if let Some((at, token)) = kept
            && now >= at
            && now.since(at) < KEPT
        {
            return Ok(token);
        }
        let from = list.checked_mul(LENGTH).ok_or(StatusError::None)?;
        let known = self.known_until(now)?;
        let look = |view: &bongsu_lane::ReadView<'_>| {
            if query::last_session(view)? < from {
                return Ok(None);
            }
            query::revoked(view, from, from + LENGTH, now).map(Some)
        };
        let revoked = self.accounts.read(look).await?;
        let revoked = revoked.ok_or(StatusError::None)?;
        let claims = ListClaims {
            sub: self.list_address(list),
            iat: seconds(known),
            exp: seconds(known + LASTS),
            ttl: FRESH.0 / 1000,
            status_list: bits(revoked.into_iter().map(|n| n - from)),
        };
        let token: Arc<str> = self
            .sign(keys, Algorithm::EdDsa, KIND, now, &claims)?
            .into();
        let mut lists = self.shared.lists.0.lock();
        if lists.len() >= MOST_KEPT {
            lists.clear();
        }
        lists.insert(list, (now, token.clone()));
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_where_the_draft_has_them() {
        let list = bits([0, 3, 8, LENGTH - 1, LENGTH].into_iter());
        let bytes = BASE64URL_NOPAD.decode(list.lst.as_bytes()).unwrap();
        assert!(bytes.len() < 100, "an empty list is short: {}", bytes.len());
        let mut plain = Vec::new();
        let mut decoder = flate2::read::ZlibDecoder::new(&bytes[..]);
        std::io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
        assert_eq!(plain.len(), 16_384);
        assert_eq!((plain[0], plain[1], plain[16_383]), (0b1001, 1, 0x80));
        assert!(plain[2..16_383].iter().all(|byte| *byte == 0));
    }
}
