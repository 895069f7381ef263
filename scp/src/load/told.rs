//! What this SCP says of its own overload: 3gpp-Sbi-Oci in responses while it is hot (TS 29.500 6.4.3.3).

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use http::HeaderValue;
use pinion_protocols::sbi::{Oci, OverloadControl, Scope, ScopeEntity};
use tower::{Layer, Service};

use crate::call::{Arrival, Call, Reply};
use crate::clock::timestamp;
use crate::context::Context;
use crate::names;
use crate::overload::Gate;
use crate::tally::Event;

/// For how many seconds what is said holds.
const VALIDITY: u32 = 5;

/// Puts [`Told`] around a service.
#[derive(Clone, Debug)]
pub struct ToldLayer {
    /// Who is at work, and who waits.
    pub gate: Gate,
}

/// Says in responses how hot the SCP is.
#[derive(Clone, Debug)]
pub struct Told<S> {
    gate: Gate,
    inner: S,
}

impl<S> Layer<S> for ToldLayer {
    type Service = Told<S>;

    fn layer(&self, inner: S) -> Told<S> {
        Told { gate: self.gate.clone(), inner }
    }
}

impl<S> Service<Call> for Told<S>
where
    S: Service<Call, Response = Reply, Error = Infallible>,
    S::Future: Unpin,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = Telling<S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let context = Arc::clone(&call.context);
        Telling { inner: self.inner.call(call), context, gate: self.gate.clone() }
    }
}

/// A response, with what there is to say.
#[derive(Debug)]
pub struct Telling<F> {
    inner: F,
    context: Arc<Context>,
    gate: Gate,
}

impl<F> Future for Telling<F>
where
    F: Future<Output = Result<Reply, Infallible>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Task<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.inner).poll(context).map(|reply| {
            reply.map(|mut reply| {
                if let Some(oci) = oci(&self.gate, &self.context.arrival) {
                    self.context.arrival.prepared.tally.one(Event::OverloadTold);
                    reply.headers_mut().append(names::OCI, oci);
                }
                reply
            })
        })
    }
}

/// What there is to say.
fn oci(gate: &Gate, arrival: &Arrival) -> Option<HeaderValue> {
    let settings = &arrival.prepared.settings;
    let reduction = reduction(gate.percent(&settings.limits), settings.overload.hot)?;
    let scope = Scope {
        entity: ScopeEntity::Scp(&settings.identity.fqdn),
        nf_instance: None,
        service_name: None,
        snssais: Vec::new(),
        dnns: Vec::new(),
        others: Vec::new(),
    };
    let timestamp = timestamp(arrival.now());
    let element = OverloadControl { timestamp, validity: VALIDITY, reduction, scope };
    HeaderValue::try_from(Oci(vec![element]).to_string()).ok()
}

/// Of a hundred requests, how many are too many: none up to `hot` percent of what can be done, then so many that the rest
/// would be `hot` percent again.
fn reduction(percent: usize, hot: u8) -> Option<u8> {
    let over = percent.checked_sub(usize::from(hot)).filter(|it| *it > 0)?;
    u8::try_from((over * 100 / percent.max(1)).clamp(1, 99)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f7_what_is_over_is_asked_to_stay_away() {
        assert_eq!(reduction(79, 80), None);
        assert_eq!(reduction(80, 80), None);
        assert_eq!(reduction(100, 80), Some(20));
        assert_eq!(reduction(160, 80), Some(50));
        assert_eq!(reduction(100_000, 80), Some(99));
    }
}
