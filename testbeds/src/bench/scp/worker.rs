//! An SCP with one worker, as a process: what `bench --worker` is.

use std::net::SocketAddr;
use std::time::SystemTime;

use pinion_scp::api_root::ApiRoot;
use pinion_scp::nrf::NrfSettings;
use pinion_scp::settings::Settings;
use pinion_scp::tls::{self, Clients, Pair};
use pinion_scp::{Prepared, Scp, Speech};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Where TLS is spoken, after the port where it is not.
pub(super) const TLS: u16 = 100;

/// Serves an address until SIGTERM, and over TLS the port [`TLS`] after it; discovery is asked of an NRF on loopback.
///
/// # Errors
/// Where it cannot listen.
pub fn run(address: SocketAddr, nrf: u16) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut ends = signal(SignalKind::terminate())?;
        let listener = TcpListener::bind(address).await?;
        let secure = TcpListener::bind((address.ip(), address.port() + TLS)).await?;
        let Certificate { pair, .. } = Certificate::new()?;
        let server = tls::server(pair, Clients::Any).map_err(std::io::Error::other)?;
        let authority = address.to_string().parse().map_err(std::io::Error::other)?;
        let mut settings = Settings::new("scp.example", vec![authority]);
        settings.limits.requests = 100_000;
        settings.limits.producer_connections = 128;
        let root = ApiRoot::parse(&format!("http://127.0.0.1:{nrf}")).map_err(std::io::Error::other)?;
        settings.nrf = Some(NrfSettings::new(vec![root]));
        settings.timeouts.response = std::time::Duration::from_secs(600);
        // Nobody is told where changes are to be told: it asks for none.
        let secret = || 0;
        let scp = Scp::new(Prepared::new(settings, Some(server), None), SystemTime::now, secret);
        let (_drain, drained) = watch::channel(false);
        tokio::select! {
            () = scp.serve(listener, Speech::Clear, drained.clone()) => {}
            () = scp.serve(secure, Speech::Tls, drained) => {}
            _ = ends.recv() => {}
        }
        Ok(())
    })
}

/// A certificate for nobody who is checked.
pub(super) struct Certificate {
    pair: Pair,
    /// As files have them: the certificate, and its key.
    pub(super) pem: [String; 2],
}

impl Certificate {
    /// One of its own authority.
    pub(super) fn new() -> std::io::Result<Self> {
        let made =
            rcgen::generate_simple_self_signed(["scp.example".to_owned()]).map_err(std::io::Error::other)?;
        let pem = [made.cert.pem(), made.signing_key.serialize_pem()];
        let pair = Pair { chain: vec![made.cert.into()], key: made.signing_key.into() };
        Ok(Self { pair, pem })
    }
}
