//! What the program says of its work: log messages on the standard error, and traces to a collector.

mod otlp;

use crate::config::{Config, LogFormat};
use anyhow::{Context, Result};
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::IsTerminal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// Spans with this target are sent to the collector.
pub const TRACES: &str = "bongsu::trace";

/// What must be ended in order, so that nothing is lost.
#[derive(Debug, Default)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Begins to say, as `config` has it. To be called within the runtime, once.
    pub fn start(config: &Config) -> Result<Self> {
        let provider = config
            .otlp_endpoint
            .as_deref()
            .map(otlp::provider)
            .transpose()?;
        let traces = provider.as_ref().map(otlp::layer);
        tracing_subscriber::registry()
            .with(messages(config.log_format, &config.log_level)?)
            .with(traces)
            .init();
        Ok(Self { provider })
    }

    /// Begins to say warnings alone, to a person: for everything but serving.
    pub fn warnings(config: &Config) -> Result<()> {
        let level = if config.log_level == "info" {
            "warn"
        } else {
            &config.log_level
        };
        tracing_subscriber::registry()
            .with(messages(config.log_format, level)?)
            .init();
        Ok(())
    }

    /// Whether requests are traced.
    pub fn traces(&self) -> bool {
        self.provider.is_some()
    }

    /// Sends what is still to be sent.
    pub async fn stop(self) {
        let Some(provider) = self.provider else {
            return;
        };
        let ended = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

fn messages(format: LogFormat, level: &str) -> Result<Box<dyn Layer<Registry> + Send + Sync>> {
    let filter = EnvFilter::try_new(level)
        .with_context(|| {
            format!("log_level: `{level}` is not a level such as `info` or `info,bongsu=debug`")
        })?
        // These would tell of the telling.
        .add_directive("opentelemetry=warn".parse().expect("a sound directive"))
        .add_directive("opentelemetry_sdk=warn".parse().expect("a sound directive"));
    let terminal = std::io::stderr().is_terminal();
    let person = match format {
        LogFormat::Auto => terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    Ok(if person {
        lines
            .compact()
            .with_target(false)
            .with_ansi(terminal)
            .with_filter(filter)
            .boxed()
    } else {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_filter(filter)
            .boxed()
    })
}
