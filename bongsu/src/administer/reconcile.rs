//! Comparing the bank with the books: what differs is listed, and is the exit status.

use super::ask::Operator;
use super::print;
use crate::cli::Reconcile;
use crate::config::Config;
use crate::say;
use anyhow::{Context, Result};
use serde_json::Value;

const PATH: &str = "/admin/v1/pay/reconcile";
const DIFFERENCES: print::Columns = &[
    "kind",
    "currency",
    "bank",
    "here",
    "order",
    "reference",
    "detail",
];

/// Compares them, and says whether they are the same.
pub async fn reconcile(asked: &Reconcile, config: &Config) -> Result<bool> {
    let file = match &asked.statement {
        Some(path) => {
            let read = std::fs::read(path);
            Some(read.with_context(|| format!("{} cannot be read", path.display()))?)
        }
        None => None,
    };
    let mut operator = Operator::connect(config).await?;
    let report = match file {
        Some(xml) => operator.show_xml(PATH, xml).await,
        None => {
            let bounds = [("from_ms", asked.from), ("to_ms", asked.to)];
            let bounds = bounds.map(|(name, at)| at.map(|at| format!("{name}={at}&")));
            let query: String = bounds.into_iter().flatten().collect();
            operator.ask(&format!("{PATH}?{query}"), None).await
        }
    };
    operator.close().await?;
    let report = report?;
    if asked.how.json {
        print::json(&report)?;
    } else {
        show(&report);
    }
    Ok(report["reconciled"] == true)
}

fn show(report: &Value) {
    let columns = &["currency", "entries", "agree", "bank_balance", "at_bank"];
    print::table(columns, items(report, "statements"));
    let differences = items(report, "differences");
    if differences.is_empty() {
        say::line("\nThe bank and the books are the same.");
    } else {
        say::line(format_args!(
            "\nThe bank and the books differ in {}:",
            differences.len()
        ));
        print::table(DIFFERENCES, differences);
    }
}

fn items<'a>(report: &'a Value, name: &str) -> &'a [Value] {
    report[name].as_array().map_or(&[], Vec::as_slice)
}
