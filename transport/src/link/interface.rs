//! An interface, as its namespace has it.

use std::io;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::LinkAddr;

use super::ethernet::Mac;

/// An interface of the namespace of the thread that looked for it.
#[derive(Clone, Debug)]
pub struct Interface {
    pub(super) address: LinkAddr,
    /// Its name.
    pub name: String,
    /// Its index.
    pub index: u32,
    /// Its Ethernet address.
    pub mac: Mac,
}

impl Interface {
    /// Finds one by its name.
    ///
    /// # Errors
    ///
    /// `NotFound` where there is none, or it is no Ethernet; the system's.
    pub fn find(name: &str) -> io::Result<Self> {
        for interface in getifaddrs()? {
            let address = interface.address.as_ref().and_then(|address| address.as_link_addr().copied());
            if interface.interface_name == name
                && let Some(address) = address
                && address.halen() == 6
            {
                return Ok(Self {
                    mac: Mac(address.addr().unwrap_or_default()),
                    index: u32::try_from(address.ifindex()).unwrap_or_default(),
                    name: interface.interface_name,
                    address,
                });
            }
        }
        Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no Ethernet interface {name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        let error = Interface::find("nowhere0").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("nowhere0"));
    }
}
