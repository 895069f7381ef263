//! How requests get to the NRF.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::Instant;

use crate::api_root::ApiRoot;
use crate::body::{Body, collect};
use crate::pools::{Holder, Pools, Urgency};
use crate::prepared::Prepared;

/// An answer, or why there is none.
pub type Answer = Pin<Box<dyn Future<Output = Result<Response<Bytes>, String>> + Send>>;

/// Sends requests; in tests to where there is no network.
pub trait Exchange: Send + Sync {
    /// Sends a request whose URI is absolute, and waits for all of its answer, at most for `timeout`.
    fn send(&self, to: ApiRoot, request: Request<Bytes>, timeout: Duration) -> Answer;
}

/// An exchange that several share.
pub type Link = Arc<dyn Exchange>;

/// An exchange through the connections that calls use too.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Connections.
    pub pools: Pools,
    /// What they go by.
    pub prepared: Arc<Prepared>,
}

impl Wire {
    /// One that several share.
    pub(crate) fn link(pools: &Pools, prepared: &Arc<Prepared>) -> Link {
        Arc::new(Self { pools: pools.clone(), prepared: Arc::clone(prepared) })
    }
}

/// Octets of an answer: a search may find some thousand profiles.
const MOST: usize = 16 * 1024 * 1024;

/// Requests to the NRF are as urgent as the most urgent that may wait for them.
const PRIORITY: u8 = 0;

impl Exchange for Wire {
    fn send(&self, to: ApiRoot, request: Request<Bytes>, timeout: Duration) -> Answer {
        let Self { pools, prepared } = self.clone();
        Box::pin(async move {
            let now = Instant::now();
            let deadline = now.checked_add(timeout).unwrap_or(now);
            let urgency = Urgency { priority: PRIORITY, begun: now, deadline };
            let (head, content) = request.into_parts();
            let content = if content.is_empty() { Body::Empty } else { Body::Whole(content) };
            let whole = async {
                let reply = pools
                    .send(&to, &Holder::Any, Request::from_parts(head, ()), content, urgency, &prepared)
                    .await
                    .map_err(|error| error.to_string())?;
                let (head, body) = reply.into_parts();
                Ok(Response::from_parts(head, collect(body, MOST).await.map_err(|error| error.to_string())?))
            };
            tokio::time::timeout_at(urgency.deadline, whole)
                .await
                .unwrap_or_else(|_| Err(format!("{to} did not answer within {timeout:?}")))
        })
    }
}
