//! Values that go through somebody else's hands and come back: pushed requests, that somebody has just signed in, what
//! stands between the requests of one authentication.

use super::{Keys, Provider, SecretKey, secret};
use bongsu_base::{LogTime, Millis};
use ring::aead::NONCE_LEN;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Something with an end.
#[derive(Serialize, Deserialize)]
struct Until<T> {
    until: LogTime,
    value: T,
}

/// Seals `value` for `purpose`, good until then. Whoever has the key opens it.
pub(crate) fn enclose<T: Serialize>(
    key: &SecretKey,
    (purpose, until): (&str, LogTime),
    value: &T,
    nonce: [u8; NONCE_LEN],
) -> Option<String> {
    let json = serde_json::to_vec(&Until { until, value }).ok()?;
    Some(key.put(purpose, &json, nonce))
}

/// Opens what one of `keys` sealed for `purpose`; `None` when none did, or it has run out.
pub(crate) fn disclose<'a, T: DeserializeOwned>(
    keys: impl Iterator<Item = &'a SecretKey>,
    (purpose, now): (&str, LogTime),
    text: &str,
) -> Option<T> {
    let json = secret::take(keys, purpose, text)?;
    let sealed: Until<T> = serde_json::from_slice(&json).ok()?;
    (sealed.until > now).then_some(sealed.value)
}

impl Provider {
    /// Seals `value` for `purpose`, good for so long. Any data centre opens it.
    pub(crate) fn enclose<T: Serialize>(
        &self,
        keys: &Keys,
        (purpose, lasts): (&str, Millis),
        value: &T,
    ) -> Option<String> {
        let now = self.now();
        let key = keys.secret(now)?;
        enclose(key, (purpose, now + lasts), value, self.random())
    }

    /// Opens what was sealed for `purpose`; `None` when it was not, or has run out.
    pub(crate) fn disclose<T: DeserializeOwned>(
        &self,
        keys: &Keys,
        purpose: &str,
        text: &str,
    ) -> Option<T> {
        disclose(keys.secrets(), (purpose, self.now()), text)
    }
}
