//! Who is on the network of SBI, and what the NRF knows of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::{Value, json};

/// How many UDMs there are, and how many SMFs.
pub(crate) const UDMS: u8 = 3;
pub(crate) const SMFS: u8 = 3;

/// Those that ask: the AMFs that live. The second sends the bindings that it was given, the first knows of none.
pub(crate) const AMFS: [Function; 2] =
    [Function { kind: Kind::Amf, number: 1 }, Function { kind: Kind::Amf, number: 3 }];

/// The NRF.
pub(crate) const NRF: Function = Function { kind: Kind::Nrf, number: 1 };

/// Where Pinion is on the network of namespaces, and the length of that network's prefix.
pub(crate) const SCP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 5, 0, 1)), 7777);
pub(crate) const PREFIX: u8 = 24;

/// Where network functions listen there.
const PORT: u16 = 8000;

/// What a network function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// It knows the others.
    Nrf,
    /// It asks.
    Amf,
    /// It has subscriptions of AMFs to changes of their users' data (TS 29.503 5.2).
    Udm,
    /// It has SM contexts (TS 29.502 5.2).
    Smf,
}

impl Kind {
    /// As the NRF has it (TS 29.510 6.1.6.3.3).
    pub(crate) const fn nf_type(self) -> &'static str {
        match self {
            Self::Nrf => "NRF",
            Self::Amf => "AMF",
            Self::Udm => "UDM",
            Self::Smf => "SMF",
        }
    }

    /// The service that it is asked for, and its version.
    pub(crate) const fn service(self) -> (&'static str, &'static str) {
        match self {
            Self::Nrf => ("nnrf-disc", "v1"),
            Self::Amf => ("namf-comm", "v1"),
            Self::Udm => ("nudm-sdm", "v2"),
            Self::Smf => ("nsmf-pdusession", "v1"),
        }
    }

    /// The set that all of the kind belong to (TS 23.003 28.12).
    pub(crate) fn set(self) -> String {
        format!("set1.{}set.5gc.mnc001.mcc001", self.nf_type().to_lowercase())
    }
}

/// A network function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Function {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its number among its like, from 1.
    pub(crate) number: u8,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{}", self.kind.nf_type().to_lowercase(), self.number))
    }
}

impl Function {
    /// Its NF instance.
    pub(crate) fn instance(self) -> String {
        format!("5b1c0de0-0000-4000-8000-00000000{:02}{:02}", self.kind as u8, self.number)
    }

    /// Where it is on the network of namespaces.
    pub(crate) const fn place(self) -> SocketAddr {
        let host = (self.kind as u8).saturating_add(1).saturating_mul(10).saturating_add(self.number);
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 5, 0, host)), PORT)
    }

    /// The lowest is chosen first: one SMF is in reserve.
    const fn priority(self) -> u16 {
        match (self.kind, self.number) {
            (Kind::Smf, SMFS) => 2,
            _ => 1,
        }
    }

    /// The share of it among those of its priority: one UDM is twice as large as the others.
    const fn capacity(self) -> u16 {
        match (self.kind, self.number) {
            (Kind::Udm, 1) => 200,
            _ => 100,
        }
    }

    /// What the NRF knows of it (TS 29.510 6.2.6.2.3), when it listens there.
    pub(crate) fn profile(self, at: SocketAddr) -> Value {
        let (service, version) = self.kind.service();
        json!({
            "nfInstanceId": self.instance(), "nfType": self.kind.nf_type(), "nfStatus": "REGISTERED",
            "nfSetIdList": [self.kind.set()], "priority": self.priority(), "capacity": self.capacity(),
            "nfServices": [{
                "serviceInstanceId": "1", "serviceName": service, "scheme": "http", "nfServiceStatus": "REGISTERED",
                "versions": [{"apiVersionInUri": version, "apiFullVersion": format!("{}.0.0", version.trim_start_matches('v'))}],
                "ipEndPoints": [{"ipv4Address": at.ip(), "port": at.port()}],
            }],
        })
    }
}

/// Those that are asked, in the order of their names.
pub(crate) fn producers() -> impl Iterator<Item = Function> {
    let all = |kind, count| (1..=count).map(move |number| Function { kind, number });
    all(Kind::Udm, UDMS).chain(all(Kind::Smf, SMFS))
}

/// All.
pub(crate) fn functions() -> impl Iterator<Item = Function> {
    AMFS.into_iter().chain(producers()).chain([NRF])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nobody_is_where_another_is() {
        let places: BTreeSet<_> = functions().map(|it| it.place().ip()).chain([SCP.ip()]).collect();
        let instances: BTreeSet<_> = functions().map(Function::instance).collect();
        assert_eq!((places.len(), instances.len()), (functions().count() + 1, functions().count()));
        assert!(instances.iter().all(|it| it.len() == 36), "{instances:?}");
    }
}
