//! All paths that are served.

#[cfg(test)]
mod authorization;

use super::{DataCentres, again, cors, data_centres, ending, freshness};
use crate::health::{self, READY, Watch};
use crate::metrics::{self, HttpMetrics, Metrics, measure};
use crate::openapi;
use crate::page::{self, Page};
use crate::wiring::House;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bongsu_identity::Provider;
use bongsu_pay::http::Api as PayApi;
use bongsu_talk::http::Api as TalkApi;
use bongsu_web_kit::Authenticate;
use bongsu_web_kit::admin::admit_by_token;
use bongsu_web_kit::matrix::no_such_endpoint;
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;
use tokio::sync::watch;

/// What the paths need.
pub struct Parts {
    /// For the page.
    pub page: Page,
    /// For the health checks.
    pub watch: Watch,
    /// For Prometheus.
    pub metrics: Metrics,
    /// What measures requests.
    pub http: HttpMetrics,
    /// True once it is time to stop.
    pub stopping: watch::Receiver<bool>,
}

/// The router over `house`.
pub fn of(
    house: &House,
    (talk, pay, provider): (TalkApi, PayApi, Provider),
    base_url: &str,
    parts: Parts,
) -> Router {
    let own = Router::new()
        .route("/", get(page::page).with_state(parts.page))
        .route("/page.css", get(page::style))
        .route("/health/live", get(health::live))
        .route(READY, get(health::ready).with_state(parts.watch.clone()))
        .route("/metrics", get(metrics::metrics).with_state(parts.metrics))
        .route("/openapi.json", get(openapi::openapi))
        .route(
            "/.well-known/bongsu",
            get(data_centres).with_state(Arc::new(DataCentres::of(house, base_url))),
        );
    let router = domains(house, (talk, pay), provider)
        .merge(own)
        .fallback(nothing_here);
    let router = if house.abroad.is_some() {
        router
            .layer(from_fn_with_state(
                again::Views::of(house),
                again::ask_again,
            ))
            .layer(from_fn_with_state(parts.watch, freshness::say))
    } else {
        router
    };
    router
        .layer(from_fn_with_state(parts.stopping, ending::end_reads))
        .layer(from_fn(cors::allow))
        .layer(from_fn_with_state(parts.http, measure))
}

/// The domains' own paths, joined, and their administration for whoever has an administrator's token.
fn domains(house: &House, (talk, pay): (TalkApi, PayApi), provider: Provider) -> Router {
    let authenticator: Arc<dyn Authenticate> = Arc::new(provider.clone());
    let administration = house
        .administration(talk.clone(), pay.clone(), provider.clone())
        .route_layer(from_fn_with_state(authenticator.clone(), admit_by_token));
    let (identity, _) = bongsu_identity::http::endpoints(house.identity_api(&authenticator));
    let (talk, _) = bongsu_talk::http::endpoints(talk);
    let sign_in = bongsu_identity::http::oauth::routes().into_router(provider);
    let pay = bongsu_pay::http::routes().into_router(pay);
    let pay = pay.route_layer(map_response(no_store));
    identity
        .merge(talk)
        .merge(pay)
        .merge(sign_in)
        .merge(administration)
}

/// What somebody has and pays is kept by nobody on the way.
async fn no_store(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer where nothing is.
async fn nothing_here(request: Request) -> Response {
    let path = request.uri().path();
    if cors::is_matrix(path) {
        no_such_endpoint().await.into_response()
    } else if path.starts_with("/pay/") {
        bongsu_pay::http::no_such_path()
    } else {
        (
            StatusCode::NOT_FOUND,
            "There is nothing here; the page at / says what there is.\n",
        )
            .into_response()
    }
}
