//! Addresses of next hops: an address is itself, a name is looked up and remembered for a while.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::FixedState;
use tokio::time::Instant;

/// Names that were looked up.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Mutex<HashMap<(String, u16), Known, FixedState>>,
}

#[derive(Debug)]
struct Known {
    addresses: Vec<SocketAddr>,
    until: Instant,
}

impl Names {
    /// The addresses of a host, families taking turns, as RFC 8305 4 has it.
    pub(super) async fn find(&self, host: &str, port: u16, remember: Duration) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let key = (host.to_owned(), port);
        let now = Instant::now();
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
            && known.until > now
        {
            return Ok(known.addresses.clone());
        }
        let addresses = alternating(tokio::net::lookup_host((host, port)).await?);
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, known| known.until > now);
        }
        if let (Some(until), true) = (now.checked_add(remember), all.len() < MOST) {
            all.insert(key, Known { addresses: addresses.clone(), until });
        }
        Ok(addresses)
    }

    /// What could not be connected to is looked up again the next time.
    pub(super) fn forget(&self, host: &str, port: u16) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&(host.to_owned(), port));
    }
}

/// Names that are remembered.
const MOST: usize = 4096;

fn alternating(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let (six, four): (Vec<_>, Vec<_>) = addresses.partition(SocketAddr::is_ipv6);
    let mut all = Vec::with_capacity(six.len() + four.len());
    let [mut six, mut four] = [six.into_iter(), four.into_iter()];
    loop {
        let pair = [six.next(), four.next()];
        if pair == [None, None] {
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let [a, b, c] = ["1.1.1.1:1", "2.2.2.2:1", "[::1]:1"].map(|it| it.parse::<SocketAddr>().unwrap());
        assert_eq!(alternating([a, b, c].into_iter()), [c, a, b]);
    }
}
