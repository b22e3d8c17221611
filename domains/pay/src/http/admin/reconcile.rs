//! Comparing the bank with the books.

use super::Api;
use crate::bank::{Compared, Difference, compare};
use crate::command::Ordered;
use crate::query;
use axum::Json;
use axum::extract::{Query, Request, State};
use bongsu_bank_rail::camt::Statement;
use bongsu_base::{LogTime, Millis};
use bongsu_web_kit::admin::{Problem, Refusals};
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// The longest statement, in bytes.
const LONGEST: usize = 64 << 20;
/// By how much the bank's clock may be ahead.
const AHEAD: Millis = Millis::hours(24);
/// When to ask again while the bank does not answer.
const SOON: Duration = Duration::from_secs(5);

/// Of what time the bank's statements are compared.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Bounds {
    /// From when on, in milliseconds since 1970; ever, where nobody says.
    pub from_ms: Option<i64>,
    /// Before when; all there is, where nobody says.
    pub to_ms: Option<i64>,
}

/// Bank and books, compared.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportBody {
    /// Whether they are the same.
    pub reconciled: bool,
    /// The statements that were compared.
    pub statements: Vec<StatementBody>,
    /// In what they differ.
    pub differences: Vec<DifferenceBody>,
}

/// A statement that was compared.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementBody {
    /// In which currency it is.
    pub currency: String,
    /// How many entries it has.
    pub entries: usize,
    /// How many of them the books have as they are.
    pub agree: usize,
    /// The balance with which it ends, in minor units.
    pub bank_balance: i64,
    /// What is at the bank by the books, now.
    pub at_bank: i64,
}

/// Something in which bank and books differ. Amounts are minor units, below zero for what was paid out.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferenceBody {
    /// `at_bank_only`, `here_only`, `amount_differs`, `waiting` (the books wait for what the bank says), `twice`,
    /// or `set_aside` (the books refuse what the bank said; `detail` says why).
    pub kind: &'static str,
    /// Of which currency the statement is.
    pub currency: String,
    /// The order's name at the bank.
    pub order: String,
    /// The top-up or withdrawal that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// The number of the settlement that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement: Option<i64>,
    /// What the bank moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank: Option<i64>,
    /// What the books have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub here: Option<i64>,
    /// The bank's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// In words.
    pub detail: String,
}

impl From<Vec<Compared>> for ReportBody {
    fn from(all: Vec<Compared>) -> Self {
        let statements = all.iter().map(|one| StatementBody {
            currency: one.currency.to_string(),
            entries: one.entries,
            agree: one.agree,
            bank_balance: one.closing,
            at_bank: one.here,
        });
        let statements = statements.collect();
        let mut differences = Vec::new();
        for one in all {
            let currency = one.currency.to_string();
            let of = |found: Difference| DifferenceBody::of(found, currency.clone());
            differences.extend(one.differences.into_iter().map(of));
        }
        Self {
            reconciled: differences.is_empty(),
            statements,
            differences,
        }
    }
}

impl DifferenceBody {
    fn of(found: Difference, currency: String) -> Self {
        let (payment, settlement) = match found.of {
            Some(Ordered::Payment(id)) => (Some(id.to_string()), None),
            Some(Ordered::Settlement(n)) => (None, Some(n)),
            None => (None, None),
        };
        Self {
            kind: found.differs.name(),
            currency,
            order: found.order,
            payment,
            settlement,
            bank: found.bank,
            here: found.here,
            reference: found.reference,
            detail: found.detail,
        }
    }
}

/// Compare what the bank's statements say with the books, and list every difference.
#[utoipa::path(get, path = "/admin/v1/pay/reconcile", tag = "administration: pay", params(Bounds),
    responses((status = 200, body = ReportBody), Refusals))]
pub async fn with_bank(
    State(api): State<Api>,
    Query(bounds): Query<Bounds>,
) -> Result<Json<ReportBody>, Problem> {
    Ok(Json(api.reconcile(&bounds).await?.into()))
}

/// Compare the statement that is sent (ISO 20022 camt.053) with the books, and list every difference.
#[utoipa::path(post, path = "/admin/v1/pay/reconcile", tag = "administration: pay",
    request_body(content = String, content_type = "application/xml"),
    responses((status = 200, body = ReportBody), Refusals))]
pub async fn with_file(
    State(api): State<Api>,
    request: Request,
) -> Result<Json<ReportBody>, Problem> {
    let body = Limited::new(request.into_body(), LONGEST).collect().await;
    let xml = match body {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("the statement is longer than {LONGEST} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        Err(error) => {
            let detail = format!("the statement did not arrive: {error}");
            return Err(Problem::bad_request(detail));
        }
    };
    let statement = Statement::from_xml(&xml);
    let statement = statement.map_err(|error| Problem::bad_request(error.to_string()))?;
    let look = move |view: &bongsu_lane::ReadView<'_>| compare(view, &statement, None);
    let compared = api.lane.read_long(look).await?;
    Ok(Json(vec![compared].into()))
}

impl Api {
    /// Compares the bank's statements of all currencies with the books.
    pub(in crate::http) async fn reconcile(
        &self,
        bounds: &Bounds,
    ) -> Result<Vec<Compared>, Problem> {
        let bank = self.bank.asked.as_ref().ok_or_else(|| {
            Problem::conflict(
                "there is no bank to ask: `[pay.bank]` names one, and a statement in a file needs none",
            )
        })?;
        let now = self.lane.progress().time.max(self.clock.now());
        let from = LogTime(bounds.from_ms.unwrap_or(0));
        let to = bounds.to_ms.map_or(now + AHEAD, LogTime);
        let ledgers = self.lane.read(query::ledgers).await?;
        let mut all = Vec::new();
        for (ledger, _) in ledgers {
            let asked = self.lane.progress().time;
            let statement = bank.statement(ledger.currency, from, to).await;
            let statement = statement.map_err(|unknown| {
                Problem::later(StatusCode::SERVICE_UNAVAILABLE, SOON, unknown.to_string())
            })?;
            let look =
                move |view: &bongsu_lane::ReadView<'_>| compare(view, &statement, Some(asked));
            all.push(self.lane.read_long(look).await?);
        }
        Ok(all)
    }
}
