//! What is answered, as it stands in JSON.

use super::bills::BillBody;
use super::disputes::DisputeBody;
use super::subscriptions::SubscriptionBody;
use crate::answer::{About, Answer, Kind, Payment, State, Telling, Wallet};
use crate::query::{Delivery, Settlement};
use crate::subscription::Subscription;
use bongsu_ledger::{Line, Side};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A wallet. Amounts are minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct WalletBody {
    /// Its currency (ISO 4217).
    pub currency: String,
    /// What is in it, with what is held.
    pub balance: i64,
    /// What is held.
    pub held: i64,
    /// What can be spent.
    pub available: i64,
    /// How well its owner is known, 0 to 3.
    pub level: u8,
    /// Whether it is frozen.
    pub frozen: bool,
    /// The most that may be paid at once.
    pub limit_per_payment: i64,
    /// The most that may be paid in a day in Korea.
    pub limit_per_day: i64,
    /// The most that may be paid in a month in Korea.
    pub limit_per_month: i64,
    /// What was paid today.
    pub used_today: i64,
    /// What was paid this month.
    pub used_this_month: i64,
}

impl From<&Wallet> for WalletBody {
    fn from(wallet: &Wallet) -> Self {
        Self {
            currency: wallet.currency.to_string(),
            balance: wallet.balance,
            held: wallet.held,
            available: wallet.balance - wallet.held,
            level: wallet.level,
            frozen: wallet.frozen,
            limit_per_payment: wallet.limits.payment,
            limit_per_day: wallet.limits.day,
            limit_per_month: wallet.limits.month,
            used_today: wallet.day_used,
            used_this_month: wallet.month_used,
        }
    }
}

/// A payment. Amounts are minor units, times milliseconds since 1970.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentBody {
    /// Its id.
    pub id: String,
    /// What it is: `top_up`, `withdrawal`, `transfer`, `link` or `purchase`.
    pub kind: &'static str,
    /// How far it is: `at_bank`, `ready`, `held`, `paid`, `declined`, `canceled`, `expired`, or `review` while an
    /// operator looks at it.
    pub state: &'static str,
    /// Who pays, once that is known: a user id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub payer: String,
    /// Who is paid, once that is known: a user id or a merchant's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub payee: String,
    /// How much.
    pub amount: i64,
    /// Of what.
    pub currency: String,
    /// What it costs the merchant, without what was given back of it with a part of the amount.
    pub fee: i64,
    /// How much was given back.
    pub refunded: i64,
    /// What for: a note, the merchant's number of the order, or what the bank said.
    pub note: String,
    /// When it began.
    pub made_ms: i64,
    /// When it last changed.
    pub changed_ms: i64,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    /// Where the payer lets it be: for the app, or as what stands in a QR code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approve_url: Option<String>,
    /// What stands in the QR code of a payment that waits for its payer, by EMVCo's Merchant-Presented Mode; in what its
    /// merchant is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr: Option<String>,
    /// The code of a link, for whoever made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the payer consents to by approving it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Box<SubscriptionBody>>,
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::TopUp => "top_up",
        Kind::Withdrawal => "withdrawal",
        Kind::Transfer => "transfer",
        Kind::Link => "link",
        Kind::Purchase => "purchase",
    }
}

const fn state(state: State) -> &'static str {
    match state {
        State::AtBank => "at_bank",
        State::Ready => "ready",
        State::Held => "held",
        State::Paid => "paid",
        State::Declined => "declined",
        State::Canceled => "canceled",
        State::Expired => "expired",
        State::Review => "review",
    }
}

impl From<&Payment> for PaymentBody {
    fn from(payment: &Payment) -> Self {
        let asks = (payment.kind, payment.state) == (Kind::Purchase, State::Ready);
        Self {
            id: payment.id.to_string(),
            kind: kind(payment.kind),
            state: state(payment.state),
            payer: payment.payer.clone(),
            payee: payment.payee.clone(),
            amount: payment.amount,
            currency: payment.currency.to_string(),
            fee: payment.fee - payment.fee_back,
            refunded: payment.refunded,
            note: payment.note.clone(),
            made_ms: payment.made.0,
            changed_ms: payment.changed.0,
            expires_ms: payment.expires.map(|at| at.0),
            approve_url: asks.then(|| format!("bongsu://pay/approvals/{}", payment.id)),
            qr: None,
            code: None,
            subscription: None,
        }
    }
}

impl PaymentBody {
    /// A payment, and what the payer consents to by approving it.
    pub fn with(payment: &Payment, consent: Option<&Subscription>) -> Self {
        let subscription = consent.map(|found| Box::new(found.into()));
        Self {
            subscription,
            ..payment.into()
        }
    }
}

/// The bank account of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct BankAccountBody {
    /// Its number.
    pub account: String,
}

/// A code to show at a till.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeBody {
    /// The code, to be shown as it is or in a QR code.
    pub code: String,
    /// Until when it is good, in milliseconds since 1970.
    pub until_ms: i64,
}

/// Where a merchant is told what happens.
#[derive(Serialize, ToSchema)]
pub struct WebhookBody {
    /// The address.
    pub url: String,
    /// What signs what is told there, `whsec_…`; in the answer to what made it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl std::fmt::Debug for WebhookBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookBody")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What a merchant is told once more.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldAgainBody {
    /// The event's id.
    pub event: String,
}

/// What a merchant's address is sent, with the headers of Standard Webhooks.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventBody {
    /// The event's id, the same each time; it is in the header `webhook-id`, too.
    pub id: String,
    /// What happened: `payment.approved` by the payer, `payment.in_review` by the operator, `payment.paid`, `payment.declined`, `payment.expired`,
    /// `payment.canceled`, `payment.partially_canceled`, `settlement.paid`, `settlement.refused`,
    /// `subscription.consented` by the payer, `subscription.charged`, `subscription.revoked`, `subscription.ended`,
    /// `dispute.opened`, `dispute.answered`, `dispute.refunded` or `dispute.rejected`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// The payment, settlement, subscription or dispute as it was then.
    pub data: EventData,
}

/// What an event is of.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum EventData {
    /// A payment.
    Payment(Box<PaymentBody>),
    /// A settlement.
    Settlement(SettlementBody),
    /// A subscription.
    Subscription(Box<SubscriptionBody>),
    /// A dispute.
    Dispute(Box<DisputeBody>),
}

impl From<&Delivery> for EventBody {
    fn from(delivery: &Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            kind: delivery.about.kind(),
            time_ms: delivery.made.0,
            data: match &delivery.about {
                About::Payment(payment) => EventData::Payment(Box::new(payment.into())),
                About::Settlement(settlement) => EventData::Settlement(settlement.into()),
                About::Subscription(found) => EventData::Subscription(Box::new(found.into())),
                About::Dispute(found) => EventData::Dispute(Box::new(found.into())),
            },
        }
    }
}

/// Something that a merchant was told, or is to be.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryBody {
    /// The event's id.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// How far it is: `waiting`, `delivered`, `given_up`, or `stopped` when the address was removed.
    pub state: &'static str,
    /// How often it was sent.
    pub attempts: u32,
    /// What the last attempt was answered; missing where there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// When it is sent next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<i64>,
}

impl From<&Delivery> for DeliveryBody {
    fn from(delivery: &Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            kind: delivery.about.kind(),
            time_ms: delivery.made.0,
            state: match delivery.state {
                Telling::Waiting => "waiting",
                Telling::Delivered => "delivered",
                Telling::GivenUp => "given_up",
                Telling::Stopped => "stopped",
            },
            attempts: delivery.attempts,
            last_status: delivery.status,
            next_ms: delivery.next.map(|at| at.0),
        }
    }
}

/// Nothing: in a request nothing but the wish, in an answer nothing but that it was done.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// What a request was answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AnswerBody {
    /// A wallet.
    Wallet(WalletBody),
    /// A bank account.
    BankAccount(BankAccountBody),
    /// A payment.
    Payment(Box<PaymentBody>),
    /// A code.
    Code(CodeBody),
    /// Where a merchant is told what happens.
    Webhook(WebhookBody),
    /// What a merchant is told once more.
    ToldAgain(ToldAgainBody),
    /// A bill.
    Bill(Box<BillBody>),
    /// A subscription.
    Subscription(Box<SubscriptionBody>),
    /// A dispute.
    Dispute(Box<DisputeBody>),
    /// Nothing but that it was done.
    Nothing(Nothing),
}

impl From<&Answer> for AnswerBody {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Wallet(wallet) => Self::Wallet(wallet.into()),
            Answer::BankAccount(account) => Self::BankAccount(BankAccountBody {
                account: account.clone(),
            }),
            Answer::Payment(payment) => Self::Payment(Box::new(payment.into())),
            Answer::Code(until) => Self::Code(CodeBody {
                code: String::new(),
                until_ms: until.0,
            }),
            Answer::Webhook { url, .. } => Self::Webhook(WebhookBody {
                url: url.clone(),
                secret: None,
            }),
            Answer::ToldAgain(event) => Self::ToldAgain(ToldAgainBody {
                event: event.to_string(),
            }),
            Answer::WebhookRemoved => Self::Nothing(Nothing {}),
            Answer::Bill(bill) => Self::Bill(Box::new(bill.into())),
            Answer::Prepared {
                payment,
                subscription,
            } => Self::Payment(Box::new(PaymentBody::with(
                payment,
                Some(subscription.as_ref()),
            ))),
            Answer::Subscription(found) => Self::Subscription(Box::new((&**found).into())),
            Answer::Dispute(found) => Self::Dispute(Box::new(found.into())),
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageBody<T> {
    /// What is on it, newest first.
    pub items: Vec<T>,
    /// The cursor of the next page; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

impl<T> PageBody<T> {
    /// A page of at most `limit` of what was `found`, of which one more was asked for. `shown` gives where each stands
    /// and how it is shown.
    pub fn of<F>(found: &[F], limit: usize, shown: impl Fn(&F) -> (i64, T)) -> Self {
        let more = found.len() > limit;
        let (places, items): (Vec<i64>, Vec<T>) = found.iter().take(limit).map(shown).unzip();
        let next = places.last().copied().filter(|_| more);
        Self { items, next }
    }
}

/// A line of a statement. Amounts are minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineBody {
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// By how much the balance changed; 0 where money was held or given free.
    pub change: i64,
    /// How much was moved, held or given free.
    pub amount: i64,
    /// What happened: `transfer`, `hold`, `settle`, `void`, `expire` or `reverse`.
    pub what: &'static str,
    /// The balance after it.
    pub balance: i64,
    /// What is held after it.
    pub held: i64,
    /// The payment that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// Who was on the other side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl LineBody {
    /// The line of whoever is called `own`, about `payment`.
    pub fn of(line: &Line, payment: Option<&Payment>, own: &str) -> Self {
        use bongsu_ledger::Kind;
        let amount = line.transfer.amount.minor();
        let (what, moves) = match line.transfer.kind {
            Kind::Transfer => ("transfer", true),
            Kind::Hold => ("hold", false),
            Kind::Settle => ("settle", true),
            Kind::Void => ("void", false),
            Kind::Expire => ("expire", false),
            Kind::Reverse => ("reverse", true),
        };
        let sign = if line.side == Side::Debit { -1 } else { 1 };
        let other = payment.map(|payment| {
            let other = if payment.payer == own {
                &payment.payee
            } else {
                &payment.payer
            };
            other.clone()
        });
        Self {
            time_ms: line.transfer.time.0,
            change: if moves { sign * amount } else { 0 },
            amount,
            what,
            balance: line.balance.credits_posted - line.balance.debits_posted,
            held: line.balance.debits_pending,
            payment: payment.map(|payment| payment.id.to_string()),
            other: other.filter(|other| !other.is_empty()),
            note: payment.map(|payment| payment.note.clone()),
        }
    }
}

/// What was paid to a merchant's bank.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettlementBody {
    /// Its number.
    pub n: i64,
    /// How much, in minor units.
    pub amount: i64,
    /// Of what.
    pub currency: String,
    /// How far it is: `at_bank`, `paid` or `refused`.
    pub state: &'static str,
    /// When it began, in milliseconds since 1970.
    pub made_ms: i64,
}

impl From<&Settlement> for SettlementBody {
    fn from(found: &Settlement) -> Self {
        Self {
            n: found.n,
            amount: found.amount,
            currency: found.currency.clone(),
            state: match found.state {
                1 => "at_bank",
                2 => "paid",
                _ => "refused",
            },
            made_ms: found.made.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_one_begins_if_there_is_one() {
        for (found, items, next) in [
            (&[5, 4, 3][..], vec![5, 4], Some(4)),
            (&[5, 4], vec![5, 4], None),
            (&[], vec![], None),
        ] {
            let page = PageBody::of(found, 2, |n: &i64| (*n, *n));
            assert_eq!((page.items, page.next), (items, next));
        }
    }
}
