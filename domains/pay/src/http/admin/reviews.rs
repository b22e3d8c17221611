//! Rules about which payments are looked at, and those that wait for it.

use super::Api;
use crate::answer::Refused;
use crate::command::{Act, Rejected};
use crate::http::wire::PaymentBody;
use crate::id::PaymentId;
use crate::query;
use crate::rule::{Rule, RuleKind};
use axum::Json;
use axum::extract::{Path, Query, State};
use bongsu_base::Millis;
use bongsu_ledger::Currency;
use bongsu_web_kit::admin::{
    Acting, Body, Done, Operator, Page, PageQuery, Problem, Reason, Refusals,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Looks {
    /// The amount.
    Amount,
    /// How often the payer pays.
    Count,
    /// The amount, where the payer never paid the payee before.
    NewPayee,
}

impl From<RuleKind> for Looks {
    fn from(kind: RuleKind) -> Self {
        match kind {
            RuleKind::Amount => Self::Amount,
            RuleKind::Count => Self::Count,
            RuleKind::NewPayee => Self::NewPayee,
        }
    }
}

impl From<Looks> for RuleKind {
    fn from(looks: Looks) -> Self {
        match looks {
            Looks::Amount => Self::Amount,
            Looks::Count => Self::Count,
            Looks::NewPayee => Self::NewPayee,
        }
    }
}

/// A rule about which payments are looked at.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RuleBody {
    /// What it looks at.
    pub rule: Looks,
    /// In which currency.
    pub currency: String,
    /// From which amount on, in minor units; more than how many payments, for `count`.
    pub at: i64,
    /// In how many minutes, for `count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_minutes: Option<i64>,
}

/// A rule to put into force.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRule {
    /// What it looks at.
    pub rule: Looks,
    /// In which currency; KRW where nobody says.
    #[serde(default)]
    pub currency: Option<String>,
    /// From which amount on, in minor units; more than how many payments, for `count`.
    pub at: i64,
    /// In how many minutes, for `count`.
    #[serde(default)]
    pub within_minutes: Option<u32>,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A rule to take out of force.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveRule {
    /// What it looks at.
    pub rule: Looks,
    /// In which currency; KRW where nobody says.
    #[serde(default)]
    pub currency: Option<String>,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A payment that waits for an operator.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewBody {
    /// By which rule.
    pub rule: Looks,
    /// The payment.
    #[serde(flatten)]
    pub payment: PaymentBody,
}

impl Reason for SetRule {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

impl Reason for RemoveRule {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

fn currency(code: Option<&str>) -> Result<Currency, Problem> {
    let found = code.map_or(Ok(Currency::KRW), str::parse);
    found.map_err(|_| Problem::bad_request("a currency is three capital letters of ISO 4217"))
}

impl SetRule {
    fn meant(&self) -> Result<Rule, Problem> {
        match (self.rule, self.within_minutes) {
            (Looks::Amount, None) => Ok(Rule::Amount(self.at)),
            (Looks::NewPayee, None) => Ok(Rule::NewPayee(self.at)),
            (Looks::Count, Some(minutes)) => {
                let out_of_range = |_| Problem::from(Rejected::Refused(Refused::OutOfRange));
                Ok(Rule::Count {
                    most: u32::try_from(self.at).map_err(out_of_range)?,
                    within: Millis::minutes(minutes.into()),
                })
            }
            _ => Err(Problem::bad_request(
                "`within_minutes` is of `count`, and of nothing else",
            )),
        }
    }
}

/// List the rules about which payments are looked at.
#[utoipa::path(get, path = "/admin/v1/pay/rules", tag = "administration: pay",
    responses((status = 200, body = Page<RuleBody>), Refusals))]
pub async fn rules(State(api): State<Api>) -> Result<Json<Page<RuleBody>>, Problem> {
    let found = api.lane.read(query::rules).await?;
    let shown = found.iter().map(|(currency, rule)| {
        let (at, within_minutes) = match *rule {
            Rule::Amount(least) | Rule::NewPayee(least) => (least, None),
            Rule::Count { most, within } => (most.into(), Some(within.0 / 60_000)),
        };
        RuleBody {
            rule: rule.kind().into(),
            currency: currency.to_string(),
            at,
            within_minutes,
        }
    });
    let all: Vec<RuleBody> = shown.collect();
    let count = all.len();
    Ok(Json(Page::of(all, count, |_| String::new())))
}

/// Put a rule into force, in the place of the one of its kind.
#[utoipa::path(post, path = "/admin/v1/pay/rules", tag = "administration: pay",
    request_body = SetRule, responses((status = 200, body = Done), Refusals))]
pub async fn set_rule(
    State(api): State<Api>,
    operator: Operator,
    Body(asked): Body<SetRule>,
) -> Result<Done, Problem> {
    let rule = asked.meant()?;
    let currency = currency(asked.currency.as_deref())?;
    let act = Act::SetRule { currency, rule };
    api.administer(operator, asked.kept_reason()?, act).await
}

/// Take a rule out of force. What waits by it goes on waiting.
#[utoipa::path(post, path = "/admin/v1/pay/rules/remove", tag = "administration: pay",
    request_body = RemoveRule, responses((status = 200, body = Done), Refusals))]
pub async fn remove_rule(
    State(api): State<Api>,
    operator: Operator,
    Body(asked): Body<RemoveRule>,
) -> Result<Done, Problem> {
    let (currency, kind) = (currency(asked.currency.as_deref())?, asked.rule.into());
    let act = Act::RemoveRule { currency, kind };
    api.administer(operator, asked.kept_reason()?, act).await
}

/// List the payments that wait for an operator, the oldest first.
#[utoipa::path(get, path = "/admin/v1/pay/reviews", tag = "administration: pay",
    params(PageQuery), responses((status = 200, body = Page<ReviewBody>), Refusals))]
pub async fn list(
    State(api): State<Api>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ReviewBody>>, Problem> {
    let limit = page.limit();
    let after = page.number()?.unwrap_or(0);
    let look = api.lane.read(|view| query::reviews(view, after, limit + 1));
    let found = look.await?;
    let page = Page::of(found, limit, |(n, ..)| n.to_string());
    Ok(Json(page.map(|(_, payment, rule)| ReviewBody {
        rule: rule.into(),
        payment: (&payment).into(),
    })))
}

async fn decide(
    api: &Api,
    (operator, name, asked): (Operator, String, Acting),
    release: bool,
) -> Result<Done, Problem> {
    let none = |_| Problem::from(Rejected::Refused(Refused::NotInReview));
    let payment: PaymentId = name.parse().map_err(none)?;
    let act = Act::Review { payment, release };
    api.administer(operator, asked.kept_reason()?, act).await
}

/// Let a payment go on.
#[utoipa::path(post, path = "/admin/v1/pay/reviews/{payment}/release", tag = "administration: pay",
    params(("payment" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn release(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    decide(&api, (operator, name, asked), true).await
}

/// Refuse a payment: the payer has the money back.
#[utoipa::path(post, path = "/admin/v1/pay/reviews/{payment}/refuse", tag = "administration: pay",
    params(("payment" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn refuse(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    decide(&api, (operator, name, asked), false).await
}
