//! What is told of the NRF, and of this SCP to it.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use pinion_protocols::sbi::Factor;
use serde::{Deserialize, Serialize};

use crate::api_root::ApiRoot;

/// The NRF that is asked, and how this SCP is known to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NrfSettings {
    /// The NRF instances of a set: any of them answers for all (TS 23.501 6.2.6). The one that answered last is asked first.
    pub roots: Vec<ApiRoot>,
    /// How long one of them may take to answer.
    pub timeout: Duration,
    /// Whether clients may name another NRF by 3gpp-Sbi-Nrf-Uri (TS 29.500 6.10.3.2).
    pub named: bool,
    /// How this SCP registers; none: it does not.
    pub registration: Option<Registration>,
    /// Where the NRF sends NFStatusNotify, an API root of this SCP; none: there are no subscriptions.
    pub notify: Option<ApiRoot>,
    /// For how long subscriptions are asked for.
    pub subscription: Duration,
}

/// An SCP's profile (TS 29.510 6.1.6.2.2, 6.1.6.2.65).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// Its NF instance, a UUID.
    pub instance: String,
    /// Where it listens: `http` and `https` and the port of each.
    pub ports: BTreeMap<String, u16>,
    /// Its addresses, of either family.
    pub addresses: Vec<std::net::IpAddr>,
    /// SCP domains that it is in.
    pub domains: Vec<String>,
    /// Domains of names that it reaches.
    pub address_domains: Vec<String>,
    /// NF sets that it serves; all where there is none.
    pub served_sets: Vec<String>,
    /// Networks that it is the way to.
    pub remote_plmns: Vec<PlmnId>,
    /// Networks that it is in.
    pub plmns: Vec<PlmnId>,
    /// Where it stands.
    pub locality: Option<String>,
    /// 0 to 65535; the lowest is chosen first.
    pub priority: Option<u16>,
    /// Its share among those of its priority: 0 to 65535.
    pub capacity: Option<u16>,
}

/// A public land mobile network, as JSON has it (TS 29.571 5.4.4.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlmnId {
    /// Mobile country code: 3 digits.
    pub mcc: String,
    /// Mobile network code: 2 or 3 digits.
    pub mnc: String,
}

impl PlmnId {
    /// The networks that a discovery header names (TS 29.500 5.2.3.2.7); none where it is not there, or cannot be read.
    pub(crate) fn named(headers: &HeaderMap, by: &HeaderName) -> Option<Vec<Self>> {
        let factor = Factor::parse(Factor::parameter(by.as_str())?, headers.get(by)?.as_bytes()).ok()?;
        serde_json::from_str(&factor.json()?).ok()
    }
}

impl NrfSettings {
    /// How long an NRF may take to answer where nobody says otherwise.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

    /// A set of NRFs, with what is usual for the rest, and no registration.
    #[must_use]
    pub fn new(roots: Vec<ApiRoot>) -> Self {
        Self {
            roots,
            timeout: Self::TIMEOUT,
            named: true,
            registration: None,
            notify: None,
            subscription: Duration::from_hours(24),
        }
    }
}
