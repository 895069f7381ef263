//! NFStatusNotify: the NRF tells of a change, at this SCP's own address (TS 29.510 5.2.2.6).

use std::task::{Context as Task, Poll};

use http::{Method, Response, StatusCode};
use tower::{Layer, Service};

use super::subscriptions::NotificationData;
use crate::before::Answering;
use crate::body::{Body, BodyError, collect};
use crate::call::{Call, Reply};
use crate::cause::Cause;
use crate::discovery::Directory;
use crate::failure::Failure;
use crate::problem::Problem;

/// Path of the notifications below this SCP's API root.
pub const NOTIFY_PATH: &str = "/pinion-scp/v1/nf-status";

/// Octets of a notification: a profile is in it.
const MOST: usize = 1024 * 1024;

/// Puts [`Notice`] around a service.
#[derive(Clone, Debug)]
pub struct NoticeLayer {
    /// What is told of changes.
    pub directory: Directory,
}

/// Takes the NRF's notifications; all else goes on.
#[derive(Clone, Debug)]
pub struct Notice<S> {
    directory: Directory,
    inner: S,
}

impl<S> Layer<S> for NoticeLayer {
    type Service = Notice<S>;

    fn layer(&self, inner: S) -> Notice<S> {
        Notice { directory: self.directory.clone(), inner }
    }
}

impl<S> Service<Call> for Notice<S>
where
    S: Service<Call, Response = Reply, Error = Failure>,
    S::Future: Send + 'static,
{
    type Response = Reply;
    type Error = Failure;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Answering {
        if is_notice(&call) {
            let directory = self.directory.clone();
            return Box::pin(async move { take(&directory, call.request.into_body()).await });
        }
        Box::pin(self.inner.call(call))
    }
}

/// Whether it is for where this SCP has the NRF send its notifications.
fn is_notice(call: &Call) -> bool {
    let settings = &call.context.arrival.prepared.settings;
    let uri = call.request.uri();
    let Some(notify) = settings.nrf.as_ref().and_then(|nrf| nrf.notify.as_ref()) else { return false };
    call.request.method() == Method::POST
        && uri.path().strip_prefix(notify.prefix()) == Some(NOTIFY_PATH)
        && call.context.target.as_ref().is_none_or(|target| target.authority == notify.authority)
}

async fn take(directory: &Directory, content: Body) -> Result<Reply, Failure> {
    let content = collect(content, MOST).await.map_err(|error| match error {
        BodyError::TooLong(_) => Problem::new(Cause::PayloadTooLarge).detail(error.to_string()),
        other => Problem::new(Cause::InvalidMsgFormat).detail(other.to_string()),
    })?;
    let notice: NotificationData = serde_json::from_slice(&content)
        .map_err(|error| Problem::new(Cause::InvalidMsgFormat).detail(error.to_string()))?;
    tracing::debug!(event = notice.event, instance = notice.nf_instance(), "the NRF tells of a change");
    directory.changed(notice.nf_instance(), notice.nf_type(), notice.gone());
    let mut reply = Response::new(Body::Empty);
    *reply.status_mut() = StatusCode::NO_CONTENT;
    Ok(reply)
}
