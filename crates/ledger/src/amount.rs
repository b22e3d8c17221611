//! Amounts of money.

use crate::{Currency, Refused};
use serde::{Deserialize, Serialize};

/// How much: a whole number of a currency's minor units, from 1 to 9,223,372,036,854,775,807.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Amount(i64);

impl Amount {
    /// `minor` units.
    ///
    /// # Errors
    /// [`Refused::AmountIsZero`] and [`Refused::AmountIsNegative`].
    pub fn new(minor: i64) -> Result<Self, Refused> {
        match minor {
            0 => Err(Refused::AmountIsZero),
            ..0 => Err(Refused::AmountIsNegative),
            1.. => Ok(Self(minor)),
        }
    }

    /// How many minor units.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Amount {
    type Error = Refused;

    fn try_from(minor: i64) -> Result<Self, Refused> {
        Self::new(minor)
    }
}

impl TryFrom<u64> for Amount {
    type Error = Refused;

    fn try_from(minor: u64) -> Result<Self, Refused> {
        i64::try_from(minor).map_or(Err(Refused::AmountTooLarge), Self::new)
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// An amount in its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_outside_its_range_is_refused_by_name() {
        for (minor, result) in [
            (0, Err(Refused::AmountIsZero)),
            (1, Ok(1)),
            (i64::MAX as u64, Ok(i64::MAX)),
            (i64::MAX as u64 + 1, Err(Refused::AmountTooLarge)),
            (u64::MAX, Err(Refused::AmountTooLarge)),
        ] {
            assert_eq!(Amount::try_from(minor).map(Amount::minor), result);
        }
        for negative in [-1, i64::MIN] {
            assert_eq!(Amount::new(negative), Err(Refused::AmountIsNegative));
        }
    }
}
