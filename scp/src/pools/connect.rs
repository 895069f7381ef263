//! A connection to a next hop: its addresses raced (RFC 8305), TLS where its scheme asks for it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Holder, Shared};
use crate::api_root::{ApiRoot, Transport};
use crate::failure::Fault;
use crate::prepared::Prepared;
use crate::tls;

/// What HTTP/2 runs over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

/// What came of connecting.
pub(super) enum Connected {
    /// A connection in the clear.
    Clear(TcpStream),
    /// One over TLS.
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// Connects within the time for it; and to which of its addresses.
pub(super) async fn connect(
    to: &ApiRoot,
    holder: &Holder,
    pools: &Shared,
    prepared: &Prepared,
) -> Result<(Connected, SocketAddr), Fault> {
    let most = prepared.settings.timeouts.connect;
    match timeout(most, connect_whole(to, holder, pools, prepared)).await {
        Ok(connected) => connected,
        Err(_) => {
            pools.names.doubt(to.host());
            Err(Fault::ConnectTimeout(most))
        }
    }
}

async fn connect_whole(
    to: &ApiRoot,
    holder: &Holder,
    pools: &Shared,
    prepared: &Prepared,
) -> Result<(Connected, SocketAddr), Fault> {
    let addresses = pools.names.find(to, prepared).await.map_err(Fault::Name)?;
    let stream = race(addresses, prepared.settings.timeouts.attempt_delay).await.map_err(|error| {
        pools.names.doubt(to.host());
        Fault::Connect(error)
    })?;
    stream.set_nodelay(true).map_err(Fault::Connect)?;
    let at = stream.peer_addr().map_err(Fault::Connect)?;
    if pools.own.is_reached(at, stream.local_addr().map_err(Fault::Connect)?) {
        return Err(Fault::Own);
    }
    let connected = match (to.transport, &prepared.client) {
        (Transport::Clear, _) if *holder != Holder::Any => Err(Fault::Tls(unnamed(holder))),
        (Transport::Clear, _) => Ok(Connected::Clear(stream)),
        (Transport::Tls, Some(config)) => secure(stream, to.host(), holder, config).await.map_err(Fault::Tls),
        (Transport::Tls, None) => Err(Fault::Tls(io::Error::new(
            io::ErrorKind::Unsupported,
            "no authorities for producers are configured",
        ))),
    };
    Ok((connected?, at))
}

async fn secure(
    stream: TcpStream,
    host: &str,
    holder: &Holder,
    config: &Arc<ClientConfig>,
) -> io::Result<Connected> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await?;
    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the producer does not choose HTTP/2 (ALPN)"));
    }
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    if *holder != Holder::Any && !holder.is(&certificate.map(tls::names).unwrap_or_default()) {
        return Err(unnamed(holder));
    }
    Ok(Connected::Tls(Box::new(stream)))
}

fn unnamed(holder: &Holder) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, format!("no certificate of the producer's names {holder}"))
}

/// The first of the addresses that answers; each is given `delay` before the next is tried beside it.
async fn race(addresses: Vec<SocketAddr>, delay: Duration) -> io::Result<TcpStream> {
    if let [address] = addresses[..] {
        return TcpStream::connect(address).await;
    }
    let mut attempts = JoinSet::new();
    let mut addresses = addresses.into_iter();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(TcpStream::connect(address));
        } else if attempts.is_empty() {
            return Err(last);
        }
        let more = addresses.len() > 0;
        tokio::select! {
            Some(done) = attempts.join_next() => match done {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(error) => last = io::Error::other(error),
            },
            () = sleep(delay), if more => {}
        }
    }
}
