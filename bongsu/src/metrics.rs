//! What can be measured, for Prometheus.

mod ages;
mod certificates;
mod disk;
mod http_requests;
mod process;

pub use ages::Ages;
pub use certificates::register as certificates;
pub use disk::Disk;
pub use http_requests::{HttpMetrics, measure};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::Arc;

const TEXT: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// All that is measured, ready to be asked.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
}

impl Metrics {
    /// The measurements of the process and of whatever `more` registers.
    pub fn new(more: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::default();
        let release = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("bongsu_release", "The release that runs", release);
        registry.register_collector(Box::new(process::Process));
        more(&mut registry);
        Self {
            registry: Arc::new(registry),
        }
    }
}

/// All measurements, in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200,
    description = "Measurements of every domain, of HTTP requests by route, and of the process",
    body = String, content_type = "application/openmetrics-text")))]
pub async fn metrics(State(metrics): State<Metrics>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &metrics.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, TEXT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the measurements cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
