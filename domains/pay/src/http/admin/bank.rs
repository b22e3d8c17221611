//! What the bank said of an order, told by an operator who has it from the bank.

use super::Api;
use crate::command::{BankSaid, Command, Ordered};
use crate::id::PaymentId;
use axum::extract::State;
use bongsu_web_kit::admin::{Body, Done, Operator, Problem, Refusals};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest text of a bank's, in bytes.
const MAX_TEXT: usize = 140;

/// What the bank said. Of an order of which it said something already, this changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The top-up or withdrawal.
    #[serde(default)]
    pub payment: Option<String>,
    /// Or the number of the settlement.
    #[serde(default)]
    pub settlement: Option<i64>,
    /// The bank's name for what it did; where it did it.
    #[serde(default)]
    pub reference: Option<String>,
    /// Why not, where it refused.
    #[serde(default)]
    pub refused: Option<String>,
}

/// Tell what the bank said of an order.
#[utoipa::path(post, path = "/admin/v1/pay/bank-said", tag = "administration: pay",
    request_body = Said, responses((status = 200, body = Done), Refusals))]
pub async fn said(
    State(api): State<Api>,
    operator: Operator,
    Body(asked): Body<Said>,
) -> Result<Done, Problem> {
    let order = match (asked.payment, asked.settlement) {
        (Some(payment), None) => {
            let id = payment.parse::<PaymentId>();
            Ordered::Payment(id.map_err(|_| Problem::not_found("there is no such payment"))?)
        }
        (None, Some(n)) => Ordered::Settlement(n),
        _ => {
            return Err(Problem::bad_request(
                "it is about a payment, or about a settlement",
            ));
        }
    };
    let said = match (asked.reference, asked.refused) {
        (Some(reference), None) => BankSaid::Done { reference },
        (None, Some(reason)) => BankSaid::Refused { reason },
        _ => {
            return Err(Problem::bad_request(
                "the bank gave a reference, or refused",
            ));
        }
    };
    let (BankSaid::Done { reference: text } | BankSaid::Refused { reason: text }) = &said;
    if text.len() > MAX_TEXT {
        let detail = format!("what a bank says has at most {MAX_TEXT} bytes");
        return Err(Problem::bad_request(detail));
    }
    let command = Command::BankSaid { order, said };
    api.operate(operator.actor(), command).await?;
    Ok(Done::default())
}
