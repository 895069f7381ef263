//! What was done for each service.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use foldhash::quality::RandomState;
use http::StatusCode;

use super::counts::{Atomic, Counts};
use crate::cause::Cause;
use crate::discovery::{Api, type_of_service};

/// What was counted of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceCounts {
    /// As `nudm-sdm`; `notification` for callbacks, `other` for what is neither.
    pub service: String,
    /// The type of the NFs that serve it, as `UDM`; empty where the name does not tell.
    pub nf_type: String,
    /// Responses by the class of their status: 1xx to 5xx.
    pub classes: [u64; 5],
    /// Answers of the SCP's own by cause, those that there were any of.
    pub causes: Vec<(Cause, u64)>,
    /// The time from a request's headers to those of its response, of all together, in microseconds.
    pub spent: u64,
}

/// Services that are told apart: their names are the clients' to make up.
const MOST: usize = 256;

/// All services.
#[derive(Debug, Default)]
pub(super) struct Services {
    known: RwLock<HashMap<Box<str>, Arc<Service>, RandomState>>,
}

/// One service.
#[derive(Debug)]
pub(crate) struct Service {
    name: Box<str>,
    counts: Atomic,
}

impl Services {
    /// That which a path below an API root is of.
    pub(super) fn of(&self, path: &str, callback: bool) -> Arc<Service> {
        let plain = |name: &&str| {
            name.starts_with('n')
                && name.len() <= 64
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
        };
        let name = match Api::of(path) {
            _ if callback => "notification",
            api => api.map(|api| api.name).filter(plain).unwrap_or(OTHER),
        };
        if let Some(service) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(service);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let name = if known.len() < MOST || known.contains_key(name) { name } else { OTHER };
        Arc::clone(known.entry(name.into()).or_insert_with(|| Arc::new(Service::new(name))))
    }

    pub(super) fn read(&self) -> Vec<ServiceCounts> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = known.values().map(|it| it.read()).collect();
        all.sort_unstable_by(|one, other| one.service.cmp(&other.service));
        all
    }

    /// What was counted of all together.
    pub(super) fn sum(&self) -> Counts {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Atomic::sum(&known.values().map(|it| &it.counts).collect::<Vec<_>>())
    }
}

const OTHER: &str = "other";

impl Service {
    fn new(name: &str) -> Self {
        Self { name: name.into(), counts: Atomic::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// One more response; none: its client did not wait for it.
    pub(super) fn add(&self, status: Option<StatusCode>, cause: Option<Cause>, took: Duration) {
        self.counts.add(status, cause, took);
    }

    fn read(&self) -> ServiceCounts {
        let Counts { statuses, causes, spent, .. } = Atomic::sum(&[&self.counts]);
        let mut classes = [0; 5];
        for (status, count) in statuses {
            let class = usize::from(status / 100).checked_sub(1).and_then(|it| classes.get_mut(it));
            class.into_iter().for_each(|class| *class += count);
        }
        let nf_type = type_of_service(&self.name).unwrap_or_default();
        ServiceCounts { service: self.name.to_string(), nf_type, classes, causes, spent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_apart_as_their_paths_begin() {
        let services = Services::default();
        let add = |path: &str, callback: bool, status: u16, cause: Option<Cause>| {
            let status = StatusCode::from_u16(status).unwrap();
            services.of(path, callback).add(Some(status), cause, Duration::from_micros(10));
        };
        add("/nudm-sdm/v2/imsi-1/nssai", false, 200, None);
        add("/nudm-sdm/v1/x", false, 504, Some(Cause::TargetNfNotReachable));
        add("/namf-callback/v1/x", true, 204, None);
        add("/Nudm-sdm/v2/x", false, 404, None);
        add("/", false, 400, Some(Cause::NfDiscoveryFailure));
        let of = |service: &str, nf_type: &str, classes, causes, spent| ServiceCounts {
            service: service.to_owned(),
            nf_type: nf_type.to_owned(),
            classes,
            causes,
            spent,
        };
        let expected = [
            of("notification", "", [0, 1, 0, 0, 0], vec![], 10),
            of("nudm-sdm", "UDM", [0, 1, 0, 0, 1], vec![(Cause::TargetNfNotReachable, 1)], 20),
            of("other", "", [0, 0, 0, 2, 0], vec![(Cause::NfDiscoveryFailure, 1)], 20),
        ];
        assert_eq!(services.read(), expected);
    }

    #[test]
    fn names_that_clients_make_up_are_bounded() {
        let services = Services::default();
        for number in 0..MOST * 2 {
            let path = format!("/nudm-{number}/v1/x");
            services.of(&path, false).add(Some(StatusCode::OK), None, Duration::ZERO);
        }
        let all = services.read();
        assert!(all.len() <= MOST + 1);
        assert_eq!(all.iter().map(|it| it.classes[1]).sum::<u64>(), MOST as u64 * 2);
        assert!(all.iter().any(|it| it.service == "other" && it.classes[1] > 1));
    }
}
