//! Signatures of webhooks by Standard Webhooks 1.0 (symmetric, `v1`), as sender and as receiver.
//!
//! It promises that what it signs is taken by any library of that standard, that a signature over other bytes,
//! another id or another time is refused, and that [`Secret`] never shows itself in `Debug`. It must never know
//! who sends what, nor a clock.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use std::fmt;
use thiserror::Error;

/// The header with the message's id: the same for each repetition.
pub const ID: &str = "webhook-id";
/// The header with the time of this delivery, in whole seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub const SIGNATURE: &str = "webhook-signature";
/// How far a delivery's time may be from the receiver's, in seconds.
pub const TOLERANCE: i64 = 300;

/// What a secret begins with where it is shown to people.
const PREFIX: &str = "whsec_";

/// What both sides know: 24 to 64 bytes.
#[derive(Clone)]
pub struct Secret {
    key: hmac::Key,
    bytes: Vec<u8>,
}

impl Secret {
    /// The secret of `bytes`.
    ///
    /// # Errors
    /// [`Refused::Secret`] unless there are 24 to 64.
    pub fn new(bytes: &[u8]) -> Result<Self, Refused> {
        if !(24..=64).contains(&bytes.len()) {
            return Err(Refused::Secret);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let bytes = bytes.to_vec();
        Ok(Self { key, bytes })
    }

    /// The secret written as `whsec_` and base64.
    ///
    /// # Errors
    /// [`Refused::Secret`] if it is not such a text, or of another length.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let encoded = text.strip_prefix(PREFIX).ok_or(Refused::Secret)?;
        Self::new(&STANDARD.decode(encoded).map_err(|_| Refused::Secret)?)
    }

    /// The secret as people copy it into their receiver.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.bytes))
    }

    /// The value of [`SIGNATURE`] for a delivery of `body` under `id` at `seconds` since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let tag = hmac::sign(&self.key, &signed(id, seconds, body));
        format!("v1,{}", STANDARD.encode(tag))
    }

    /// Whether one of the `signatures` is over this delivery and its time is near `now`, both in seconds since 1970.
    ///
    /// # Errors
    /// [`Refused::TooOld`], [`Refused::TooNew`] and [`Refused::Signature`].
    pub fn verify(
        &self,
        (id, seconds, body): (&str, i64, &[u8]),
        signatures: &str,
        now: i64,
    ) -> Result<(), Refused> {
        if seconds < now.saturating_sub(TOLERANCE) {
            return Err(Refused::TooOld);
        }
        if seconds > now.saturating_add(TOLERANCE) {
            return Err(Refused::TooNew);
        }
        let signed = signed(id, seconds, body);
        let sound = signatures
            .split(' ')
            .filter_map(|one| one.strip_prefix("v1,"))
            .filter_map(|encoded| STANDARD.decode(encoded).ok())
            .any(|tag| hmac::verify(&self.key, &signed, &tag).is_ok());
        sound.then_some(()).ok_or(Refused::Signature)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a secret or a delivery is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// It is no secret of the standard.
    #[error("a secret is `whsec_` and the base64 of 24 to 64 bytes")]
    Secret,
    /// It was signed too long ago: perhaps a copy.
    #[error("the delivery is older than {TOLERANCE} s")]
    TooOld,
    /// It was signed in the future.
    #[error("the delivery's time is more than {TOLERANCE} s ahead")]
    TooNew,
    /// None of the signatures is over these bytes.
    #[error("no signature fits the delivery")]
    Signature,
}

/// The bytes that are signed.
fn signed(id: &str, seconds: i64, body: &[u8]) -> Vec<u8> {
    let mut all = format!("{id}.{seconds}.").into_bytes();
    all.extend_from_slice(body);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_674_087_231;

    fn secret(byte: u8) -> Secret {
        Secret::new(&[byte; 32]).unwrap()
    }

    /// The test vector that the standard's own libraries have.
    #[test]
    fn a_signature_is_the_one_that_the_standard_publishes() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, seconds) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
        let (body, signature) = (
            br#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        );
        assert_eq!(secret.sign(id, seconds, body), signature);
        assert_eq!(
            secret.verify((id, seconds, body), signature, seconds),
            Ok(())
        );
    }

    /// Computed with Python's `hmac` and `base64`, by the standard's words.
    #[test]
    fn a_signature_is_the_one_that_others_compute() {
        let signature = secret(7).sign("msg_1", NOW, br#"{"type":"payment.approved"}"#);
        assert_eq!(signature, "v1,gh7C73dxpa6gzItGX9hRFWxCRfnUzWsgjTnptwgbAD0=");
    }

    #[test]
    fn a_delivery_is_taken_as_it_was_sent_and_near_its_time_alone() {
        let body = b"{}".as_slice();
        let old = secret(1);
        let both = format!(
            "{} {}",
            secret(2).sign("m", NOW, body),
            old.sign("m", NOW, body)
        );
        for (delivery, signatures, now, result) in [
            (("m", NOW, body), both.as_str(), NOW, Ok(())),
            (("m", NOW, body), &both, NOW + TOLERANCE, Ok(())),
            (
                ("m", NOW, body),
                &both,
                NOW + TOLERANCE + 1,
                Err(Refused::TooOld),
            ),
            (
                ("m", NOW, body),
                &both,
                NOW - TOLERANCE - 1,
                Err(Refused::TooNew),
            ),
            (("n", NOW, body), &both, NOW, Err(Refused::Signature)),
            (("m", NOW + 1, body), &both, NOW, Err(Refused::Signature)),
            (("m", NOW, b"{ }"), &both, NOW, Err(Refused::Signature)),
            (("m", NOW, body), "v1,", NOW, Err(Refused::Signature)),
            (("m", NOW, body), "v2,AAAA", NOW, Err(Refused::Signature)),
            (("m", NOW, body), "", NOW, Err(Refused::Signature)),
        ] {
            assert_eq!(old.verify(delivery, signatures, now), result);
        }
    }

    #[test]
    fn a_secret_is_read_as_it_was_shown_and_does_not_show_itself() {
        let shown = secret(9).reveal();
        assert_eq!(Secret::parse(&shown).unwrap().reveal(), shown);
        assert_eq!(format!("{:?}", secret(9)), "Secret(…)");
        for wrong in [
            "",
            "whsec_",
            "whsec_AAAA",
            "whsec_!",
            shown.trim_start_matches("whsec_"),
        ] {
            assert_eq!(
                Secret::parse(wrong).unwrap_err(),
                Refused::Secret,
                "{wrong}"
            );
        }
    }
}
