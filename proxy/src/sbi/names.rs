//! Where producers are: the hosts file, then DNS, with the time for which an answer holds.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pinion_scp::resolve::{Addresses, Looked, Resolve, System};

use crate::discover::{DiscoverError, Discoverer};

/// The system's own names.
const HOSTS: &str = "/etc/hosts";

/// How long what the hosts file says holds: it may change at any time.
const LOCAL: Duration = Duration::from_secs(5);

/// Who knows where hosts are: these DNS servers, or where none is named those of the system.
pub(super) fn resolver(servers: &[SocketAddr]) -> Arc<dyn Resolve> {
    match Dns::new(servers, HOSTS.into()) {
        Ok(dns) => Arc::new(dns),
        Err(error) => {
            tracing::warn!(%error, "names of producers are looked up by the system, which does not say how long they hold");
            Arc::new(System)
        }
    }
}

/// A hosts file and DNS.
#[derive(Debug)]
pub struct Dns {
    discoverer: Discoverer,
    hosts: PathBuf,
}

impl Dns {
    /// One that asks these servers, or where none is named those of `/etc/resolv.conf`, for what the hosts file does not
    /// have. To be used within a tokio runtime.
    ///
    /// # Errors
    /// Where the servers are not known.
    pub fn new(servers: &[SocketAddr], hosts: PathBuf) -> Result<Self, DiscoverError> {
        Ok(Self { discoverer: Discoverer::new(servers)?, hosts })
    }
}

impl Resolve for Dns {
    fn look<'a>(&'a self, host: &'a str) -> Looked<'a> {
        Box::pin(async move {
            let all = local(&self.hosts, host).await;
            if !all.is_empty() {
                return Ok(Addresses { all, valid: Some(LOCAL) });
            }
            let (all, valid) = self.discoverer.addresses_of(host).await.map_err(|error| {
                let kind = if error.is_nobody() { io::ErrorKind::NotFound } else { io::ErrorKind::Other };
                io::Error::new(kind, error)
            })?;
            Ok(Addresses { all, valid: Some(valid) })
        })
    }
}

/// What a hosts file says of a host; a file that cannot be read says nothing.
async fn local(file: &Path, host: &str) -> Vec<IpAddr> {
    let text = tokio::fs::read_to_string(file).await.unwrap_or_default();
    let host = host.trim_end_matches('.');
    let address = |line: &str| {
        let mut words = line.split('#').next()?.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.trim_end_matches('.').eq_ignore_ascii_case(host)).then_some(address)
    };
    text.lines().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As hosts(5) has it.
    #[tokio::test]
    async fn the_hosts_file_names_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts");
        let text = "# 192.0.2.9 udm.example\n127.0.0.1\tlocalhost # udm.example\n::1 localhost ip6-localhost\n\
                    192.0.2.1 udm1 UDM.example\nfe80::1%lo0 udm.example\nnothing udm.example\n2001:db8::1 udm.example.\n";
        std::fs::write(&path, text).unwrap();
        let said = async |host: &str| {
            local(&path, host).await.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(said("localhost").await, "127.0.0.1 ::1");
        assert_eq!(said("udm.example").await, "192.0.2.1 2001:db8::1");
        assert_eq!(said("udm1.").await, "192.0.2.1");
        assert_eq!(said("udm").await, "");
        assert!(local(&folder.path().join("none"), "localhost").await.is_empty());
    }
}
