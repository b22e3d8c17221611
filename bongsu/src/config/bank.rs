//! The bank that orders go to, which is configured in a file alone.

use super::is_url;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// `[pay]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaySection {
    /// `[pay.bank]`.
    pub bank: Option<BankSection>,
}

/// `[pay.bank]`: the bank.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankSection {
    /// `simulated` (in this process), `http` (at `url`), or `none` (an operator tells what the bank said).
    pub kind: BankKind,
    /// Where it is, for `http`.
    pub url: Option<String>,
}

/// What kind of bank it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BankKind {
    /// One that is not real, in this process.
    Simulated,
    /// One that is reached over HTTP.
    Http,
    /// None.
    None,
}

/// Where the bank is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankAt {
    /// It is simulated by this process.
    Here,
    /// At this URL.
    Url(String),
    /// Orders wait for an operator's word.
    Nowhere,
}

impl BankAt {
    /// What `section` comes to; `alone` where there is no other data centre.
    pub(super) fn of(section: Option<PaySection>, alone: bool) -> Result<Self> {
        let Some(bank) = section.and_then(|pay| pay.bank) else {
            return Ok(if alone { Self::Here } else { Self::Nowhere });
        };
        ensure!(
            bank.url.is_none() || bank.kind == BankKind::Http,
            "[pay.bank] url is for kind = \"http\""
        );
        Ok(match bank.kind {
            BankKind::Simulated => {
                ensure!(
                    alone,
                    "[pay.bank] kind is `simulated`, which is a bank of this process alone: several data centres share one \
                     that `bongsu bank` runs, as kind = \"http\""
                );
                Self::Here
            }
            BankKind::Http => {
                let url = bank
                    .url
                    .context("[pay.bank] url is missing: where the bank is")?;
                ensure!(
                    is_url(&url) && url.starts_with("http://"),
                    "[pay.bank] url has to begin with http://: let whatever encrypts it forward it near by"
                );
                Self::Url(url)
            }
            BankKind::None => Self::Nowhere,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, alone: bool) -> Result<BankAt> {
        let bank = toml::from_str(text)?;
        BankAt::of(Some(PaySection { bank: Some(bank) }), alone)
    }

    #[test]
    fn one_machine_has_a_simulated_bank_and_data_centres_have_none_unless_it_is_said() {
        assert_eq!(BankAt::of(None, true).unwrap(), BankAt::Here);
        assert_eq!(BankAt::of(None, false).unwrap(), BankAt::Nowhere);
        let http = "kind = 'http'\nurl = 'http://127.0.0.1:8012'";
        let there = BankAt::Url("http://127.0.0.1:8012".to_owned());
        for (text, alone, expect) in [
            ("kind = 'none'", true, BankAt::Nowhere),
            ("kind = 'simulated'", true, BankAt::Here),
            (http, true, there.clone()),
            (http, false, there),
        ] {
            assert_eq!(of(text, alone).unwrap(), expect, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (text, expect) in [
            ("kind = 'simulated'", "`bongsu bank`"),
            ("kind = 'http'", "url is missing"),
            ("kind = 'http'\nurl = 'bank.example'", "http://"),
            ("kind = 'http'\nurl = 'https://bank.example'", "http://"),
            ("kind = 'none'\nurl = 'http://a'", "is for kind"),
            ("kind = 'real'", "simulated"),
        ] {
            let error = of(text, false).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        }
    }
}
