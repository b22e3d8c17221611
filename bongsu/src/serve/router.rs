//! All paths that are served.

use super::{cors, ending};
use crate::config::Config;
use crate::health::{self, Watch};
use crate::metrics::{self, HttpMetrics, Metrics, measure};
use crate::openapi;
use crate::page::{self, Page};
use crate::wiring::House;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bongsu_identity::http::Api as IdentityApi;
use bongsu_talk::http::{
    Api as TalkApi, Clock, Config as TalkConfig, Counts, Gallery, Listeners, MediaRules, PresenceNow,
    TypingNow,
};
use bongsu_web_kit::matrix::no_such_endpoint;
use http::StatusCode;
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
pub fn of(house: &House, config: &Config, base_url: &str, parts: Parts) -> Router {
    let own = Router::new()
        .route("/", get(page::page).with_state(parts.page))
        .route("/page.css", get(page::style))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready).with_state(parts.watch))
        .route("/metrics", get(metrics::metrics).with_state(parts.metrics))
        .route("/openapi.json", get(openapi::openapi));
    let router = domains(house, config, base_url)
        .merge(own)
        .fallback(nothing_here);
    router
        .layer(from_fn_with_state(parts.stopping, ending::end_reads))
        .layer(from_fn(cors::allow))
        .layer(from_fn_with_state(parts.http, measure))
}

/// The domains' own paths, joined.
fn domains(house: &House, config: &Config, base_url: &str) -> Router {
    let people = Arc::new(house.accounts.clone());
    let (identity, _) = bongsu_identity::http::endpoints(IdentityApi::new(house.accounts.clone()));
    let talk = TalkApi {
        lane: house.talk.lane.clone(),
        authenticator: people.clone(),
        people,
        media: house.media.clone(),
        typing: TypingNow::new(house.talk.lane.wake().clone()),
        gallery: Gallery::default(),
        config: Arc::new(TalkConfig {
            server_name: house.server_name.clone(),
            base_url: base_url.to_owned(),
            max_upload_bytes: config.max_upload_bytes,
            media: MediaRules {
                quota_bytes: config.media_quota_bytes,
                open_downloads: config.open_media,
                ..MediaRules::default()
            },
            presence: config.presence,
            turn: config.turn.clone(),
        }),
        presence: PresenceNow::new(house.talk.lane.wake().clone()),
        counts: Counts::default(),
        listeners: Listeners::default(),
        clock: Clock::system(),
    };
    let (talk, _) = bongsu_talk::http::endpoints(talk);
    identity.merge(talk)
}

/// The answer where nothing is.
async fn nothing_here(request: Request) -> Response {
    if cors::is_matrix(request.uri().path()) {
        no_such_endpoint().await.into_response()
    } else {
        (
            StatusCode::NOT_FOUND,
            "There is nothing here; the page at / says what there is.\n",
        )
            .into_response()
    }
}
