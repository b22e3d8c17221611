//! The bank that orders go to.

use crate::config::{BankAt, Config};
use crate::data::DataDir;
use anyhow::{Context, Result};
use bongsu_bank_rail::{Bank, Faults, HttpBank, Simulated};
use bongsu_pay::BankMetrics;
use bongsu_pay::http::AtBank;
use bongsu_web_kit::Clock;
use std::sync::Arc;

/// That of the configuration; nothing is asked of it yet.
pub fn open(data: &DataDir, config: &Config) -> Result<AtBank> {
    let asked: Option<Arc<dyn Bank>> = match &config.bank {
        BankAt::Here => {
            let (path, clock) = (data.bank(), Clock::system());
            let bank = Simulated::open(&path, move || clock.now(), Faults::default(), 0);
            Some(Arc::new(bank.with_context(|| {
                format!("the simulated bank's {} cannot be opened", path.display())
            })?))
        }
        BankAt::Url(url) => Some(Arc::new(HttpBank::new(url))),
        BankAt::Nowhere => None,
    };
    let metrics = BankMetrics::default();
    Ok(AtBank { asked, metrics })
}
