//! People's wallets, as an operator sees and limits them.

use super::Api;
use crate::answer::Refused;
use crate::command::{Act, Limits, Rejected, TopUpLimits};
use crate::http::wire::WalletBody;
use crate::query;
use axum::Json;
use axum::extract::{Path, State};
use bongsu_base::UserId;
use bongsu_ledger::Currency;
use bongsu_web_kit::admin::{Acting, Body, Done, Operator, Problem, Reason, Refusals};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How well a person is known from now on.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLevel {
    /// 0 to 3.
    pub level: u8,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What people of a level may spend from now on, in minor units.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLimits {
    /// In which currency; KRW where nobody says.
    #[serde(default)]
    pub currency: Option<String>,
    /// Of which level, 0 to 3.
    pub level: u8,
    /// At once.
    pub payment: i64,
    /// In a day in Korea.
    pub day: i64,
    /// In a month in Korea.
    pub month: i64,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What people of a level may have the bank bring from now on, in minor units.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTopUpLimits {
    /// In which currency; KRW where nobody says.
    #[serde(default)]
    pub currency: Option<String>,
    /// Of which level, 0 to 3.
    pub level: u8,
    /// At once.
    pub top_up: i64,
    /// The most that a wallet may have when it has come.
    pub balance: i64,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A person's wallets.
#[derive(Debug, Serialize, ToSchema)]
pub struct WalletsBody {
    /// Whose.
    pub owner: String,
    /// One for each currency.
    pub wallets: Vec<WalletBody>,
}

impl Reason for SetLevel {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

impl Reason for SetLimits {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

impl Reason for SetTopUpLimits {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

fn in_currency(named: Option<&str>) -> Result<Currency, Problem> {
    let currency = named.map_or(Ok(Currency::KRW), str::parse);
    currency.map_err(|_| Problem::bad_request("a currency is three capital letters of ISO 4217"))
}

fn meant(name: &str) -> Result<UserId, Problem> {
    let wrong = |_| Problem::not_found(format!("`{name}` is no user id"));
    name.parse().map_err(wrong)
}

/// Show a person's wallets.
#[utoipa::path(get, path = "/admin/v1/pay/wallets/{owner}", tag = "administration: pay",
    params(("owner" = String, Path)), responses((status = 200, body = WalletsBody), Refusals))]
pub async fn show(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<WalletsBody>, Problem> {
    let (owner, now) = (meant(&name)?, api.clock.now());
    let look = api
        .lane
        .read(|view| query::wallets(view, owner.as_str(), now));
    let found = look.await?;
    if found.is_empty() {
        return Err(Rejected::Refused(Refused::NoWallet).into());
    }
    Ok(Json(WalletsBody {
        owner: name,
        wallets: found.iter().map(WalletBody::from).collect(),
    }))
}

async fn set_frozen(
    api: &Api,
    (operator, name, asked): (Operator, String, Acting),
    frozen: bool,
) -> Result<Done, Problem> {
    let owner = meant(&name)?;
    let act = Act::FreezeWallet { owner, frozen };
    api.administer(operator, asked.kept_reason()?, act).await
}

/// Freeze a person's wallets.
#[utoipa::path(post, path = "/admin/v1/pay/wallets/{owner}/freeze", tag = "administration: pay",
    params(("owner" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn freeze(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    set_frozen(&api, (operator, name, asked), true).await
}

/// Let a person's wallets be used again.
#[utoipa::path(post, path = "/admin/v1/pay/wallets/{owner}/unfreeze", tag = "administration: pay",
    params(("owner" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn unfreeze(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    set_frozen(&api, (operator, name, asked), false).await
}

/// Say how well a person is known.
#[utoipa::path(post, path = "/admin/v1/pay/wallets/{owner}/level", tag = "administration: pay",
    params(("owner" = String, Path)), request_body = SetLevel,
    responses((status = 200, body = Done), Refusals))]
pub async fn level(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<SetLevel>,
) -> Result<Done, Problem> {
    let (owner, level) = (meant(&name)?, asked.level);
    let act = Act::SetLevel { owner, level };
    api.administer(operator, asked.kept_reason()?, act).await
}

/// Set what people of a level may spend.
#[utoipa::path(post, path = "/admin/v1/pay/limits", tag = "administration: pay",
    request_body = SetLimits, responses((status = 200, body = Done), Refusals))]
pub async fn limits(
    State(api): State<Api>,
    operator: Operator,
    Body(asked): Body<SetLimits>,
) -> Result<Done, Problem> {
    let currency = in_currency(asked.currency.as_deref())?;
    let limits = Limits {
        payment: asked.payment,
        day: asked.day,
        month: asked.month,
    };
    let level = asked.level;
    let act = Act::SetLimits {
        currency,
        level,
        limits,
    };
    api.administer(operator, asked.kept_reason()?, act).await
}

/// Set what people of a level may have the bank bring.
#[utoipa::path(post, path = "/admin/v1/pay/top-up-limits", tag = "administration: pay",
    request_body = SetTopUpLimits, responses((status = 200, body = Done), Refusals))]
pub async fn top_up_limits(
    State(api): State<Api>,
    operator: Operator,
    Body(asked): Body<SetTopUpLimits>,
) -> Result<Done, Problem> {
    let currency = in_currency(asked.currency.as_deref())?;
    let limits = TopUpLimits {
        top_up: asked.top_up,
        balance: asked.balance,
    };
    let act = Act::SetTopUpLimits {
        currency,
        level: asked.level,
        limits,
    };
    api.administer(operator, asked.kept_reason()?, act).await
}
