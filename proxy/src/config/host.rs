//! What is known of this host.

use std::io;
use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;

use super::Host;

impl Host {
    /// This host, in this network namespace, as it is now.
    ///
    /// # Errors
    ///
    /// What the system says where it does not list its interfaces.
    pub fn here() -> io::Result<Self> {
        let mut host = Self { files: true, ..Self::default() };
        for interface in getifaddrs()? {
            if !host.interfaces.contains(&interface.interface_name) {
                host.interfaces.push(interface.interface_name);
            }
            let Some(address) = interface.address else {
                continue;
            };
            if let Some(v4) = address.as_sockaddr_in() {
                host.addresses.push(IpAddr::V4(v4.ip()));
            } else if let Some(v6) = address.as_sockaddr_in6() {
                host.addresses.push(IpAddr::V6(v6.ip()));
            }
        }
        Ok(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_a_loopback_interface() {
        let host = Host::here().unwrap();
        assert!(host.interfaces.iter().any(|name| name == "lo"), "{host:?}");
        assert!(host.addresses.contains(&IpAddr::from([127, 0, 0, 1])), "{host:?}");
    }
}
