//! The spans of the log, sent to a collector by OTLP over HTTP.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::NoTraces;

/// What sends spans, from a thread of its own. Up to 2,048 wait for it, by the standard's default.
#[derive(Debug)]
pub(super) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Spans go to the collector at a base URL.
    pub(super) fn to(collector: &str) -> Result<Self, NoTraces> {
        call_transports::net::install_crypto();
        // The path is the standard's: https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
        let url = format!("{}/v1/traces", collector.trim_end_matches('/'));
        let exporter = SpanExporter::builder().with_http().with_endpoint(url).build();
        let exporter = exporter.map_err(|error| NoTraces(error.to_string()))?;
        // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say more where they are set.
        let name = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| SERVICE.to_owned());
        let provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_service_name(name).build())
            .with_batch_exporter(exporter)
            .build();
        Ok(Self { provider })
    }

    /// Hands spans over as they end. Threads and places in the code are of no use to who reads a call.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // The process is about to end: what cannot be sent now is lost, and the log has it.
        let _ = self.provider.shutdown();
    }
}

const SERVICE: &str = "offhook";
