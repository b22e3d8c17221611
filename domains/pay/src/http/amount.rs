//! Amounts as they are asked: whole minor units, each wrong one refused by name.

use super::problem::Problem;
use bongsu_ledger::{Amount, Currency, Money};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// The largest amount: JSON's numbers are exact up to it everywhere (RFC 8259, section 6).
pub const LARGEST: i64 = (1 << 53) - 1;

/// An amount in minor units, from 1 to 2^53 - 1.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(value_type = i64, minimum = 1, maximum = 9007199254740991_i64, example = 1000)]
pub struct Asking(Box<RawValue>);

impl Asking {
    /// The amount, if it is one.
    ///
    /// # Errors
    /// By name: not a number, fractional, zero, negative, too large.
    pub fn amount(&self) -> Result<Amount, Problem> {
        let text = self.0.get();
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Problem::bad("invalid-body", "an amount is a whole number"));
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let detail = "an amount is a whole number of minor units";
            return Err(Problem::senseless("amount-fractional", detail));
        }
        if digits == "0" {
            return Err(Problem::senseless("amount-zero", "an amount is at least 1"));
        }
        if text.len() > digits.len() {
            return Err(Problem::senseless(
                "amount-negative",
                "an amount is at least 1",
            ));
        }
        let minor = text.parse::<i64>().ok();
        let minor = minor.filter(|minor| *minor <= LARGEST);
        let amount = minor.and_then(|minor| Amount::new(minor).ok());
        amount.ok_or_else(|| {
            let detail = format!("an amount is at most {LARGEST}");
            Problem::senseless("amount-too-large", detail)
        })
    }

    /// The amount in a currency; in won where nobody says.
    ///
    /// # Errors
    /// Also when the currency is none.
    pub fn money(&self, code: Option<&String>) -> Result<Money, Problem> {
        let currency = currency(code)?;
        let amount = self.amount()?;
        Ok(Money { amount, currency })
    }
}

/// The currency with this code; won where nobody says.
pub fn currency(code: Option<&String>) -> Result<Currency, Problem> {
    let Some(code) = code else {
        return Ok(Currency::KRW);
    };
    let detail = "a currency is three capital letters of ISO 4217";
    code.parse()
        .map_err(|_| Problem::senseless("unknown-currency", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_amount_has_its_name() {
        for (text, expect) in [
            ("1", "ok"),
            ("9007199254740991", "ok"),
            ("9007199254740992", "amount-too-large"),
            ("1000000000000000000000000000000", "amount-too-large"),
            ("0", "amount-zero"),
            ("-0", "amount-zero"),
            ("-5", "amount-negative"),
            ("-100000000000000000000", "amount-negative"),
            ("1.0", "amount-fractional"),
            ("1e3", "amount-fractional"),
            ("1e999", "amount-fractional"),
            ("-0.5", "amount-fractional"),
            ("\"1\"", "invalid-body"),
            ("null", "invalid-body"),
            ("[1]", "invalid-body"),
        ] {
            let asked: Asking = serde_json::from_str(text).expect(text);
            let told = asked.amount().map_or_else(
                |problem| problem.body().kind.replace("urn:bongsu:pay:", ""),
                |_| "ok".to_owned(),
            );
            assert_eq!(told, expect, "{text}");
        }
    }
}
