//! The SCP where there is no daemon's process: the same, in this one, on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;

use pinion_scp::{Scp, Speech};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use super::understood;
use crate::demo::configuration;
use crate::demo::error::DemoError;

/// Connections that wait to be accepted.
const WAITING: u32 = 128;

/// An SCP that runs until it is dropped.
pub(super) struct Running {
    /// Where it listens.
    pub(super) at: SocketAddr,
    _serves: watch::Sender<bool>,
}

impl Running {
    /// Starts it at a port that is free.
    pub(super) fn start(nrf: SocketAddr) -> Result<Self, DemoError> {
        let listener = listen().map_err(DemoError::system("the SCP's port"))?;
        let at = listener.local_addr().map_err(DemoError::system("the SCP's port"))?;
        let config = understood(&configuration::sbi(at, nrf))?;
        let sbi = config.sbi.ok_or_else(|| DemoError::Configuration("no SCP".to_owned()))?;
        let instance = sbi.settings.identity.instance.clone().unwrap_or_default();
        let prepared = crate::sbi::prepare(&sbi, &instance);
        let prepared = prepared.map_err(|error| DemoError::Configuration(error.to_string()))?;
        let scp = Scp::new(prepared, SystemTime::now, crate::sbi::secret);
        let (serves, told) = watch::channel(false);
        tokio::spawn(async move {
            let mut dropped = told.clone();
            tokio::select! {
                () = async { tokio::join!(scp.serve(listener, Speech::Clear, told.clone()), scp.tend(told)); } => {}
                // It is only ever dropped.
                _ = dropped.changed() => {}
            }
        });
        Ok(Self { at, _serves: serves })
    }
}

fn listen() -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(WAITING)
}
