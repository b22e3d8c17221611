//! The bank's side.

use super::wire::{OrderBody, SaidBody, Wanted, currency};
use crate::{Bank, Simulated, Unknown};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use bongsu_base::LogTime;
use http::{StatusCode, header};
use tokio::net::TcpListener;

/// Serves `bank` to whoever connects to `listener`, until `end` returns; what was asked is answered first.
///
/// # Errors
/// When nothing can be accepted any more.
pub async fn serve(
    listener: TcpListener,
    bank: Simulated,
    end: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/v1/orders/{id}", put(order).get(find))
        .route("/v1/statement", get(statement))
        .with_state(bank);
    let served = axum::serve(listener, router).with_graceful_shutdown(end);
    served.await
}

/// Why there is no answer.
struct Not(StatusCode, String);

impl From<Unknown> for Not {
    fn from(unknown: Unknown) -> Self {
        Self(StatusCode::GATEWAY_TIMEOUT, unknown.0)
    }
}

impl From<String> for Not {
    fn from(wrong: String) -> Self {
        Self(StatusCode::BAD_REQUEST, wrong)
    }
}

impl IntoResponse for Not {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

async fn order(
    State(bank): State<Simulated>,
    Path(id): Path<String>,
    Json(body): Json<OrderBody>,
) -> Result<Json<SaidBody>, Not> {
    let order = body.order(id)?;
    Ok(Json(bank.order(&order).await?.into()))
}

async fn find(
    State(bank): State<Simulated>,
    Path(id): Path<String>,
) -> Result<Json<SaidBody>, Not> {
    match bank.find(&id).await? {
        Some(said) => Ok(Json(said.into())),
        None => Err(Not(
            StatusCode::NOT_FOUND,
            "there was no such order".to_owned(),
        )),
    }
}

async fn statement(
    State(bank): State<Simulated>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Not> {
    let currency = currency(&wanted.currency)?;
    let (from, to) = (LogTime(wanted.from_ms), LogTime(wanted.to_ms));
    let statement = bank.statement(currency, from, to).await?;
    let kind = [(header::CONTENT_TYPE, "application/xml")];
    Ok((kind, statement.to_xml()).into_response())
}
