use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use super::LoggingError;

/// Spans on their way to a collector, in batches, over gRPC. A collector that is away costs spans, never time.
#[derive(Debug)]
pub(super) struct Spans {
    provider: SdkTracerProvider,
}

impl Spans {
    /// How long a batch may take.
    const PATIENCE: Duration = Duration::from_secs(5);

    pub(super) fn to(endpoint: &str) -> Result<Self, LoggingError> {
        let refused = |reason: String| LoggingError::Collector { endpoint: endpoint.to_owned(), reason };
        // Tonic's channel would panic without one.
        tokio::runtime::Handle::try_current().map_err(|error| refused(error.to_string()))?;
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(Self::PATIENCE);
        let exporter = exporter.build().map_err(|error| refused(error.to_string()))?;
        let resource = Resource::builder().with_service_name("pinion").build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Self { provider })
    }

    pub(super) fn layer<S>(&self) -> OpenTelemetryLayer<S, Tracer>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("pinion"))
    }

    /// Sends what is left. It blocks, so it has a thread of its own.
    pub(super) async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(Self::PATIENCE)).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the collector did not take the last spans");
        }
    }
}
