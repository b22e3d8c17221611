//! Where merchants want to be told what happens, and what they were told.

use super::Api;
use super::ask::Said;
use super::gate::{Asked, Key, Named, Paged, Paging, Shop};
use super::problem::{Problem, Refusals};
use super::wire::{DeliveryBody, Nothing, PageBody, ToldAgainBody, WebhookBody};
use crate::answer::{Answer, Refused};
use crate::command::Verb;
use crate::id::EventId;
use crate::query::{self, Delivery};
use axum::Json;
use axum::extract::State;
use bongsu_fetch::Url;
use serde::Deserialize;
use utoipa::ToSchema;

/// The longest address, in bytes.
const LONGEST: usize = 2_000;

/// Where to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetWebhook {
    /// An https address of the open internet.
    #[schema(max_length = 2000)]
    url: String,
}

impl Api {
    /// Whether merchants can be told at `url`, or why not.
    pub(super) fn check_address(&self, url: &str) -> Result<(), String> {
        if url.len() > LONGEST {
            return Err(format!("an address has at most {LONGEST} bytes"));
        }
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let checked = self.fetcher.check_service(&url);
        checked.map_err(|error| error.to_string())
    }

    async fn webhook(&self, shop: Shop, key: Key, verb: Verb) -> Said<WebhookBody> {
        let name = shop.id.to_string();
        match self.ask(shop, key, verb).await? {
            Answer::Webhook { url, salt } => {
                let secret = self.signing.secret(&name, salt);
                let secret = secret.map(|secret| secret.reveal());
                Ok(Json(WebhookBody { url, secret }))
            }
            other => Err(Problem::internal(format!(
                "no address was answered: {other:?}"
            ))),
        }
    }
}

/// Where you are told what happens.
#[utoipa::path(get, path = "/pay/v1/merchant/webhook", tag = "pay: merchants", security(("merchant" = [])),
    responses((status = 200, body = WebhookBody), Refusals))]
pub async fn show(State(api): State<Api>, shop: Shop) -> Said<WebhookBody> {
    let look = api.lane.read(|view| query::webhook(view, shop.id.as_str()));
    let found = look.await?.ok_or(Refused::NoWebhook)?;
    let (url, secret) = (found.url, None);
    Ok(Json(WebhookBody { url, secret }))
}

/// Be told what happens at an address, from now on. The answer has a new secret, and no other has it; for a day the one
/// before it signs too.
#[utoipa::path(post, path = "/pay/v1/merchant/webhook", tag = "pay: merchants", security(("merchant" = [])),
    params(Key), request_body = SetWebhook,
    responses((status = 200, body = WebhookBody), Refusals))]
pub async fn set(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Asked(asked): Asked<SetWebhook>,
) -> Said<WebhookBody> {
    let checked = api.check_address(&asked.url);
    checked.map_err(|why| Problem::senseless("webhook-address", why))?;
    let verb = Verb::SetWebhook {
        url: asked.url,
        key: api.signing.newest(),
    };
    api.webhook(shop, key, verb).await
}

/// Get another secret; for a day the one before it signs too.
#[utoipa::path(post, path = "/pay/v1/merchant/webhook/rotate", tag = "pay: merchants", security(("merchant" = [])),
    params(Key), request_body = Nothing,
    responses((status = 200, body = WebhookBody), Refusals))]
pub async fn rotate(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Asked(Nothing {}): Asked<Nothing>,
) -> Said<WebhookBody> {
    let verb = Verb::RotateWebhook {
        key: api.signing.newest(),
    };
    api.webhook(shop, key, verb).await
}

/// Be told no longer. What waits is not sent.
#[utoipa::path(post, path = "/pay/v1/merchant/webhook/remove", tag = "pay: merchants", security(("merchant" = [])),
    params(Key), request_body = Nothing,
    responses((status = 200, body = Nothing), Refusals))]
pub async fn remove(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Asked(Nothing {}): Asked<Nothing>,
) -> Said<Nothing> {
    api.ask(shop, key, Verb::RemoveWebhook).await?;
    Ok(Json(Nothing {}))
}

/// What you were told in the last thirty days, newest first.
#[utoipa::path(get, path = "/pay/v1/merchant/deliveries", tag = "pay: merchants", security(("merchant" = [])),
    params(Paging), responses((status = 200, body = PageBody<DeliveryBody>), Refusals))]
pub async fn deliveries(
    State(api): State<Api>,
    shop: Shop,
    paged: Paged,
) -> Said<PageBody<DeliveryBody>> {
    let before = paged.cursor.unwrap_or(i64::MAX);
    let look = api
        .lane
        .read(|view| query::deliveries(view, shop.id.as_str(), before, paged.limit + 1));
    let found = look.await?;
    let shown = |found: &Delivery| (found.n, found.into());
    Ok(Json(PageBody::of(&found, paged.limit, shown)))
}

/// Be told something once more, by the same id.
#[utoipa::path(post, path = "/pay/v1/merchant/deliveries/{event}/again", tag = "pay: merchants",
    security(("merchant" = [])), params(("event" = String, Path), Key),
    request_body = Nothing, responses((status = 200, body = ToldAgainBody), Refusals))]
pub async fn again(
    State(api): State<Api>,
    shop: Shop,
    key: Key,
    Named(name): Named,
    Asked(Nothing {}): Asked<Nothing>,
) -> Said<ToldAgainBody> {
    let event: EventId = name.parse().map_err(|_| Refused::NoSuchEvent)?;
    api.ask(shop, key, Verb::TellAgain(event)).await?;
    let event = event.to_string();
    Ok(Json(ToldAgainBody { event }))
}
