//! NFStatusNotify: the NRF tells of a change, at this SCP's own address (TS 29.510 5.2.2.6).

use std::convert::Infallible;
use std::task::{Context as Task, Poll};

use http::uri::{Authority, PathAndQuery, Uri};
use http::{Method, Response, StatusCode, header};
use tokio::time::timeout_at;
use tower::{Layer, Service};

use super::subscriptions::NotificationData;
use crate::api_root::{ApiRoot, Transport};
use crate::before::Way;
use crate::body::{Body, BodyError, collect};
use crate::call::{Call, Reply, Serve};
use crate::cause::Cause;
use crate::deadline;
use crate::discovery::Directory;
use crate::failure::Failure;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::tally::Event;

/// Path of the notifications below this SCP's API root; their place of [`Places`](super::Places) follows.
pub const NOTIFY_PATH: &str = "/pinion-scp/v1/nf-status";

/// Octets of a notification: a profile is in it.
const MOST: usize = 1024 * 1024;

/// Puts [`Notice`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct NoticeLayer;

/// Takes the NRF's notifications; all else goes on.
#[derive(Clone, Copy, Debug)]
pub struct Notice<S> {
    inner: S,
}

impl<S> Layer<S> for NoticeLayer {
    type Service = Notice<S>;

    fn layer(&self, inner: S) -> Notice<S> {
        Notice { inner }
    }
}

impl<S> Service<Box<Call>> for Notice<S>
where
    S: Serve,
    S::Future: Unpin,
{
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Way<S::Future>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Box<Call>) -> Self::Future {
        let Some(place) = noticed(&call) else { return Way::On(self.inner.call(call)) };
        let tally = &call.prepared().tally;
        // Who is not the NRF does not know where it tells.
        let Some(nf_type) = call.parts().directory.places().nf_type(place) else {
            tally.one(Event::NoticeStrange);
            let problem = Problem::new(Cause::SubscriptionNotFound).detail("there is no such subscription");
            return Way::ended(call, problem.into());
        };
        tally.one(Event::NoticeTaken);
        if call.headers().contains_key(header::EXPECT) {
            call.context.early.go_on();
        }
        Way::Round(Box::pin(async move {
            let content = call.request.body_mut().read().unwrap_or_default();
            // Content that does not end holds its place no longer than another request's would.
            let taken = timeout_at(call.context.deadline.at, take(&call.parts().directory, &nf_type, content));
            let answer = taken.await.unwrap_or_else(|_| Err(deadline::late()));
            Ok(call.with(answer))
        }))
    }
}

/// The place of a notification that is for this SCP itself; none where it is no such notification.
fn noticed(call: &Call) -> Option<&str> {
    let settings = &call.context.origin.prepared.settings;
    let notify = settings.nrf.as_ref()?.notify.as_ref()?;
    let ours = |transport: Transport, authority: &Authority| {
        let mut known = settings.identity.authorities.iter().chain([&notify.authority]);
        known.any(|it| transport.leads_alike(it, authority))
    };
    let uri = call.request.uri();
    let place = place(uri, settings)?;
    let transport = ApiRoot::of(uri).map_or(notify.transport, |it| it.transport);
    let addressed = uri.authority().is_none_or(|it| ours(transport, it))
        && call.context.target.as_ref().is_none_or(|it| ours(it.transport, &it.authority));
    (call.request.method() == Method::POST && addressed).then_some(place)
}

fn place<'a>(uri: &'a Uri, settings: &Settings) -> Option<&'a str> {
    let notify = settings.nrf.as_ref()?.notify.as_ref()?;
    uri.path().strip_prefix(notify.prefix())?.strip_prefix(NOTIFY_PATH)?.strip_prefix('/')
}

/// The path of a request as it is shown to others than the NRF: who knows a place is taken for the NRF.
pub(crate) fn shown(uri: &Uri, settings: &Settings) -> Option<PathAndQuery> {
    match place(uri, settings) {
        Some(place) => uri.path().strip_suffix(place)?.parse().ok(),
        None => uri.path_and_query().cloned(),
    }
}

async fn take(directory: &Directory, nf_type: &str, content: Body) -> Result<Reply, Failure> {
    let content = collect(content, MOST).await.map_err(|error| match error {
        BodyError::TooLong(_) => Problem::new(Cause::PayloadTooLarge).detail(error.to_string()),
        other => Problem::new(Cause::InvalidMsgFormat).detail(other.to_string()),
    })?;
    let notice: NotificationData = serde_json::from_slice(&content)
        .map_err(|error| Problem::new(Cause::InvalidMsgFormat).detail(error.to_string()))?;
    tracing::debug!(event = notice.event, instance = notice.nf_instance(), "the NRF tells of a change");
    match notice.loads() {
        Some(loads) => loads.iter().for_each(|load| directory.loaded(notice.nf_instance(), load)),
        None => directory.changed(notice.nf_instance(), nf_type, notice.gone()),
    }
    let mut reply = Response::new(Body::Empty);
    *reply.status_mut() = StatusCode::NO_CONTENT;
    Ok(reply)
}
