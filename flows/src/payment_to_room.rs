//! Pay → talk: a payment in a conversation is shown there, if payer and payee are in the room by then.

use bongsu_base::{RoomId, UserId};
use bongsu_ledger::Money;
use bongsu_pay::PaymentId;
use bongsu_talk::Command;
use bongsu_talk::command::ShowPayment;
use serde_json::json;

/// What was paid.
pub struct Paid {
    pub room: RoomId,
    pub payment: PaymentId,
    pub payer: UserId,
    pub payee: UserId,
    pub money: Money,
    pub note: String,
}

pub fn command(paid: Paid) -> Command {
    let content = json!({
        "amount": paid.money.amount.minor(),
        "body": body(&paid),
        "currency": paid.money.currency.code(),
        "note": paid.note,
        "payee": paid.payee.as_str(),
        "payment": paid.payment.to_string(),
    });
    Command::ShowPayment(ShowPayment {
        room: paid.room,
        payer: paid.payer,
        payee: paid.payee,
        content: content.to_string(),
    })
}

/// For clients that do not know the event.
fn body(paid: &Paid) -> String {
    let Money { amount, currency } = paid.money;
    let minor = amount.minor();
    let width = usize::from(currency.exponent());
    let digits = format!("{minor:0>least$}", least = width + 1);
    let (whole, part) = digits.split_at(digits.len() - width);
    let point = if part.is_empty() { "" } else { "." };
    format!(
        "{} {whole}{point}{part} → {}",
        currency.code(),
        paid.payee.as_str()
    )
}
