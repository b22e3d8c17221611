//! Which tokens were revoked (IETF Token Status List).

use bongsu_jose::{Signed, VerifyingKey};
use data_encoding::BASE64URL_NOPAD;
use flate2::read::ZlibDecoder;
use serde::Deserialize;
use std::io::Read;

/// The longest list, in bytes: a million tokens with eight bits each.
const LONGEST: u64 = 1 << 20;

/// A list that was fetched.
#[derive(Debug, Clone)]
pub struct List {
    /// When it was made, in seconds since 1970.
    pub made: i64,
    /// Until when it may be relied on.
    pub until: i64,
    /// After how many seconds it should be fetched again.
    pub fresh: i64,
    bits: u8,
    bytes: Vec<u8>,
}

#[derive(Deserialize)]
struct ListClaims {
    sub: String,
    iat: i64,
    exp: Option<i64>,
    ttl: Option<i64>,
    status_list: Bits,
}

#[derive(Deserialize)]
struct Bits {
    bits: u8,
    lst: String,
}

impl List {
    /// Reads the list at `uri`, signed with the key that `key` finds by its name.
    pub fn read<'k>(
        token: &str,
        uri: &str,
        key: impl FnOnce(&str) -> Option<&'k VerifyingKey>,
    ) -> Result<Self, &'static str> {
        let signed = Signed::parse(token.trim()).map_err(|_| "it is no signed token")?;
        let header = signed.header();
        if header.typ.as_deref() != Some("statuslist+jwt") {
            return Err("it is no status list");
        }
        let kid = header.kid.clone().unwrap_or_default();
        let key = key(&kid).ok_or("it is signed with a key that is not known")?;
        let trusted = signed.verify(key).map_err(|_| "its signature is wrong")?;
        let claims: ListClaims = trusted.claims().map_err(|_| "it lacks claims")?;
        if claims.sub != uri {
            return Err("it is another list");
        }
        if !matches!(claims.status_list.bits, 1 | 2 | 4 | 8) {
            return Err("its bits are not 1, 2, 4 or 8");
        }
        let lst = claims.status_list.lst.as_bytes();
        let packed = BASE64URL_NOPAD
            .decode(lst)
            .map_err(|_| "its bits are not base64url")?;
        let mut bytes = Vec::new();
        ZlibDecoder::new(&packed[..])
            .take(LONGEST)
            .read_to_end(&mut bytes)
            .map_err(|_| "its bits are not compressed")?;
        Ok(Self {
            made: claims.iat,
            until: claims.exp.unwrap_or(i64::MAX),
            fresh: claims.ttl.unwrap_or(60).max(1),
            bits: claims.status_list.bits,
            bytes,
        })
    }

    /// Whether the token at this place is good: its status is 0. A place that is not on the list is nobody's.
    pub fn is_good(&self, place: u64) -> bool {
        let each = u64::from(8 / self.bits);
        let byte = usize::try_from(place / each).ok();
        let Some(byte) = byte.and_then(|byte| self.bytes.get(byte)) else {
            return false;
        };
        let shift = (place % each) * u64::from(self.bits);
        let mask = (1_u16 << self.bits) - 1;
        (u16::from(*byte) >> shift) & mask == 0
    }
}
