//! What an order is called at the bank: the end-to-end id of ISO 20022, at most 35 characters.

use crate::command::Ordered;
use crate::id::{NoId, PaymentId};
use data_encoding::HEXLOWER;
use std::fmt;
use std::str::FromStr;

/// `P` and the payment's id in hexadecimal, or `S` and the settlement's number.
impl fmt::Display for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payment(PaymentId(id)) => write!(f, "P{}", HEXLOWER.encode(id)),
            Self::Settlement(n) => write!(f, "S{n}"),
        }
    }
}

impl FromStr for Ordered {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        let found = if let Some(hex) = text.strip_prefix('P') {
            let id = HEXLOWER.decode(hex.as_bytes()).map_err(|_| NoId)?;
            Self::Payment(PaymentId(id.try_into().map_err(|_| NoId)?))
        } else {
            let n = text.strip_prefix('S').ok_or(NoId)?;
            Self::Settlement(n.parse().map_err(|_| NoId)?)
        };
        // What can be written in several ways is none of ours but in one.
        (found.to_string() == text).then_some(found).ok_or(NoId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_says_what_the_order_is_for() {
        for (ordered, name) in [
            (
                Ordered::Payment(PaymentId([0xa7; 16])),
                "Pa7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7",
            ),
            (Ordered::Settlement(12), "S12"),
            (Ordered::Settlement(i64::MAX), "S9223372036854775807"),
        ] {
            assert_eq!(ordered.to_string(), name);
            assert_eq!(name.parse(), Ok(ordered));
            assert!(name.len() <= 35);
        }
        for other in ["", "P", "Pa7", "S", "S+12", "S012", "12", "PA7A7"] {
            assert_eq!(other.parse::<Ordered>(), Err(NoId), "{other}");
        }
    }
}
