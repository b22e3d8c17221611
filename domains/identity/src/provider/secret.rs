//! The key from which refresh tokens are made, and what else only data centres of this installation can make:
//! sealed requests, and what shows that a form came from here.

use crate::command::oauth::SessionNo;
use data_encoding::BASE64URL_NOPAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use std::fmt;

/// What every refresh token begins with, so that one that leaks can be recognised.
const PREFIX: &str = "bgr_";
/// Key's name, session, generation, seal.
const LENGTH: usize = 8 + 8 + 4 + 32;

/// A key with its name.
pub struct SecretKey {
    kid: [u8; 8],
    refresh: hmac::Key,
    forms: hmac::Key,
    boxes: LessSafeKey,
}

/// What a refresh token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refreshable {
    /// The session.
    pub session: SessionNo,
    /// Its generation.
    pub generation: u32,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl SecretKey {
    /// The key under the name `kid`, 8 bytes in base64url.
    #[must_use]
    pub fn open(kid: &str, secret: &[u8; 32]) -> Option<Self> {
        let kid = BASE64URL_NOPAD
            .decode(kid.as_bytes())
            .ok()?
            .try_into()
            .ok()?;
        let derive = |context| blake3::derive_key(context, secret);
        let mac = |context| hmac::Key::new(hmac::HMAC_SHA256, &derive(context));
        let boxes = derive("bongsu 2026-11 sealed requests of sign-in");
        let boxes = UnboundKey::new(&CHACHA20_POLY1305, &boxes).expect("32 bytes are a key");
        Some(Self {
            kid,
            refresh: mac("bongsu 2026-11 refresh tokens"),
            forms: mac("bongsu 2026-11 forms of sign-in"),
            boxes: LessSafeKey::new(boxes),
        })
    }

    /// The refresh token that says this: the same in every data centre.
    #[must_use]
    pub fn refresh_token(&self, says: Refreshable) -> String {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&self.kid);
        bytes[8..16].copy_from_slice(&says.session.0.to_be_bytes());
        bytes[16..20].copy_from_slice(&says.generation.to_be_bytes());
        let tag = hmac::sign(&self.refresh, &bytes[..20]);
        bytes[20..].copy_from_slice(tag.as_ref());
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }

    /// What shows that a form was made here for the browser whose cookie is `cookie`.
    #[must_use]
    pub fn form_seal(&self, cookie: &str) -> String {
        let tag = hmac::sign(&self.forms, cookie.as_bytes());
        BASE64URL_NOPAD.encode(tag.as_ref())
    }

    /// Whether it does. Takes as long whatever of it is right.
    #[must_use]
    pub fn is_form_seal(&self, cookie: &str, seal: &str) -> bool {
        let tag = BASE64URL_NOPAD.decode(seal.as_bytes()).unwrap_or_default();
        hmac::verify(&self.forms, cookie.as_bytes(), &tag).is_ok()
    }

    /// Seals a text for `purpose`, to be kept by somebody who is not trusted.
    pub(super) fn put(&self, purpose: &str, text: &[u8], nonce: [u8; NONCE_LEN]) -> String {
        let mut bytes = text.to_vec();
        let nonce_of = Nonce::assume_unique_for_key(nonce);
        let aad = Aad::from(purpose.as_bytes());
        self.boxes
            .seal_in_place_append_tag(nonce_of, aad, &mut bytes)
            .expect("a request is far shorter than 256 GiB");
        BASE64URL_NOPAD.encode(&[&self.kid, &nonce[..], &bytes].concat())
    }

    /// Opens what was sealed for `purpose`.
    fn take(&self, purpose: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut bytes = rest.to_vec();
        let aad = Aad::from(purpose.as_bytes());
        let text = self.boxes.open_in_place(nonce, aad, &mut bytes).ok()?;
        Some(text.to_vec())
    }
}

/// What the refresh token says, if one of `keys` made it.
pub(super) fn read<'a>(
    keys: impl Iterator<Item = &'a SecretKey>,
    token: &str,
) -> Option<Refreshable> {
    let text = token.strip_prefix(PREFIX)?;
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let bytes: [u8; LENGTH] = bytes.try_into().ok()?;
    let (head, tag) = bytes.split_first_chunk::<20>()?;
    let mut keys = keys;
    let key = keys.find(|key| key.kid == head[..8])?;
    hmac::verify(&key.refresh, head, tag).ok()?;
    let session = i64::from_be_bytes(head[8..16].try_into().ok()?);
    let generation = u32::from_be_bytes(head[16..20].try_into().ok()?);
    Some(Refreshable {
        session: SessionNo(session),
        generation,
    })
}

/// Opens what one of `keys` sealed for `purpose`.
pub(super) fn take<'a>(
    keys: impl Iterator<Item = &'a SecretKey>,
    purpose: &str,
    text: &str,
) -> Option<Vec<u8>> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let (kid, rest) = bytes.split_first_chunk::<8>()?;
    let mut keys = keys;
    keys.find(|key| key.kid == *kid)?.take(purpose, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SecretKey {
        SecretKey::open(&BASE64URL_NOPAD.encode(&[n; 8]), &[n; 32]).unwrap()
    }

    const SAYS: Refreshable = Refreshable {
        session: SessionNo(7),
        generation: 3,
    };

    #[test]
    fn a_refresh_token_is_the_same_wherever_it_is_made_and_cannot_be_made_elsewhere() {
        let token = key(1).refresh_token(SAYS);
        assert_eq!(token, key(1).refresh_token(SAYS));
        assert_eq!(read([&key(2), &key(1)].into_iter(), &token), Some(SAYS));
        assert_eq!(read([&key(2)].into_iter(), &token), None);
        let forger = SecretKey::open(&BASE64URL_NOPAD.encode(&[1; 8]), &[9; 32]).unwrap();
        let forged = forger.refresh_token(SAYS);
        for wrong in [
            &*forged,
            "",
            "bgr_",
            "bgr_AAAA",
            &token[4..],
            &token.to_uppercase(),
        ] {
            assert_eq!(read([&key(1)].into_iter(), wrong), None, "{wrong}");
        }
        for n in 4..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[n] = if altered[n] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(read([&key(1)].into_iter(), &altered), None, "{n}");
        }
    }

    #[test]
    fn what_is_sealed_is_opened_for_its_own_purpose() {
        let text = key(1).put("par", b"request", [5; 12]);
        assert_eq!(
            take([&key(1)].into_iter(), "par", &text),
            Some(b"request".to_vec())
        );
        assert_eq!(take([&key(1)].into_iter(), "fresh", &text), None);
        assert_eq!(take([&key(2)].into_iter(), "par", &text), None);
        assert_eq!(take([&key(1)].into_iter(), "par", &text[1..]), None);
    }

    #[test]
    fn a_forms_seal_is_for_one_browser() {
        let seal = key(1).form_seal("cookie");
        assert!(key(1).is_form_seal("cookie", &seal));
        for (cookie, seal) in [("other", &*seal), ("cookie", ""), ("cookie", "AAAA")] {
            assert!(!key(1).is_form_seal(cookie, seal));
        }
    }
}
