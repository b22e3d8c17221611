//! Times in the tokens of others (RFC 7519, section 2): seconds since 1970, which may have a fraction.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Whole seconds since 1970. What is less than a second is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NumericDate(pub i64);

struct Seconds;

impl Visitor<'_> for Seconds {
    type Value = NumericDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds since 1970")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<NumericDate, E> {
        Ok(NumericDate(seconds))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<NumericDate, E> {
        Ok(NumericDate(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<NumericDate, E> {
        // A time out of all proportion becomes the last or first one there is.
        Ok(NumericDate(seconds.floor() as i64))
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_have_a_fraction() {
        let read = |text: &str| serde_json::from_str(text).ok().map(|NumericDate(at)| at);
        for (text, expect) in [
            ("1800000000", Some(1_800_000_000)),
            ("1800000000.999", Some(1_800_000_000)),
            ("1.8e9", Some(1_800_000_000)),
            ("-0.5", Some(-1)),
            ("18446744073709551615", Some(i64::MAX)),
            ("1e300", Some(i64::MAX)),
            ("-1e300", Some(i64::MIN)),
            ("\"1800000000\"", None),
            ("null", None),
            ("NaN", None),
        ] {
            assert_eq!(read(text), expect, "{text}");
        }
    }
}
