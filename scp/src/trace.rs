//! Traces: a request's own (W3C Trace Context) is passed on as it is, unless this SCP tells of the request too.

use std::fmt;

use http::Request;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use tracing::Span;
use tracing::field::Empty;

use crate::call::Reply;
use crate::cause::Cause;
use crate::kept::Content;
use crate::prepared::Prepared;
use crate::producer::Target;

/// The target of the spans of requests, which are of level `debug`.
pub const SPANS: &str = "pinion_scp::request";

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// A span of somebody's, as `traceparent` names it (W3C Trace Context 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The trace, not 0.
    pub trace: u128,
    /// The span, not 0.
    pub span: u64,
    /// Bit 0: it is recorded.
    pub flags: u8,
}

/// Who tells of spans elsewhere.
pub trait Tracer: fmt::Debug + Send + Sync {
    /// Makes a span the child of another, or the first of a trace; and what it is there. None: it is not recorded.
    fn begin(&self, span: &Span, of: Option<Parent>) -> Option<Parent>;
}

impl Parent {
    /// That which headers name; none where they name none, or not as they should (3.2.2).
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        Self::read(value.to_str().ok()?.trim())
    }

    fn read(text: &str) -> Option<Self> {
        let (known, more) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let mut hex = |digits: usize| {
            let part = parts.next().filter(|it| it.len() == digits)?;
            let plain = part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            u128::from_str_radix(part, 16).ok().filter(|_| plain)
        };
        let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        // A later version may have more to say; version 255 is none.
        let ends = more.is_empty() || (version > 0 && more.starts_with('-'));
        let (span, flags) = (u64::try_from(span).ok()?, u8::try_from(flags).ok()?);
        (ends && version != 255 && trace != 0 && span != 0).then_some(Self { trace, span, flags })
    }
}

/// Octets of what every version has.
const LENGTH: usize = 55;

impl fmt::Display for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

/// The span of a request that was just read. Where it is told of elsewhere, who is asked is led to it.
pub(crate) fn begin(request: &mut Request<Content>, service: &str, prepared: &Prepared) -> Span {
    let method = request.method().as_str();
    let span = tracing::debug_span!(
        target: SPANS,
        parent: None,
        "request",
        otel.name = %format_args!("{method} {service}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.response.status_code = Empty,
        sbi.service = service,
        sbi.cause = Empty,
        sbi.producer = Empty,
        sbi.nf_instance = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let headers = request.headers_mut();
    let of = Parent::of(headers);
    let own = prepared.tracer.as_ref().and_then(|tracer| tracer.begin(&span, of));
    if let Some(Ok(own)) = own.map(|own| HeaderValue::try_from(own.to_string())) {
        headers.insert(TRACEPARENT, own);
        if of.is_none() {
            // It belongs to a trace that nobody can read.
            headers.remove(TRACESTATE);
        }
    }
    span
}

/// What became of a request, and who answered where that is not this SCP; or that its client did not wait for it.
pub(crate) fn end(span: &Span, reply: Option<(&Reply, Option<&Target>)>) {
    if span.is_disabled() {
        return;
    }
    let Some((reply, target)) = reply else { return };
    span.record("http.response.status_code", i64::from(reply.status().as_u16()));
    if reply.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    if let Some(cause) = reply.extensions().get::<Cause>() {
        span.record("sbi.cause", cause.name());
    }
    if let Some(target) = target {
        span.record("sbi.producer", tracing::field::display(&target.api_root));
        if let Some(producer) = &target.producer {
            span.record("sbi.nf_instance", producer.nf_instance.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of W3C Trace Context 3.2.3 and 3.2.4, and what is none.
    #[test]
    fn spans_of_others() {
        let plain = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = Parent::read(plain).unwrap();
        assert_eq!(
            (parent.trace, parent.span),
            (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7)
        );
        assert_eq!((parent.flags, parent.to_string().as_str()), (1, plain));
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-what-will-be";
        assert_eq!(Parent::read(later), Some(Parent { flags: 0, ..parent }));
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-+0f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "é0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        ] {
            assert_eq!(Parent::read(wrong), None, "{wrong}");
        }
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            headers.append(TRACEPARENT, HeaderValue::from_static(plain));
            assert_eq!(Parent::of(&headers).is_some(), headers.get_all(TRACEPARENT).iter().count() == 1);
        }
    }
}
