//! Statements of people's, merchants' and everybody's accounts, for operators.

use super::Api;
use crate::http::gate::{Format, Paged};
use crate::http::statement::{NoStatement, Whose};
use crate::http::wire::{LineBody, PageBody};
use axum::extract::{Query, State};
use axum::response::Response;
use bongsu_ledger::Currency;
use bongsu_web_kit::admin::{Problem, Refusals};
use http::HeaderMap;
use serde::Deserialize;

/// How many lines a page has at most, and where nobody says.
const PAGE: usize = 500;

/// Of what a statement is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// A person's id, a merchant's id, `bank` (what the bank holds for everybody), or `fees` (what merchants paid).
    account: String,
    /// In which currency, but for a merchant; KRW where nobody says.
    #[serde(default)]
    currency: Option<String>,
    /// As what; where nobody says, as `Accept` has it.
    #[serde(default)]
    format: Option<Format>,
    /// Of a file: from when on, in milliseconds since 1970.
    #[serde(default)]
    from_ms: Option<i64>,
    /// Of a file: before when.
    #[serde(default)]
    to_ms: Option<i64>,
    /// Of a page: what the one before gave as `next`.
    #[serde(default)]
    cursor: Option<i64>,
}

impl From<NoStatement> for Problem {
    fn from(none: NoStatement) -> Self {
        match none {
            NoStatement::Refused(refused) => Self::not_found(refused.to_string()),
            NoStatement::Cursor => {
                Self::bad_request("`cursor` is what a page of this statement gave as `next`")
            }
            NoStatement::Times => Self::bad_request(NoStatement::times()),
            NoStatement::TooLong => Self::bad_request(NoStatement::too_long()),
            NoStatement::Unread(error) => error.into(),
        }
    }
}

/// What happened to an account: a page in JSON, newest first, or a file, oldest first.
#[utoipa::path(get, path = "/admin/v1/pay/statement", tag = "administration: pay", params(Wanted),
    responses((status = 200, content((PageBody<LineBody> = "application/json"), (String = "text/csv"),
        (String = "application/xml"))), Refusals))]
pub async fn statement(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let currency = wanted.currency.as_deref().unwrap_or("KRW");
    let currency: Currency = currency
        .parse()
        .map_err(|_| Problem::bad_request(format!("{currency} is no currency (ISO 4217)")))?;
    let whose = match &*wanted.account {
        "bank" => Whose::Bank(currency),
        "fees" => Whose::Fees(currency),
        person if person.starts_with('@') => Whose::Wallet(person.to_owned(), currency),
        merchant => Whose::Merchant(merchant.to_owned()),
    };
    let paged = Paged {
        cursor: wanted.cursor,
        limit: PAGE,
        currency: None,
        format: wanted.format.unwrap_or_else(|| Format::accepted(&headers)),
        from_ms: wanted.from_ms,
        to_ms: wanted.to_ms,
    };
    Ok(api.statement(whose, &paged).await?)
}
