//! Currencies: code and exponent.

use crate::Refused;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The currencies in use by ISO 4217:2015, table A.1, by how many digits their minor unit has; without
/// precious metals, funds, and codes for tests.
const BY_EXPONENT: [(u8, &str); 4] = [
    (
        0,
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    ),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
         CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
         HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA \
         MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN \
         QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP \
         TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// A currency of ISO 4217: its code of three letters and its exponent, the number of decimal digits of
/// the minor unit (0 for the won, 2 for the euro, 3 for the dinar of Kuwait).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

impl Currency {
    /// The won of the Republic of Korea.
    pub const KRW: Self = Self {
        code: *b"KRW",
        exponent: 0,
    };

    /// The code, three capital letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("a code is made of ASCII letters")
    }

    /// How many decimal digits the minor unit has, 0 to 4.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        self.exponent
    }
}

impl FromStr for Currency {
    type Err = Refused;

    fn from_str(code: &str) -> Result<Self, Refused> {
        for (exponent, codes) in BY_EXPONENT {
            if let Some(known) = codes.split(' ').find(|known| *known == code) {
                let mut code = [0; 3];
                code.copy_from_slice(known.as_bytes());
                return Ok(Self { code, exponent });
            }
        }
        Err(Refused::UnknownCurrency)
    }
}

impl TryFrom<String> for Currency {
    type Error = Refused;

    fn try_from(code: String) -> Result<Self, Refused> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_has_the_exponent_of_the_standard() {
        for (code, exponent) in [
            ("KRW", Ok(0)),
            ("JPY", Ok(0)),
            ("EUR", Ok(2)),
            ("USD", Ok(2)),
            ("KWD", Ok(3)),
            ("CLF", Ok(4)),
            ("krw", Err(Refused::UnknownCurrency)),
            ("XTS", Err(Refused::UnknownCurrency)),
            ("", Err(Refused::UnknownCurrency)),
        ] {
            let found = code.parse().map(|found: Currency| found.exponent());
            assert_eq!(found, exponent, "{code}");
        }
        assert_eq!("KRW".parse(), Ok(Currency::KRW));
    }

    #[test]
    fn the_table_holds_each_code_once() {
        let all = BY_EXPONENT.map(|(_, codes)| codes).join(" ");
        let mut codes: Vec<&str> = all.split(' ').collect();
        assert!(codes.iter().all(|code| code.len() == 3));
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
