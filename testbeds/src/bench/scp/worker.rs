//! An SCP with one worker, as a process: what `bench --worker` is.

use std::net::SocketAddr;
use std::time::SystemTime;

use pinion_scp::api_root::ApiRoot;
use pinion_scp::nrf::NrfSettings;
use pinion_scp::settings::Settings;
use pinion_scp::{Prepared, Scp, Speech};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Serves an address until the process ends; discovery is asked of an NRF on loopback.
///
/// # Errors
/// Where it cannot listen.
pub fn run(address: SocketAddr, nrf: u16) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let authority = address.to_string().parse().map_err(std::io::Error::other)?;
        let mut settings = Settings::new("scp.example", vec![authority]);
        settings.limits.requests = 100_000;
        settings.limits.producer_connections = 128;
        let root = ApiRoot::parse(&format!("http://127.0.0.1:{nrf}")).map_err(std::io::Error::other)?;
        settings.nrf = Some(NrfSettings::new(vec![root]));
        settings.timeouts.response = std::time::Duration::from_secs(600);
        // Nobody is told where changes are to be told: it asks for none.
        let secret = || 0;
        let scp = Scp::new(Prepared::new(settings, None, None), SystemTime::now, secret);
        let (_drain, drained) = watch::channel(false);
        scp.serve(listener, Speech::Clear, drained).await;
        Ok(())
    })
}
