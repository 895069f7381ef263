//! An NRF without a network, for tests: a function that answers, and what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use super::link::{Answer, Exchange};
use crate::api_root::ApiRoot;

type Answers = dyn Fn(&ApiRoot, &Request<Bytes>) -> Result<Response<Bytes>, String> + Send + Sync;

pub(crate) struct Script {
    answers: Box<Answers>,
    sent: Mutex<Vec<Request<Bytes>>>,
    delay: Duration,
}

impl Script {
    pub(crate) fn new(
        answers: impl Fn(&ApiRoot, &Request<Bytes>) -> Result<Response<Bytes>, String> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::slow(Duration::ZERO, answers)
    }

    /// One that takes its time.
    pub(crate) fn slow(
        delay: Duration,
        answers: impl Fn(&ApiRoot, &Request<Bytes>) -> Result<Response<Bytes>, String> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { answers: Box::new(answers), sent: Mutex::default(), delay })
    }

    /// What it was asked.
    pub(crate) fn sent(&self) -> Vec<Request<Bytes>> {
        self.sent.lock().unwrap().clone()
    }
}

impl Exchange for Script {
    fn send(&self, to: ApiRoot, request: Request<Bytes>, _: Duration) -> Answer {
        let answer = (self.answers)(&to, &request);
        self.sent.lock().unwrap().push(request);
        let delay = self.delay;
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            answer
        })
    }
}

pub(crate) fn root(text: &str) -> ApiRoot {
    ApiRoot::parse(text).unwrap()
}
