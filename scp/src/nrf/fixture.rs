//! An NRF without a network, for tests: a function that answers, and what it was asked.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::watch;

use super::link::{Answer, Exchange, Link};
use super::{Keeper, NrfSettings, Places, Preferred, Wanted};
use crate::api_root::ApiRoot;
use crate::prepared::Prepared;
use crate::settings::Settings;

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

/// What an SCP with such an NRF goes by, for as long as it is there.
pub(super) fn prepared(nrf: NrfSettings) -> watch::Sender<Arc<Prepared>> {
    let settings = Settings { nrf: Some(nrf), ..Settings::new("scp.example", Vec::new()) };
    watch::Sender::new(Arc::new(Prepared::new(settings, None, None)))
}

/// Who keeps an SCP known that goes by that.
pub(super) fn keeper(
    prepared: &watch::Sender<Arc<Prepared>>,
    script: &Arc<Script>,
) -> Keeper<impl Fn(&Arc<Prepared>) -> Link + Sync> {
    let script = Arc::clone(script);
    Keeper {
        prepared: prepared.subscribe(),
        link: move |_: &Arc<Prepared>| Arc::clone(&script) as Link,
        preferred: Preferred::default(),
        wanted: Wanted::default(),
        places: Places::default(),
        load: Arc::new(|| 0),
        clock: SystemTime::now,
        secret: || 0,
    }
}

pub(crate) fn root(text: &str) -> ApiRoot {
    ApiRoot::parse(text).unwrap()
}
