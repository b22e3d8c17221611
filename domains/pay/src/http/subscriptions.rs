//! What people let merchants charge again and again.

use super::Api;
use super::amount::Asking;
use super::ask::Said;
use super::gate::{Asked, Key, Named, Paged, Paging, Payer, Reader, Shop};
use super::people::text;
use super::problem::{Problem, Refusals};
use super::wire::{Nothing, PageBody, PaymentBody};
use crate::answer::{Answer, Refused};
use crate::command::Verb;
use crate::id::SubscriptionId;
use crate::query;
use crate::subscription::{Period, Subscription, SubscriptionState};
use axum::Json;
use axum::extract::State;
use bongsu_base::LogTime;
use bongsu_ledger::Amount;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How often a merchant may charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// Once in 24 hours.
    Day,
    /// Once in seven days.
    Week,
    /// Once in a month of Korea's calendar.
    Month,
}

impl From<Period> for Every {
    fn from(period: Period) -> Self {
        match period {
            Period::Day => Self::Day,
            Period::Week => Self::Week,
            Period::Month => Self::Month,
        }
    }
}

/// What the payer is asked to consent to, beyond the payment of the first period.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recurring {
    /// The most that may be charged at once.
    max_amount: Asking,
    /// How often, counted from when the payer consents.
    period: Every,
    /// Until when, in milliseconds since 1970; at most ten years from now.
    #[schema(minimum = 1)]
    until_ms: i64,
}

impl Recurring {
    /// How much, how often, until when.
    pub(super) fn read(&self) -> Result<(Amount, Period, LogTime), Problem> {
        let period = match self.period {
            Every::Day => Period::Day,
            Every::Week => Period::Week,
            Every::Month => Period::Month,
        };
        let amount = self.max_amount.amount()?;
        Ok((amount, period, LogTime(self.until_ms)))
    }
}

/// A charge within a consent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeSubscription {
    /// How much.
    amount: Asking,
    /// Of what; KRW where nobody says.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// The merchant's own number of the order.
    #[serde(default)]
    #[schema(max_length = 200)]
    order: String,
}

/// What a person lets a merchant charge. Amounts are minor units, times milliseconds since 1970.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionBody {
    /// Its id.
    pub id: String,
    /// How far it is: `ready` until the payer consents, `active`, `revoked` by the payer, or `ended`.
    pub state: &'static str,
    /// Who charges.
    pub merchant: String,
    /// Who is charged, once they have consented: a user id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub payer: String,
    /// The payment with which the payer consents, which is that of the first period.
    pub payment: String,
    /// The most that may be charged at once.
    pub max_amount: i64,
    /// Of what.
    pub currency: String,
    /// In what at most one charge is made.
    pub period: Every,
    /// Until when.
    pub until_ms: i64,
    /// What for: the merchant's number of the order.
    pub order: String,
    /// When it was prepared.
    pub made_ms: i64,
    /// When it last changed.
    pub changed_ms: i64,
    /// How often it was charged after the first period.
    pub charges: i64,
    /// The payment of the last charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_payment: Option<String>,
}

impl From<&Subscription> for SubscriptionBody {
    fn from(found: &Subscription) -> Self {
        Self {
            id: found.id.to_string(),
            state: match found.state {
                SubscriptionState::Ready => "ready",
                SubscriptionState::Active => "active",
                SubscriptionState::Revoked => "revoked",
                SubscriptionState::Ended => "ended",
            },
            merchant: found.merchant.clone(),
            payer: found.payer.clone(),
            payment: found.payment.to_string(),
            max_amount: found.max,
            currency: found.currency.to_string(),
            period: found.period.into(),
            until_ms: found.until.0,
            order: found.note.clone(),
            made_ms: found.made.0,
            changed_ms: found.changed.0,
            charges: found.charges,
            last_payment: found.last.map(|id| id.to_string()),
        }
    }
}

/// The subscription that a path names.
fn id(name: &str) -> Result<SubscriptionId, Problem> {
    name.parse().map_err(|_| Refused::NoSuchSubscription.into())
}

impl Api {
    async fn subscription(
        &self,
        who: impl Into<super::ask::Who>,
        key: Key,
        verb: Verb,
    ) -> Said<SubscriptionBody> {
        match self.ask(who, key, verb).await? {
            Answer::Subscription(found) => Ok(Json((&*found).into())),
            other => Err(Problem::internal(format!(
                "no subscription was answered: {other:?}"
            ))),
        }
    }

    async fn look_at_subscription(&self, who: &str, name: &str) -> Said<SubscriptionBody> {
        let id = id(name)?;
        let look = self.lane.read(|view| query::subscription(view, who, id));
        let found = look.await?.ok_or(Refused::NoSuchSubscription)?;
        Ok(Json((&found).into()))
    }

    async fn list_subscriptions(
        &self,
        who: (&str, bool),
        paged: &Paged,
    ) -> Said<PageBody<SubscriptionBody>> {
        let before = paged.cursor.unwrap_or(i64::MAX);
        let look = self
            .lane
            .read(|view| query::subscriptions(view, who, before, paged.limit + 1));
        let found = look.await?;
        let shown = |(n, found): &(i64, Subscription)| (*n, found.into());
        Ok(Json(PageBody::of(&found, paged.limit, shown)))
    }
}

/// What you let merchants charge, newest first.
#[utoipa::path(get, path = "/pay/v1/subscriptions", tag = "pay: subscriptions", security(("person" = [])),
    params(Paging), responses((status = 200, body = PageBody<SubscriptionBody>), Refusals))]
pub async fn list(
    State(api): State<Api>,
    Reader(user): Reader,
    paged: Paged,
) -> Said<PageBody<SubscriptionBody>> {
    api.list_subscriptions((user.as_str(), false), &paged).await
}

/// Something that you let a merchant charge.
#[utoipa::path(get, path = "/pay/v1/subscriptions/{subscription}", tag = "pay: subscriptions", security(("person" = [])),
    params(("subscription" = String, Path)), responses((status = 200, body = SubscriptionBody), Refusals))]
pub async fn show(
    State(api): State<Api>,
    Reader(user): Reader,
    Named(name): Named,
) -> Said<SubscriptionBody> {
    api.look_at_subscription(user.as_str(), &name).await
}

/// Let a merchant charge you no longer.
#[utoipa::path(post, path = "/pay/v1/subscriptions/{subscription}/revoke", tag = "pay: subscriptions",
    security(("person" = [])), params(("subscription" = String, Path), Key),
    responses((status = 200, body = SubscriptionBody), Refusals))]
pub async fn revoke(
    State(api): State<Api>,
    payer: Payer,
    key: Key,
    Named(name): Named,
) -> Said<SubscriptionBody> {
    let verb = Verb::Revoke(id(&name)?);
    api.subscription(payer, key, verb).await
}

/// What people let you charge, newest first, and what you have prepared.
#[utoipa::path(get, path = "/pay/v1/merchant/subscriptions", tag = "pay: merchants", security(("merchant" = [])),
    params(Paging), responses((status = 200, body = PageBody<SubscriptionBody>), Refusals))]
pub async fn of_shop(
    State(api): State<Api>,
    shop: Shop,
    paged: Paged,
) -> Said<PageBody<SubscriptionBody>> {
    api.list_subscriptions((shop.id.as_str(), true), &paged)
        .await
}

/// Something that a person lets you charge.
#[utoipa::path(get, path = "/pay/v1/merchant/subscriptions/{subscription}", tag = "pay: merchants",
    security(("merchant" = [])), params(("subscription" = String, Path)),
    responses((status = 200, body = SubscriptionBody), Refusals))]
pub async fn show_shop(
    State(api): State<Api>,
    shop: Shop,
    Named(name): Named,
) -> Said<SubscriptionBody> {
    api.look_at_subscription(shop.id.as_str(), &name).await
}

/// Charge whoever consented: the money moves now.
#[utoipa::path(post, path = "/pay/v1/merchant/subscriptions/{subscription}/charge", tag = "pay: merchants",
    security(("merchant" = [])), params(("subscription" = String, Path), Key),
    request_body = ChargeSubscription, responses((status = 200, body = PaymentBody), Refusals))]
pub async fn charge(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Named(name): Named,
    Asked(asked): Asked<ChargeSubscription>,
) -> Said<PaymentBody> {
    let money = asked.amount.money(asked.currency.as_ref())?;
    let (id, order) = (id(&name)?, text("order", asked.order)?);
    let verb = Verb::ChargeSubscription { id, money, order };
    api.pay(shop, key, verb).await
}

/// Charge no longer.
#[utoipa::path(post, path = "/pay/v1/merchant/subscriptions/{subscription}/end", tag = "pay: merchants",
    security(("merchant" = [])), params(("subscription" = String, Path), Key),
    request_body = Nothing, responses((status = 200, body = SubscriptionBody), Refusals))]
pub async fn end(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Named(name): Named,
    Asked(Nothing {}): Asked<Nothing>,
) -> Said<SubscriptionBody> {
    let verb = Verb::EndSubscription(id(&name)?);
    api.subscription(shop, key, verb).await
}
