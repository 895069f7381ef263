//! Clients' side: listeners, TLS, HTTP/2 and HTTP/1.1, and the end of it all without losing a request.

mod abuse;
mod host;
mod http1;
mod http2;
mod patient;
mod preface;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::binding::Pins;
use crate::call::{Arrival, Origin, Peer};
use crate::kind::Known;
use crate::nrf::{Keeper, Wire};
use crate::parts::Parts;
use crate::prepared::Prepared;
use crate::stack::stack;
use crate::tally::{Event, Tally};
use crate::tls;

/// A service communication proxy. Copies are the same one.
#[derive(Clone, Debug)]
pub struct Scp {
    parts: Parts,
    prepared: Arc<watch::Sender<Arc<Prepared>>>,
    clock: fn() -> SystemTime,
    secret: fn() -> u128,
    connections: Arc<AtomicUsize>,
}

/// How a listener is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// HTTP/2 with prior knowledge, or HTTP/1.1.
    Clear,
    /// The same over TLS, chosen by ALPN.
    Tls,
}

/// What a connection of a client is served with.
#[derive(Debug)]
struct Served {
    prepared: watch::Receiver<Arc<Prepared>>,
    drain: watch::Receiver<bool>,
    /// Where calls come from, and the kinds of those that came.
    known: Known,
}

impl Scp {
    /// One that goes by these settings; `clock` tells the time of day, `secret` draws what nobody can guess.
    #[must_use]
    pub fn new(prepared: Prepared, clock: fn() -> SystemTime, secret: fn() -> u128) -> Self {
        let (prepared, _) = watch::channel(Arc::new(prepared));
        Self { parts: Parts::default(), prepared: Arc::new(prepared), clock, secret, connections: Arc::default() }
    }

    /// The same, which goes on with these pins.
    #[must_use]
    pub fn with(self, pins: Pins) -> Self {
        let parts = Parts { pins, ..self.parts };
        Self { parts, ..self }
    }

    /// From now on it goes by these. Connections stay; new ones meet the new certificates.
    pub fn apply(&self, prepared: Prepared) {
        let (tally, windows) = (self.tally(), self.prepared.borrow().windows.clone());
        self.parts.pools.resolve_by(Arc::clone(&prepared.resolver));
        self.prepared.send_replace(Arc::new(Prepared { tally, windows, ..prepared }));
    }

    /// What happened, counted since it began.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.prepared.borrow().tally.clone()
    }

    /// What its layers share.
    #[must_use]
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Connections of clients that are open now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Keeps this SCP known to the NRF, and subscribed to changes of whom it found, until `drain` says true; then takes leave.
    pub async fn tend(&self, drain: watch::Receiver<bool>) {
        let (pools, gate, prepared) =
            (self.parts.pools.clone(), self.parts.gate.clone(), self.prepared.subscribe());
        let most = prepared.clone();
        let keeper = Keeper {
            prepared,
            link: move |prepared: &Arc<Prepared>| Wire::link(&pools, prepared),
            preferred: self.parts.directory.preferred().clone(),
            wanted: self.parts.directory.wanted().clone(),
            places: self.parts.directory.places().clone(),
            load: Arc::new(move || {
                let most = most.borrow().settings.limits.requests.max(1);
                let percent = gate.load().0.saturating_mul(100) / most;
                u8::try_from(percent.min(100)).unwrap_or(100)
            }),
            clock: self.clock,
            secret: self.secret,
        };
        keeper.run(drain).await;
    }

    /// Serves a listener until `drain` says true; then waits for what is under way, for as long as settings say.
    pub async fn serve(&self, listener: TcpListener, speech: Speech, mut drain: watch::Receiver<bool>) {
        let mut clients = JoinSet::new();
        let own = listener.local_addr().map(|at| self.parts.pools.listens(at));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = drain.wait_for(|it| *it) => break,
                Some(_) = clients.join_next(), if !clients.is_empty() => continue,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, as a rule: it passes when connections end.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let prepared = Arc::clone(&self.prepared.borrow());
            let counted = Counted::new(&self.connections);
            if self.connections() > prepared.settings.limits.connections {
                prepared.tally.one(Event::ClientTooMany);
                continue;
            }
            let scp = self.clone();
            let drain = drain.clone();
            clients.spawn(async move {
                scp.client(stream, address, speech, drain).await;
                drop(counted);
            });
        }
        // Who connects from now on is told at once that nobody is there.
        drop((listener, own));
        let most = self.prepared.borrow().settings.timeouts.drain;
        let _ = timeout(most, async { while clients.join_next().await.is_some() {} }).await;
    }

    async fn client(&self, stream: TcpStream, address: SocketAddr, speech: Speech, drain: watch::Receiver<bool>) {
        let mut prepared = self.prepared.subscribe();
        let now = Arc::clone(&prepared.borrow_and_update());
        let most = now.settings.timeouts.handshake;
        let _ = stream.set_nodelay(true);
        let mut peer = Peer { address, tls: speech == Speech::Tls, names: Arc::default(), holder: None };
        let (parts, clock) = (self.parts.clone(), self.clock);
        let served = |peer| {
            let origin = Origin { peer: Arc::new(peer), prepared: Arc::clone(&now), parts, clock };
            Served { prepared, drain, known: Known::new(Arc::new(origin)) }
        };
        match (speech, &now.server) {
            (Speech::Clear, _) => self.speak(stream, served(peer), None).await,
            (Speech::Tls, Some(config)) => match timeout(most, secure(stream, config)).await {
                Ok(Ok((stream, http2))) => {
                    if let Some(certificate) = shown(&stream) {
                        peer.names = tls::names(certificate).into();
                        peer.holder = Some(tls::holder(certificate).into());
                    }
                    self.speak(*stream, served(peer), Some(http2)).await;
                }
                Ok(Err(error)) => {
                    tracing::debug!(%address, %error, "TLS with a client failed");
                    now.tally.one(Event::ClientUntrusted);
                }
                Err(_) => {
                    tracing::debug!(%address, "TLS with a client took too long");
                    now.tally.one(Event::ClientLate);
                }
            },
            (Speech::Tls, None) => {
                tracing::warn!(%address, "a client wants TLS, and no certificate is configured");
            }
        }
    }

    async fn speak<W>(&self, wire: W, served: Served, http2: Option<bool>)
    where
        W: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let most = served.prepared.borrow().settings.timeouts.handshake;
        let (wire, http2) = match http2 {
            Some(chosen) => (preface::Rewound::new(wire), chosen),
            None => match timeout(most, preface::look(wire)).await {
                Ok(Ok(looked)) => looked,
                Ok(Err(_)) => return,
                Err(_) => return served.prepared.borrow().tally.one(Event::ClientLate),
            },
        };
        let stack = stack();
        if http2 {
            http2::serve(wire, stack, served).await;
        } else {
            http1::serve(wire, stack, served).await;
        }
    }
}

impl Served {
    /// What goes for a call that arrived then.
    fn arrival(&mut self, at: Instant) -> Arrival {
        // As long as settings stay, so does all that a connection's calls share.
        if self.prepared.has_changed().unwrap_or(false) {
            let prepared = Arc::clone(&self.prepared.borrow_and_update());
            let origin = Origin { prepared, ..Origin::clone(self.known.origin()) };
            self.known = Known::new(Arc::new(origin));
        }
        let draining = !self.known.origin().prepared.settings.redirections.is_empty() && *self.drain.borrow();
        Arrival { at, draining }
    }
}

type Secured = Box<tokio_rustls::server::TlsStream<TcpStream>>;

async fn secure(stream: TcpStream, config: &Arc<ServerConfig>) -> std::io::Result<(Secured, bool)> {
    let stream = TlsAcceptor::from(Arc::clone(config)).accept(stream).await?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok((Box::new(stream), http2))
}

/// The certificate that a client showed.
fn shown(stream: &Secured) -> Option<&CertificateDer<'static>> {
    stream.get_ref().1.peer_certificates().and_then(<[_]>::first)
}

/// One of the connections, until it is dropped.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
