//! Purchases that payers dispute.

use super::Api;
use super::ask::{Said, Who};
use super::gate::{Asked, Key, Named, Paged, Paging, Payer, Reader, Shop};
use super::people::{id, text};
use super::problem::{Problem, Refusals};
use super::wire::PageBody;
use crate::answer::Answer;
use crate::command::Verb;
use crate::dispute::{Dispute, DisputeState};
use crate::query::{self, Whose};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a payment is disputed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenDispute {
    /// In your words.
    #[schema(max_length = 200)]
    reason: String,
}

/// What a merchant says of a dispute.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerDispute {
    /// In your words.
    #[schema(max_length = 200)]
    answer: String,
}

/// A dispute. Amounts are minor units, times milliseconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DisputeBody {
    /// The payment that is disputed.
    pub payment: String,
    /// Who was paid.
    pub merchant: String,
    /// Who paid: a user id.
    pub payer: String,
    /// How much was not given back when it began.
    pub amount: i64,
    /// Of what.
    pub currency: String,
    /// How far it is: `open`, `answered` by the merchant, `refunded`, or `rejected`.
    pub state: String,
    /// Why.
    pub reason: String,
    /// What the merchant says.
    pub answer: String,
    /// When it began.
    pub made_ms: i64,
    /// When it last changed.
    pub changed_ms: i64,
}

impl From<&Dispute> for DisputeBody {
    fn from(found: &Dispute) -> Self {
        let state = match found.state {
            DisputeState::Open => "open",
            DisputeState::Answered => "answered",
            DisputeState::Refunded => "refunded",
            DisputeState::Rejected => "rejected",
        };
        Self {
            payment: found.payment.to_string(),
            merchant: found.merchant.clone(),
            payer: found.payer.clone(),
            amount: found.amount,
            currency: found.currency.to_string(),
            state: state.to_owned(),
            reason: found.reason.clone(),
            answer: found.answer.clone(),
            made_ms: found.made.0,
            changed_ms: found.changed.0,
        }
    }
}

impl Api {
    async fn dispute(&self, who: impl Into<Who>, key: Key, verb: Verb) -> Said<DisputeBody> {
        match self.ask(who, key, verb).await? {
            Answer::Dispute(found) => Ok(Json((&found).into())),
            other => Err(Problem::internal(format!(
                "no dispute was answered: {other:?}"
            ))),
        }
    }

    async fn list_disputes(&self, whose: Whose<'_>, paged: &Paged) -> Said<PageBody<DisputeBody>> {
        let before = paged.cursor.unwrap_or(i64::MAX);
        let look = self
            .lane
            .read(|view| query::disputes(view, whose, before, paged.limit + 1));
        let found = look.await?;
        let shown = |(n, found): &(i64, Dispute)| (*n, found.into());
        Ok(Json(PageBody::of(&found, paged.limit, shown)))
    }
}

/// Say that what you paid a merchant for was not what it should have been, within 90 days.
#[utoipa::path(post, path = "/pay/v1/payments/{payment}/dispute", tag = "pay: disputes", security(("person" = [])),
    params(("payment" = String, Path), Key), request_body = OpenDispute,
    responses((status = 200, body = DisputeBody), Refusals))]
pub async fn open(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(name): Named,
    Asked(asked): Asked<OpenDispute>,
) -> Said<DisputeBody> {
    let (payment, reason) = (id(&name)?, text("reason", asked.reason)?);
    api.dispute(payer, key, Verb::Dispute { payment, reason })
        .await
}

/// Your disputes, newest first.
#[utoipa::path(get, path = "/pay/v1/disputes", tag = "pay: disputes", security(("person" = [])),
    params(Paging), responses((status = 200, body = PageBody<DisputeBody>), Refusals))]
pub async fn list(
    State(api): State<Api>,
    Reader(user): Reader,
    paged: Paged,
) -> Said<PageBody<DisputeBody>> {
    api.list_disputes(Whose::Payer(user.as_str()), &paged).await
}

/// Disputes with you, newest first.
#[utoipa::path(get, path = "/pay/v1/merchant/disputes", tag = "pay: merchants", security(("merchant" = [])),
    params(Paging), responses((status = 200, body = PageBody<DisputeBody>), Refusals))]
pub async fn of_shop(
    State(api): State<Api>,
    shop: Shop,
    paged: Paged,
) -> Said<PageBody<DisputeBody>> {
    api.list_disputes(Whose::Merchant(shop.id.as_str()), &paged)
        .await
}

/// Say what you have to say of a dispute, once. An operator decides.
#[utoipa::path(post, path = "/pay/v1/merchant/disputes/{payment}/answer", tag = "pay: merchants",
    security(("merchant" = [])), params(("payment" = String, Path), Key),
    request_body = AnswerDispute, responses((status = 200, body = DisputeBody), Refusals))]
pub async fn answer(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Named(name): Named,
    Asked(asked): Asked<AnswerDispute>,
) -> Said<DisputeBody> {
    let (payment, answer) = (id(&name)?, text("answer", asked.answer)?);
    api.dispute(shop, key, Verb::AnswerDispute { payment, answer })
        .await
}
