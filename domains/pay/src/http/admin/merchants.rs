//! Merchants, as an operator sees and makes them.

use super::Api;
use crate::answer::{Merchant, Refused};
use crate::command::{Act, NewMerchant, Rejected};
use crate::http::gate::MERCHANT_KEY;
use crate::id::{Hash, MerchantId};
use crate::query;
use axum::Json;
use axum::extract::{Path, Query, State};
use bongsu_base::Millis;
use bongsu_ledger::{Balance, Currency};
use bongsu_web_kit::admin::{
    Acting, Body, Done, Operator, Page, PageQuery, Problem, Reason, Refusals,
};
use data_encoding::BASE32_NOPAD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long replaced keys are taken, where nobody says: a day.
const OVERLAP_SECONDS: u32 = 24 * 60 * 60;
/// The longest name, in bytes.
const MAX_NAME: usize = 100;

/// A merchant. Amounts are minor units.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ListedMerchant {
    /// Its id.
    pub merchant: String,
    /// Its name.
    pub name: String,
    /// Its city.
    pub city: String,
    /// What it sells (ISO 18245).
    pub category: u16,
    /// Its currency.
    pub currency: String,
    /// What a payment costs it, in hundredths of a percent.
    pub fee: u16,
    /// Whether it is frozen.
    pub frozen: bool,
    /// What it earned and was not settled.
    pub pending: i64,
    /// What is on its way to its bank.
    pub payable: i64,
}

impl ListedMerchant {
    fn of(found: &Merchant, pending: Balance, payable: Balance) -> Self {
        Self {
            merchant: found.id.to_string(),
            name: found.name.clone(),
            city: found.city.clone(),
            category: found.category,
            currency: found.currency.to_string(),
            fee: found.fee,
            frozen: found.frozen,
            pending: pending.credits_posted - pending.debits_posted,
            payable: payable.credits_posted - payable.debits_posted,
        }
    }
}

/// A merchant to add.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddMerchant {
    /// Its id: 3 to 32 lower-case letters, digits and `-`.
    pub merchant: String,
    /// Its name.
    pub name: String,
    /// Its account at the bank.
    pub bank_account: String,
    /// Its city.
    #[serde(default)]
    pub city: String,
    /// What it sells (ISO 18245).
    #[serde(default)]
    pub category: u16,
    /// Its currency; KRW where nobody says.
    #[serde(default)]
    pub currency: Option<String>,
    /// What a payment costs it, in hundredths of a percent.
    #[serde(default)]
    pub fee: u16,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A merchant's new key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewKey {
    /// Its id.
    pub merchant: String,
    /// Its secret key, shown this once.
    pub secret_key: String,
}

/// A key to replace.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotateKey {
    /// How long the others are taken, in seconds; a day where nobody says, 0 revokes them at once.
    pub overlap_seconds: Option<u32>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

impl Reason for AddMerchant {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

impl Reason for RotateKey {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

pub(super) fn id(name: &str) -> Result<MerchantId, Problem> {
    name.parse().map_err(|_| none())
}

fn none() -> Problem {
    Rejected::Refused(Refused::NoSuchMerchant).into()
}

impl Api {
    fn new_key(&self) -> (String, Hash) {
        let random = self.lane.random::<25>();
        let secret = format!(
            "{MERCHANT_KEY}{}",
            BASE32_NOPAD.encode(&random).to_lowercase()
        );
        let hash = Hash::of_secret(&secret);
        (secret, hash)
    }
}

/// List the merchants.
#[utoipa::path(get, path = "/admin/v1/pay/merchants", tag = "administration: pay",
    params(PageQuery), responses((status = 200, body = Page<ListedMerchant>), Refusals))]
pub async fn list(
    State(api): State<Api>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ListedMerchant>>, Problem> {
    let limit = page.limit();
    let after = page.cursor.unwrap_or_default();
    let look = api.lane.read(|view| {
        let found = query::merchants(view, &after, limit + 1)?;
        let listed = found.iter().map(|found| {
            let (pending, payable) = (
                query::account(view, found.pending)?,
                query::account(view, found.payable)?,
            );
            Ok(ListedMerchant::of(found, pending, payable))
        });
        listed.collect::<rusqlite::Result<Vec<_>>>()
    });
    Ok(Json(Page::of(look.await?, limit, |one| {
        one.merchant.clone()
    })))
}

/// Show a merchant.
#[utoipa::path(get, path = "/admin/v1/pay/merchants/{merchant}", tag = "administration: pay",
    params(("merchant" = String, Path)), responses((status = 200, body = ListedMerchant), Refusals))]
pub async fn show(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<ListedMerchant>, Problem> {
    let look = api.lane.read(|view| {
        let Some(found) = query::merchant(view, &name)? else {
            return Ok(None);
        };
        let (pending, payable) = (
            query::account(view, found.pending)?,
            query::account(view, found.payable)?,
        );
        Ok(Some(ListedMerchant::of(&found, pending, payable)))
    });
    Ok(Json(look.await?.ok_or_else(none)?))
}

/// Add a merchant, and give it its first key.
#[utoipa::path(post, path = "/admin/v1/pay/merchants", tag = "administration: pay",
    request_body = AddMerchant, responses((status = 201, body = NewKey), Refusals))]
pub async fn add(
    State(api): State<Api>,
    operator: Operator,
    Body(asked): Body<AddMerchant>,
) -> Result<(StatusCode, Json<NewKey>), Problem> {
    let reason = asked.kept_reason()?;
    let detail = "a merchant's id has 3 to 32 lower-case letters, digits and `-`";
    let parsed = asked.merchant.parse::<MerchantId>();
    let id = parsed.map_err(|_| Problem::bad_request(detail))?;
    let currency = asked
        .currency
        .as_deref()
        .map_or(Ok(Currency::KRW), str::parse);
    let currency = currency
        .map_err(|_| Problem::bad_request("a currency is three capital letters of ISO 4217"))?;
    for text in [&asked.name, &asked.city, &asked.bank_account] {
        if text.len() > MAX_NAME || text.chars().any(char::is_control) {
            let detail = format!("a name, a city or an account has at most {MAX_NAME} bytes");
            return Err(Problem::bad_request(detail));
        }
    }
    let (secret_key, key) = api.new_key();
    let act = Act::AddMerchant(NewMerchant {
        id,
        name: asked.name,
        city: asked.city,
        category: asked.category,
        currency,
        fee: asked.fee,
        bank: asked.bank_account,
        key,
    });
    api.administer(operator, reason, act).await?;
    let merchant = asked.merchant;
    let made = NewKey {
        merchant,
        secret_key,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Give a merchant a new key. The others are taken for a while.
#[utoipa::path(post, path = "/admin/v1/pay/merchants/{merchant}/rotate", tag = "administration: pay",
    params(("merchant" = String, Path)), request_body = RotateKey,
    responses((status = 200, body = NewKey), Refusals))]
pub async fn rotate(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<RotateKey>,
) -> Result<Json<NewKey>, Problem> {
    let (reason, merchant) = (asked.kept_reason()?, id(&name)?);
    let (secret_key, key) = api.new_key();
    let overlap = asked.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    let until = api.clock.now() + Millis::seconds(overlap.into());
    let act = Act::Rotate {
        merchant,
        key,
        until,
    };
    api.administer(operator, reason, act).await?;
    Ok(Json(NewKey {
        merchant: name,
        secret_key,
    }))
}

/// Freeze a merchant: it takes no payments and is not settled, and may give back.
#[utoipa::path(post, path = "/admin/v1/pay/merchants/{merchant}/freeze", tag = "administration: pay",
    params(("merchant" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn freeze(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let (merchant, frozen) = (id(&name)?, true);
    let act = Act::FreezeMerchant { merchant, frozen };
    api.administer(operator, asked.kept_reason()?, act).await
}

/// Let a merchant trade again.
#[utoipa::path(post, path = "/admin/v1/pay/merchants/{merchant}/unfreeze", tag = "administration: pay",
    params(("merchant" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn unfreeze(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let (merchant, frozen) = (id(&name)?, false);
    let act = Act::FreezeMerchant { merchant, frozen };
    api.administer(operator, asked.kept_reason()?, act).await
}

/// Pay a merchant what it has earned.
#[utoipa::path(post, path = "/admin/v1/pay/merchants/{merchant}/settle", tag = "administration: pay",
    params(("merchant" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn settle(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let act = Act::Settle(id(&name)?);
    api.administer(operator, asked.kept_reason()?, act).await
}
