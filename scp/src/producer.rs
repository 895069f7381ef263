//! Who may answer a call, and the order in which they are asked.

use std::collections::VecDeque;
use std::sync::Arc;

use http::uri::PathAndQuery;

use crate::api_root::ApiRoot;

/// An NF service instance, as the NRF or configuration names it (TS 29.510 6.1.6.2.2, 6.1.6.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Its NF instance: a UUID.
    pub nf_instance: String,
    /// Its service instance.
    pub service_instance: Option<String>,
    /// Its service, as `nudm-sdm`.
    pub service: String,
    /// Sets that its NF instance belongs to.
    pub nf_sets: Vec<String>,
    /// Sets that the service instance belongs to.
    pub service_sets: Vec<String>,
    /// Where it is.
    pub api_root: ApiRoot,
    /// 0 to 65535; the lowest is chosen first.
    pub priority: u16,
    /// Its share among those of its priority: 0 to 65535.
    pub capacity: u16,
    /// Percent of it in use: 0 to 100.
    pub load: Option<u8>,
    /// Where it stands.
    pub locality: Option<String>,
    /// The path of the callback that was chosen of it (6.10.3.3).
    pub callback: Option<PathAndQuery>,
}

/// What kind of node the next hop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The producer, or the consumer of a notification.
    Producer,
    /// Another SCP.
    Scp,
    /// The way to another network.
    Sepp,
}

/// Where an attempt goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whom to connect to.
    pub api_root: ApiRoot,
    /// What it is.
    pub hop: Hop,
    /// What is known of it, where this SCP looked it up.
    pub producer: Option<Arc<Producer>>,
    /// Whether this SCP selected it: the client then is told whom (6.10.3.4, 6.10.4).
    pub chosen: bool,
    /// The producer's API root, where the next hop is not it (6.10.2.5).
    pub onward: Option<ApiRoot>,
    /// The path, where the request's own is only a name for it (6.10.3.3).
    pub path: Option<PathAndQuery>,
}

/// What to search with: discovery factors, and what of the answer may be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Parameters of discovery beside those of the call's own headers, replacing any of the same name.
    pub factors: Vec<(&'static str, String)>,
    /// Of the answer, only this NF instance.
    pub nf_instance: Option<String>,
    /// Of the answer, no service instance of this NF instance.
    pub not_nf_instance: Option<String>,
    /// Of the answer, only this service instance.
    pub service_instance: Option<String>,
    /// Of the answer, only members of this NF service set.
    pub service_set: Option<String>,
}

/// A way to somebody who may answer.
#[derive(Clone, Debug)]
pub enum Step {
    /// One place, given.
    Place(Box<Target>),
    /// Whoever is found.
    Find(Box<Query>),
}

/// The ways, in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What is left of them.
    pub steps: VecDeque<Step>,
}

impl Target {
    /// A place that the client named.
    #[must_use]
    pub const fn given(api_root: ApiRoot, hop: Hop) -> Self {
        Self { api_root, hop, producer: None, chosen: false, onward: None, path: None }
    }

    /// A producer that this SCP selected.
    #[must_use]
    pub fn chosen(producer: Arc<Producer>) -> Self {
        Self {
            api_root: producer.api_root.clone(),
            hop: Hop::Producer,
            chosen: true,
            onward: None,
            path: producer.callback.clone(),
            producer: Some(producer),
        }
    }
}

impl Plan {
    /// One place, and no other.
    #[must_use]
    pub fn place(target: Target) -> Self {
        Self { steps: VecDeque::from([Step::Place(Box::new(target))]) }
    }
}
