//! The command line about money.

use super::administer::{How, Looked, Shown, Target};
use clap::{ArgGroup, Args, Subcommand};
use std::path::PathBuf;

const STATEMENT_EXAMPLES: &str = "\
Examples:
  bongsu pay statement @mina:chat.example
  bongsu pay statement bakery --csv --from 2026-11-01 --to 2026-12-01 > november.csv
  bongsu pay statement bank --camt > bank.xml";

const RECONCILE_EXAMPLES: &str = "\
Examples:
  bongsu pay reconcile                              all that the bank ever moved
  bongsu pay reconcile --from 2026-11-01 --to 2026-12-01
  bongsu pay reconcile --statement november.xml     a statement of the bank's (camt.053)";

/// What can be done with money.
#[derive(Debug, Subcommand)]
pub enum PayVerb {
    /// What is asked and shown
    #[command(flatten)]
    Ask(MoneyVerb),
    /// Compare what the bank says that it moved with the books; exits with 1 if they differ
    #[command(after_help = RECONCILE_EXAMPLES)]
    Reconcile(Reconcile),
}

/// What is one request about money, whose answer is shown.
#[derive(Debug, Subcommand)]
pub enum MoneyVerb {
    /// Look after merchants
    #[command(subcommand)]
    Merchant(MerchantVerb),
    /// Look after people's wallets
    #[command(subcommand)]
    Wallet(WalletVerb),
    /// Set what people of a level may spend
    Limits(SetLimits),
    /// Set how much people of a level may have the bank bring
    TopUpLimits(SetTopUpLimits),
    /// Say which payments are looked at before the money moves
    #[command(subcommand)]
    Rule(RuleVerb),
    /// See payments that wait to be looked at, and decide
    #[command(subcommand)]
    Review(ReviewVerb),
    /// See and decide disputes
    #[command(subcommand)]
    Dispute(DisputeVerb),
    /// Tell what the bank said of a top-up, a withdrawal or a settlement
    BankSaid(BankSaid),
    /// Show what happened to an account
    #[command(after_help = STATEMENT_EXAMPLES)]
    Statement(Statement),
    /// Read all that was ever paid, and tell whether the books follow from it
    Proof(Shown),
}

/// What can be done with rules about payments.
#[derive(Debug, Subcommand)]
pub enum RuleVerb {
    /// List the rules
    List(Shown),
    /// Put a rule into force
    #[command(after_help = "\
Examples:
  bongsu pay rule set amount --at 1000000
  bongsu pay rule set count --at 10 --within-minutes 5
  bongsu pay rule set new-payee --at 300000")]
    Set(SetRule),
    /// Take a rule out of force
    Remove(RemoveRule),
}

/// `bongsu pay rule set`.
#[derive(Debug, Args)]
pub struct SetRule {
    /// What it looks at: `amount`, `count` or `new-payee`
    pub rule: String,
    /// From which amount on, in minor units; more than how many payments, for `count`
    #[arg(long, value_name = "NUMBER")]
    pub at: i64,
    /// In how many minutes, for `count`
    #[arg(long, value_name = "MINUTES")]
    pub within_minutes: Option<u32>,
    /// In which currency
    #[arg(long, value_name = "CODE", default_value = "KRW")]
    pub currency: String,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// `bongsu pay rule remove`.
#[derive(Debug, Args)]
pub struct RemoveRule {
    /// What it looks at: `amount`, `count` or `new-payee`
    pub rule: String,
    /// In which currency
    #[arg(long, value_name = "CODE", default_value = "KRW")]
    pub currency: String,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// What can be done with payments that wait to be looked at.
#[derive(Debug, Subcommand)]
pub enum ReviewVerb {
    /// List them, the oldest first
    List(Shown),
    /// Let a payment go on
    Release(Target),
    /// Refuse a payment: the payer has the money back
    Refuse(Target),
}

/// What can be done with disputes.
#[derive(Debug, Subcommand)]
pub enum DisputeVerb {
    /// List disputes, the newest first
    List(Shown),
    /// Give the payer back what is left of a disputed payment
    Refund(Target),
    /// Leave a disputed payment as it is
    Reject(Target),
}

/// What can be done with merchants.
#[derive(Debug, Subcommand)]
pub enum MerchantVerb {
    /// Add a merchant and print its secret key, once
    #[command(after_help = "\
Examples:
  bongsu pay merchant add bakery --name 'Mina Bakery' --bank-account 110-1234-5678 --fee 80")]
    Add(AddMerchant),
    /// List merchants
    List(Shown),
    /// Show a merchant
    Show(Looked),
    /// Give a merchant a new secret key and print it, once
    Rotate(RotateKey),
    /// Freeze a merchant: it takes no payments, and may give back
    Freeze(Target),
    /// Let a merchant trade again
    Unfreeze(Target),
    /// Pay a merchant what it has earned
    Settle(Target),
    /// Tell a merchant what happens to its payments
    #[command(subcommand)]
    Webhook(WebhookVerb),
}

/// What can be done with where merchants are told what happens.
#[derive(Debug, Subcommand)]
pub enum WebhookVerb {
    /// Tell a merchant at an address, and print the new secret that signs it, once
    Set(SetWebhook),
    /// Give a merchant another secret and print it, once; the one before it signs for a day, too
    Rotate(Target),
    /// Tell a merchant nothing any more
    Remove(Target),
}

/// `bongsu pay merchant webhook set`.
#[derive(Debug, Args)]
pub struct SetWebhook {
    /// The merchant's id
    pub id: String,
    /// An https address of the open internet, or within `webhook_allow_networks`
    pub url: String,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// `bongsu pay merchant add`.
#[derive(Debug, Args)]
pub struct AddMerchant {
    /// Its id: 3 to 32 lower-case letters, digits and `-`
    pub id: String,
    /// Its name
    #[arg(long, value_name = "TEXT")]
    pub name: String,
    /// Its account at the bank
    #[arg(long, value_name = "NUMBER")]
    pub bank_account: String,
    /// Its city
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub city: String,
    /// What it sells: a merchant category code
    #[arg(long, value_name = "CODE", default_value_t = 0)]
    pub category: u16,
    /// Its currency
    #[arg(long, value_name = "CODE", default_value = "KRW")]
    pub currency: String,
    /// What a payment costs it, in hundredths of a percent
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub fee: u16,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// `bongsu pay merchant rotate`.
#[derive(Debug, Args)]
pub struct RotateKey {
    /// Its id
    pub id: String,
    /// How long the other keys are taken, in seconds; 0 revokes them at once [default: 86400]
    #[arg(long, value_name = "SECONDS")]
    pub overlap_seconds: Option<u32>,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// What can be done with wallets.
#[derive(Debug, Subcommand)]
pub enum WalletVerb {
    /// Show a person's wallets
    Show(Looked),
    /// Freeze a person's wallets
    Freeze(Target),
    /// Let a person's wallets be used again
    Unfreeze(Target),
    /// Say how well a person is known
    Level(SetLevel),
}

/// `bongsu pay wallet level`.
#[derive(Debug, Args)]
pub struct SetLevel {
    /// A user id
    pub id: String,
    /// 0 to 3
    pub level: u8,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// `bongsu pay limits`.
#[derive(Debug, Args)]
pub struct SetLimits {
    /// Of which level, 0 to 3
    pub level: u8,
    /// At once, in minor units
    #[arg(long, value_name = "AMOUNT")]
    pub payment: i64,
    /// In a day
    #[arg(long, value_name = "AMOUNT")]
    pub day: i64,
    /// In a month
    #[arg(long, value_name = "AMOUNT")]
    pub month: i64,
    /// In which currency
    #[arg(long, value_name = "CODE", default_value = "KRW")]
    pub currency: String,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// `bongsu pay top-up-limits`.
#[derive(Debug, Args)]
pub struct SetTopUpLimits {
    /// Of which level, 0 to 3
    pub level: u8,
    /// At once, in minor units
    #[arg(long, value_name = "AMOUNT")]
    pub top_up: i64,
    /// The most that a wallet may have when it has come
    #[arg(long, value_name = "AMOUNT")]
    pub balance: i64,
    /// In which currency
    #[arg(long, value_name = "CODE", default_value = "KRW")]
    pub currency: String,
    /// How.
    #[command(flatten)]
    pub how: How,
}

/// `bongsu pay statement`.
#[derive(Debug, Args)]
pub struct Statement {
    /// A person's id, a merchant's, `bank` (what the bank holds for everybody) or `fees` (what merchants paid)
    pub account: String,
    /// As a table (CSV), oldest first
    #[arg(long, conflicts_with_all = ["camt", "json"])]
    pub csv: bool,
    /// As ISO 20022 camt.053, oldest first
    #[arg(long, conflicts_with = "json")]
    pub camt: bool,
    /// In which currency, but for a merchant
    #[arg(long, value_name = "CODE", default_value = "KRW")]
    pub currency: String,
    /// Of a file: from this day or moment on, such as 2026-11-01 or 2026-11-01T09:30:00Z [default: ever]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub from: Option<i64>,
    /// Of a file: before this day or moment [default: now]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub to: Option<i64>,
    /// How.
    #[command(flatten)]
    pub how: Shown,
}

/// `bongsu pay reconcile`.
#[derive(Debug, Args)]
pub struct Reconcile {
    /// From this day or moment on, such as 2026-11-01 or 2026-11-01T09:30:00Z [default: ever]
    #[arg(long, value_name = "WHEN", value_parser = moment, conflicts_with = "statement")]
    pub from: Option<i64>,
    /// Before this day or moment [default: now]
    #[arg(long, value_name = "WHEN", value_parser = moment, conflicts_with = "statement")]
    pub to: Option<i64>,
    /// Read the statement in this file (ISO 20022 camt.053) instead of asking the bank
    #[arg(long, value_name = "FILE")]
    pub statement: Option<PathBuf>,
    /// How.
    #[command(flatten)]
    pub how: Shown,
}

/// A moment in milliseconds since 1970, of a date or of a date and a time in UTC (RFC 3339).
fn moment(text: &str) -> Result<i64, String> {
    moment_of(text).ok_or_else(|| "expected 2026-11-01, or 2026-11-01T09:30:00Z".to_owned())
}

/// Days are counted as Howard Hinnant's "chrono-compatible low-level date algorithms" do, `days_from_civil`.
fn moment_of(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let numbers = |text: &str, mark: char, widths: [usize; 3]| {
        let parts: Vec<&str> = text.split(mark).collect();
        let [a, b, c] = parts.try_into().ok()?;
        let part = |part: &str, width: usize| {
            let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<i64>().ok())?
        };
        Some((
            part(a, widths[0])?,
            part(b, widths[1])?,
            part(c, widths[2])?,
        ))
    };
    let (year, month, day) = numbers(date, '-', [4, 2, 2])?;
    let (hour, minute, second) = numbers(time, ':', [2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let sound = (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    sound.then_some((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000)
}

/// `bongsu pay bank-said`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("of").required(true).args(["payment", "settlement"])))]
#[command(group(ArgGroup::new("said").required(true).args(["reference", "refused"])))]
pub struct BankSaid {
    /// The top-up or withdrawal
    #[arg(long, value_name = "ID")]
    pub payment: Option<String>,
    /// The number of the settlement
    #[arg(long, value_name = "NUMBER")]
    pub settlement: Option<i64>,
    /// It did it: its name for that
    #[arg(long, value_name = "TEXT")]
    pub reference: Option<String>,
    /// It refused: why
    #[arg(long, value_name = "TEXT")]
    pub refused: Option<String>,
    /// How.
    #[command(flatten)]
    pub how: Shown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_or_a_time() {
        for (text, expect) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(951_782_400_000)),
            ("2027-01-15T08:00:00Z", Some(1_800_000_000_000)),
            ("2025-02-29", None),
            ("2025-13-01", None),
            ("2025-1-01", None),
            ("2025-01-01T24:00:00Z", None),
            ("2025-01-01T10:00:00", None),
            ("yesterday", None),
        ] {
            assert_eq!(moment(text).ok(), expect, "{text}");
        }
    }
}
