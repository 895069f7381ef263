//! Takes connections in, and in TLS finds out who they are.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::connection::{BEGIN, Connection};
use super::tls::Certificates;
use super::unix::UnixSocket;

/// How many connections there may be at once; more are closed unheard.
pub(super) const CONNECTIONS: usize = 128;

/// How long nothing is accepted after the system refused to, as it does when files run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Where clients come in.
#[derive(Debug)]
pub(super) enum Listener {
    Unix(UnixSocket),
    Tls { listener: TcpListener, certificates: Box<Certificates> },
}

enum Accepted {
    Unix(tokio::net::UnixStream),
    Tls(TcpStream, SocketAddr),
}

impl Listener {
    async fn accept(&self) -> io::Result<Accepted> {
        Ok(match self {
            Self::Unix(socket) => Accepted::Unix(socket.listener.accept().await?.0),
            Self::Tls { listener, .. } => {
                let (stream, peer) = listener.accept().await?;
                Accepted::Tls(stream, peer)
            }
        })
    }
}

/// Takes connections in until it is told to stop, or nobody takes them over any more.
pub(super) async fn run(
    mut listener: Listener,
    connections: mpsc::Sender<io::Result<Connection>>,
    mut stop: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = connections.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the API cannot accept a connection");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            tracing::warn!(bound = CONNECTIONS, "the API has as many connections as it may; one is closed");
            continue;
        };
        match (accepted, &mut listener) {
            (Accepted::Tls(stream, peer), Listener::Tls { certificates, .. }) => {
                let acceptor = TlsAcceptor::from(certificates.current());
                tokio::spawn(handshake(stream, peer, acceptor, slot, connections.clone()));
            }
            (Accepted::Unix(stream), _) => {
                if connections.send(Ok(Connection::new(stream, slot))).await.is_err() {
                    return;
                }
            }
            (Accepted::Tls(..), Listener::Unix(_)) => {}
        }
    }
}

async fn handshake(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    slot: OwnedSemaphorePermit,
    connections: mpsc::Sender<io::Result<Connection>>,
) {
    // Requests are small, and somebody waits for each.
    let _ = stream.set_nodelay(true);
    match timeout(BEGIN, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            // Nobody takes it over any more when the daemon ends.
            let _ = connections.send(Ok(Connection::new(stream, slot))).await;
        }
        Ok(Err(error)) => tracing::warn!(%peer, %error, "the API refuses a client"),
        Err(_) => tracing::warn!(%peer, "the API refuses a client: it did not finish the TLS handshake"),
    }
}
