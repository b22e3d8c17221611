//! Whether the bank did what the books say that it did. Its statements are read here by their text alone: by other means
//! than those that wrote them.

use super::town::CURRENCIES;
use super::{PATIENCE, get};
use crate::check::Findings;
use crate::client::{Client, Outcome};
use crate::cluster::LOOK;
use crate::ground::{Ground, Site};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::{Instant, sleep};

/// Looks whether the bank has paid each of `asked`, in every data centre.
pub async fn answered(ground: &Ground, asked: &[(String, String)]) -> Findings {
    let mut findings = Findings::default();
    for (n, (token, id)) in asked.iter().enumerate() {
        let site = n % ground.sites.len();
        if !answer(ground, site, token, id).await {
            findings.lost += 1;
            let name = &ground.sites[site].name;
            findings.problem(format!("the bank did not pay {id}, says {name}"));
        }
    }
    findings
}

/// Waits for what the bank says of a payment; whether it was done.
pub async fn answer(ground: &Ground, site: usize, token: &str, id: &str) -> bool {
    let deadline = Instant::now() + PATIENCE;
    let path = format!("/pay/v1/payments/{id}");
    loop {
        let found = get(ground, site, token, &path).await;
        let state = found.as_ref().and_then(|found| found["state"].as_str());
        match state {
            Some("paid") => return true,
            Some("at_bank") | None if Instant::now() < deadline => sleep(LOOK).await,
            _ => return false,
        }
    }
}

/// Compares, once nothing is under way, what moved by the bank's statements with what moved by the books of every data
/// centre, and looks whether anything moved twice.
pub async fn reconciled(ground: &Ground) -> Findings {
    let mut findings = Findings::default();
    let deadline = Instant::now() + PATIENCE;
    let mut said = statements(ground).await;
    for site in 0..ground.sites.len() {
        let mut books = at_bank(ground, site).await;
        // What was asked for last may not have been carried out, or not be known here.
        while said.as_ref().map(Said::moved) != books && Instant::now() < deadline {
            sleep(LOOK).await;
            said = statements(ground).await;
            books = at_bank(ground, site).await;
        }
        let moved = said.as_ref().map(Said::moved);
        if moved.is_none() || moved != books {
            findings.diverged += 1;
            let name = &ground.sites[site].name;
            let text = format!("the bank moved {moved:?}, and by {name} {books:?}");
            findings.problem(text);
        }
    }
    for order in said.iter().flat_map(Said::twice) {
        findings.doubled += 1;
        findings.problem(format!("the bank carried out {order} twice"));
    }
    findings
}

/// What the bank says moved, by currency: the orders' names, and how much.
struct Said([Vec<(String, i128)>; CURRENCIES.len()]);

impl Said {
    /// How much came to be there in each currency.
    fn moved(&self) -> [i128; CURRENCIES.len()] {
        std::array::from_fn(|n| self.0[n].iter().map(|(_, amount)| amount).sum())
    }

    /// The orders that stand there more than once.
    fn twice(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let all = self.0.iter().flatten().map(|(order, _)| order.as_str());
        all.filter(|order| !seen.insert(*order)).collect()
    }
}

async fn statements(ground: &Ground) -> Option<Said> {
    let there: Arc<[Site]> = Arc::new([Site {
        name: "bank".to_owned(),
        address: ground.bank.clone(),
    }]);
    let mut client = Client::new(&there, 0);
    let mut all = std::array::from_fn(|_| Vec::new());
    for (n, currency) in CURRENCIES.iter().enumerate() {
        let path = format!(
            "/v1/statement?currency={currency}&from_ms=0&to_ms={}",
            i64::MAX
        );
        let Outcome::Done(xml) = client.look(0, &path).await else {
            return None;
        };
        all[n] = entries(std::str::from_utf8(&xml).ok()?)?;
    }
    Some(Said(all))
}

/// The entries of a statement (camt.053): the orders' names, and how much each adds in minor units.
fn entries(xml: &str) -> Option<Vec<(String, i128)>> {
    let parts = xml.split("<Ntry>").skip(1);
    let entry = |part: &str| {
        let text =
            |from: &str, to: &str| Some(part.split_once(from)?.1.split_once(to)?.0.to_owned());
        let amount = text("<Amt Ccy=\"", "</Amt>")?;
        let digits = amount.split_once("\">")?.1.replace('.', "");
        let amount: i128 = digits.parse().ok()?;
        let signed = match &*text("<CdtDbtInd>", "</CdtDbtInd>")? {
            "CRDT" => amount,
            "DBIT" => -amount,
            _ => return None,
        };
        Some((text("<EndToEndId>", "</EndToEndId>")?, signed))
    };
    parts.map(entry).collect()
}

/// What is at the bank by the books of a data centre, in each currency.
async fn at_bank(ground: &Ground, site: usize) -> Option<[i128; CURRENCIES.len()]> {
    let proof = get(ground, site, &ground.operator, "/admin/v1/pay/proof").await?;
    let ledgers = proof["ledgers"].as_array()?;
    let mut all = [0; CURRENCIES.len()];
    for (n, currency) in CURRENCIES.iter().enumerate() {
        let of = |ledger: &&Value| ledger["currency"] == *currency;
        let ledger = ledgers.iter().find(of)?;
        all[n] = ledger["at_bank"].as_str()?.parse().ok()?;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_and_what_moved_twice_is_read_off_a_statement() {
        let entry = |order: &str, amount: &str, sign: &str| {
            format!(
                "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>\
                 <EndToEndId>{order}</EndToEndId></Ntry>"
            )
        };
        let head = "<Bal><Amt Ccy=\"EUR\">9.99</Amt></Bal>";
        let all = [
            entry("Pa", "12.34", "CRDT"),
            entry("S1", "0.04", "DBIT"),
            entry("Pa", "12.34", "CRDT"),
        ];
        let found = entries(&format!("{head}{}", all.concat())).unwrap();
        let said = Said([found, Vec::new(), Vec::new(), Vec::new()]);
        assert_eq!(said.moved(), [2_464, 0, 0, 0]);
        assert_eq!(said.twice(), ["Pa"]);
        for wrong in [entry("Pa", "x", "CRDT"), entry("Pa", "1", "BOTH")] {
            assert_eq!(entries(&wrong), None);
        }
    }
}
