//! Producers that get nothing new.

use std::time::Duration;

use crate::control::{ControlError, EndpointState, EndpointView, SbiProducer, TrafficView};
use crate::daemon::state::Daemon;

/// What the producers of SBI are a pool of, to who drains one.
const POOL: &str = "sbi";

impl Daemon {
    /// Gives a producer nothing new, or new requests again: all of an NF instance, or what is at an API root or an authority.
    /// `None`: no SCP runs.
    ///
    /// # Errors
    /// [`ControlError::NoProducer`]; [`ControlError::NoDeadline`]: resources are their clients' to end.
    pub(in crate::daemon) async fn drain_sbi(
        &self,
        name: &str,
        drain: bool,
        deadline: Option<Duration>,
    ) -> Result<Option<EndpointView>, ControlError> {
        let running = self.sbi.lock().await;
        let Some(host) = running.as_ref() else { return Ok(None) };
        let name = name.strip_prefix(POOL).and_then(|it| it.strip_prefix('/')).unwrap_or(name);
        let authority = |it: &SbiProducer| it.api_root.split_once("://").is_some_and(|(_, place)| place == name);
        let is =
            |it: &SbiProducer| it.nf_instance.as_deref() == Some(name) || it.api_root == name || authority(it);
        let its: Vec<_> = host.producers().into_iter().filter(is).collect();
        if deadline.is_some() {
            return Err(ControlError::NoDeadline(name.to_owned()));
        }
        let known = match its.first() {
            Some(producer) if producer.nf_instance.as_deref() != Some(name) => &producer.api_root,
            Some(_) => name,
            // It went away while it drained.
            None if !drain && host.scp().parts().drained.any(Some(name), "") => name,
            None => return Err(ControlError::NoProducer(name.to_owned())),
        };
        // However it came to be drained.
        let all = || {
            its.iter().flat_map(|it| it.nf_instance.iter().chain([&it.api_root])).map(String::as_str).chain([name])
        };
        let kept = if drain { host.drain([known], true) } else { host.drain(all(), false) };
        let (state, why) = if drain {
            (EndpointState::Draining, "asked to drain")
        } else {
            (EndpointState::Up, "drains no more")
        };
        let weight = u32::from(!drain);
        Ok(Some(EndpointView {
            pool: POOL.to_owned(),
            name: known.to_owned(),
            port: None,
            weight: 1,
            effective: weight,
            priority: 0,
            state,
            why: kept
                .err()
                .map_or_else(|| why.to_owned(), |error| format!("{why}, until the daemon ends: {error}")),
            since: Duration::ZERO,
            paths: Vec::new(),
            sessions: its.iter().map(|it| it.resources).sum(),
            deadline: None,
            traffic: TrafficView::default(),
            load: None,
        }))
    }
}
