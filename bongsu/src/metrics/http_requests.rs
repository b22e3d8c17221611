//! How many requests there were, by route, and how long they took.

use crate::telemetry::TRACES;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use tokio::time::Instant;
use tracing::Instrument;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

/// Requests by route. A route is the template (`/rooms/{roomId}`), never what stands in its place.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    /// Connections that are open.
    pub connections: Gauge,
    traces: bool,
}

impl HttpMetrics {
    /// Nothing measured yet; with `traces` every request is a span, too.
    pub fn new(traces: bool) -> Self {
        Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.000_5, 2.0, 16))
            }),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            traces,
        }
    }

    /// Enters them into `registry`.
    pub fn register(&self, registry: &mut Registry) {
        let http = registry.sub_registry_with_prefix("bongsu_http");
        http.register("requests", "Requests answered", self.requests.clone());
        http.register(
            "seconds",
            "Time until the answer began",
            self.seconds.clone(),
        );
        http.register(
            "in_flight",
            "Requests being answered",
            self.in_flight.clone(),
        );
        http.register(
            "connections",
            "Connections that are open",
            self.connections.clone(),
        );
    }
}

/// A request that is being answered, until it is or is given up.
struct InFlight(Gauge);

impl InFlight {
    fn begin(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Measures every request.
pub async fn measure(State(metrics): State<HttpMetrics>, request: Request, next: Next) -> Response {
    let _in_flight = InFlight::begin(&metrics.in_flight);
    let method = name(request.method());
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("(none)", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let response = if metrics.traces {
        let span = tracing::info_span!(
            target: TRACES, "request",
            otel.name = format!("{method} {route}"), otel.kind = "server",
            http.request.method = method, http.route = route,
            http.response.status_code = tracing::field::Empty,
        );
        let response = next.run(request).instrument(span.clone()).await;
        span.record("http.response.status_code", response.status().as_u16());
        response
    } else {
        next.run(request).await
    };
    let status = response.status().as_u16();
    let seconds = begun.elapsed().as_secs_f64();
    metrics
        .seconds
        .get_or_create(&Route {
            method,
            route: route.clone(),
        })
        .observe(seconds);
    metrics
        .requests
        .get_or_create(&Answered {
            method,
            route,
            status,
        })
        .inc();
    response
}

/// The method, of a bounded number of names.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        Method::PATCH => "PATCH",
        _ => "OTHER",
    }
}
