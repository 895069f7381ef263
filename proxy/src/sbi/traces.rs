//! Spans of the SCP's requests, as the collector has them: children of the spans that requests name.

use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use pinion_scp::trace::{Parent, Tracer};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Who tells the collector; without one, no span is recorded.
pub(super) fn tracer() -> Arc<dyn Tracer> {
    Arc::new(Collected)
}

#[derive(Debug)]
struct Collected;

impl Tracer for Collected {
    fn begin(&self, span: &Span, of: Option<Parent>) -> Option<Parent> {
        let remote = |parent: Parent| {
            let (trace, span) = (TraceId::from(parent.trace), SpanId::from(parent.span));
            // Who recorded something of it wants it recorded here, too; other flags mean nothing here.
            let flags = TraceFlags::new(parent.flags) & TraceFlags::SAMPLED;
            Context::new().with_remote_span_context(SpanContext::new(
                trace,
                span,
                flags,
                true,
                TraceState::default(),
            ))
        };
        span.set_parent(of.map(remote).unwrap_or_default()).ok()?;
        let context = span.context();
        let span = context.span();
        let own = span.span_context();
        (own.is_valid() && own.is_sampled()).then(|| Parent {
            trace: u128::from_be_bytes(own.trace_id().to_bytes()),
            span: u64::from_be_bytes(own.span_id().to_bytes()),
            flags: own.trace_flags().to_u8(),
        })
    }
}
