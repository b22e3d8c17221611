//! Where merchants are told what happens, as an operator sets it.

use super::Api;
use super::merchants::id;
use crate::command::Act;
use crate::id::{MerchantId, Salt};
use crate::query;
use axum::Json;
use axum::extract::{Path, State};
use bongsu_web_kit::admin::{Acting, Body, Done, Operator, Problem, Reason, Refusals};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// Where to tell a merchant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMerchantWebhook {
    /// An https address of the open internet, or within `webhook_allow_networks`.
    pub url: String,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Reason for SetMerchantWebhook {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

/// A merchant's new secret.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewWebhook {
    /// The merchant's id.
    pub merchant: String,
    /// Where it is told.
    pub url: String,
    /// The secret that signs what it is told, `whsec_…`, shown this once.
    pub secret: String,
}

impl fmt::Debug for NewWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWebhook")
            .field("merchant", &self.merchant)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Api {
    async fn set_webhook(
        &self,
        operator: Operator,
        reason: Option<String>,
        (merchant, url): (MerchantId, Option<String>),
    ) -> Result<Json<NewWebhook>, Problem> {
        let salt = Salt::new(self.signing.newest(), self.lane.random());
        let name = merchant.to_string();
        let act = Act::SetWebhook {
            merchant,
            url,
            salt,
        };
        self.administer(operator, reason, act).await?;
        let look = self.lane.read(|view| query::webhook(view, &name));
        let url = look.await?.map(|found| found.url).unwrap_or_default();
        let secret = self.signing.secret(&name, salt);
        let secret = secret.map(|secret| secret.reveal()).unwrap_or_default();
        let merchant = name;
        Ok(Json(NewWebhook {
            merchant,
            url,
            secret,
        }))
    }
}

/// Tell a merchant what happens, at an address, with a new secret.
#[utoipa::path(post, path = "/admin/v1/pay/merchants/{merchant}/webhook", tag = "administration: pay",
    params(("merchant" = String, Path)), request_body = SetMerchantWebhook,
    responses((status = 200, body = NewWebhook), Refusals))]
pub async fn set(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<SetMerchantWebhook>,
) -> Result<Json<NewWebhook>, Problem> {
    let (reason, merchant) = (asked.kept_reason()?, id(&name)?);
    let checked = api.check_address(&asked.url);
    checked.map_err(Problem::bad_request)?;
    let what = (merchant, Some(asked.url));
    api.set_webhook(operator, reason, what).await
}

/// Give a merchant another secret for what it is told. The one before it signs for a day, too.
#[utoipa::path(post, path = "/admin/v1/pay/merchants/{merchant}/webhook/rotate", tag = "administration: pay",
    params(("merchant" = String, Path)), request_body = Acting,
    responses((status = 200, body = NewWebhook), Refusals))]
pub async fn rotate(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Json<NewWebhook>, Problem> {
    let (reason, merchant) = (asked.kept_reason()?, id(&name)?);
    api.set_webhook(operator, reason, (merchant, None)).await
}

/// Tell a merchant nothing any more.
#[utoipa::path(post, path = "/admin/v1/pay/merchants/{merchant}/webhook/remove", tag = "administration: pay",
    params(("merchant" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn remove(
    State(api): State<Api>,
    operator: Operator,
    Path(name): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let act = Act::RemoveWebhook(id(&name)?);
    api.administer(operator, asked.kept_reason()?, act).await
}
