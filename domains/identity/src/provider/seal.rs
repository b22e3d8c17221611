//! Values that go through somebody else's hands and come back: pushed requests, and that somebody has just signed in.

use super::{Keys, Provider, secret};
use bongsu_base::{LogTime, Millis};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Something with an end.
#[derive(Serialize, Deserialize)]
struct Until<T> {
    until: LogTime,
    value: T,
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
        let until = now + lasts;
        let json = serde_json::to_vec(&Until { until, value }).ok()?;
        Some(keys.secret(now)?.put(purpose, &json, self.random()))
    }

    /// Opens what was sealed for `purpose`; `None` when it was not, or has run out.
    pub(crate) fn disclose<T: DeserializeOwned>(
        &self,
        keys: &Keys,
        purpose: &str,
        text: &str,
    ) -> Option<T> {
        let json = secret::take(keys.secrets(), purpose, text)?;
        let sealed: Until<T> = serde_json::from_slice(&json).ok()?;
        (sealed.until > self.now()).then_some(sealed.value)
    }
}
