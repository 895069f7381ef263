//! What is reached by a link.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pinion_protocols::addresses::is_within;

/// A way to the addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// An address, and how many bits others that go this way have in common with it.
    pub to: (IpAddr, u8),
    /// The router, which is on the link; `None`: they are on the link themselves.
    pub via: Option<IpAddr>,
}

impl Route {
    /// To everything of the router's family.
    pub fn default_by(router: IpAddr) -> Self {
        let all = if router.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        Self { to: (all, 0), via: Some(router) }
    }

    /// Whether it is a way to somebody.
    pub fn leads_to(&self, destination: IpAddr) -> bool {
        let (to, length) = self.to;
        is_within(destination, to, length)
    }
}
