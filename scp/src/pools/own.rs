//! This SCP's own listeners: whatever name leads to one, what is sent there comes round (TS 29.500 6.10.10).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where this SCP listens. Copies share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    listeners: Arc<Mutex<Vec<SocketAddr>>>,
}

/// A listener, until this is dropped.
#[derive(Debug)]
pub(crate) struct Listens {
    own: Own,
    at: SocketAddr,
}

impl Own {
    /// It listens at an address.
    pub(super) fn listens(&self, at: SocketAddr) -> Listens {
        self.lock().push(at);
        Listens { own: self.clone(), at }
    }

    /// Whether a connection to an address, from another, leads to one of the listeners.
    pub(super) fn is_reached(&self, to: SocketAddr, from: SocketAddr) -> bool {
        let [to_ip, from_ip] = [to, from].map(|it| it.ip().to_canonical());
        // What is here is reached from where it is.
        let here = to_ip == from_ip || to_ip.is_loopback();
        self.lock().iter().any(|listener| {
            let ip = listener.ip().to_canonical();
            listener.port() == to.port() && (ip == to_ip || (ip.is_unspecified() && here))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SocketAddr>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listens {
    fn drop(&mut self) {
        let mut listeners = self.own.lock();
        if let Some(at) = listeners.iter().position(|it| *it == self.at) {
            listeners.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f5_which_connections_lead_to_a_listener() {
        let own = Own::default();
        let reached = |to: &str, from: &str| own.is_reached(to.parse().unwrap(), from.parse().unwrap());
        let _one = own.listens("192.0.2.1:80".parse().unwrap());
        let all = own.listens("[::]:7777".parse().unwrap());
        assert!(reached("192.0.2.1:80", "192.0.2.1:5") && !reached("192.0.2.2:80", "192.0.2.1:5"));
        assert!(reached("192.0.2.1:7777", "192.0.2.1:5") && reached("[2001:db8::1]:7777", "[2001:db8::1]:5"));
        assert!(reached("[::ffff:127.0.0.9]:7777", "[::ffff:127.0.0.1]:5"));
        assert!(!reached("192.0.2.9:7777", "192.0.2.1:5") && !reached("192.0.2.1:81", "192.0.2.1:5"));
        drop(all);
        assert!(!reached("127.0.0.1:7777", "127.0.0.1:5") && reached("192.0.2.1:80", "192.0.2.1:5"));
    }
}
