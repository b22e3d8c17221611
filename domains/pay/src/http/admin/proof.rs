//! The proof that the books are in order.

use super::Api;
use crate::query;
use axum::Json;
use axum::extract::State;
use bongsu_web_kit::admin::{Problem, Refusals};
use data_encoding::HEXLOWER;
use serde::Serialize;
use utoipa::ToSchema;

/// Whether the books are in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofBody {
    /// Whether debits equal credits in every ledger, and all that is kept follows from the history.
    pub sound: bool,
    /// What is broken first, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// How many lines the history has.
    pub transfers: i64,
    /// Each ledger.
    pub ledgers: Vec<LedgerBody>,
}

/// A ledger. Sums are minor units, as text since they may be larger than JSON's exact numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerBody {
    /// Its currency.
    pub currency: String,
    /// How many lines its history has.
    pub transfers: i64,
    /// All that was debited.
    pub debits: String,
    /// All that was credited.
    pub credits: String,
    /// All that is held to be debited.
    pub held_debits: String,
    /// All that is held to be credited.
    pub held_credits: String,
    /// What people and merchants have together, which is what the bank holds for them.
    pub at_bank: String,
    /// The hash over the history, in hexadecimal.
    pub link: String,
}

/// Read the whole history and tell whether the books follow from it.
#[utoipa::path(get, path = "/admin/v1/pay/proof", tag = "administration: pay",
    responses((status = 200, body = ProofBody), Refusals))]
pub async fn proof(State(api): State<Api>) -> Result<Json<ProofBody>, Problem> {
    let look = api.lane.read_long(|view| {
        let checked = bongsu_ledger::check(view.db())?;
        Ok((checked, query::ledgers(view)?))
    });
    let (checked, ledgers) = look.await?;
    let balanced = ledgers.iter().all(|(ledger, _)| ledger.proof.balances());
    let ledgers = ledgers.iter().map(|(ledger, bank)| LedgerBody {
        currency: ledger.currency.to_string(),
        transfers: ledger.transfers,
        debits: ledger.proof.debits_posted.to_string(),
        credits: ledger.proof.credits_posted.to_string(),
        held_debits: ledger.proof.debits_pending.to_string(),
        held_credits: ledger.proof.credits_pending.to_string(),
        at_bank: (bank.debits_posted - bank.credits_posted).to_string(),
        link: HEXLOWER.encode(&ledger.link),
    });
    Ok(Json(ProofBody {
        sound: checked.is_ok() && balanced,
        broken: checked.err().map(|broken| broken.to_string()),
        transfers: checked.unwrap_or(0),
        ledgers: ledgers.collect(),
    }))
}
