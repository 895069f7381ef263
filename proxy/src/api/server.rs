//! The daemon's side of the API.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport;

use super::accept::{self, Listener};
use super::service::Service;
use super::tls::{Certificates, Credentials, TlsError};
use super::v1::pinion_server::PinionServer;
use super::{ANSWER_BYTES, DESCRIPTOR, REQUEST_BYTES, unix};
use crate::config::model::Api;
use crate::control::Control;

/// How long requests under way may take to end when the server stops.
pub const GRACE: Duration = Duration::from_secs(3);

/// How many requests one connection may have under way.
const REQUESTS: u32 = 32;

/// How long a request may take, a reload of many services included.
const REQUEST: Duration = Duration::from_secs(120);

/// How long a connection may be silent before it is asked whether it lives, and how long it may take to say so.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How many bytes of headers a request may have.
const HEADER_BYTES: u32 = 16 << 10;

/// Why the API cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The socket's folder cannot be made.
    #[error("{path}: cannot make this folder: {source}; make it, or set `api.unix` to a path elsewhere")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another daemon serves this socket.
    #[error("{path}: another daemon listens there; end it first, or set `api.unix` to another path")]
    Alive {
        /// The socket.
        path: PathBuf,
    },
    /// Something else is where the socket should be.
    #[error("{path}: there is something that is no socket; remove it, or set `api.unix` to another path")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("{path}: cannot listen there: {source}; check who may write its folder, or set `api.unix`")]
    Socket {
        /// The socket or its lock.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The TCP port cannot be had.
    #[error("{address}: cannot listen there: {source}; set `api.tls.listen` to a local address and a free port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The certificates do not do.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The API, listening: clients can connect, and are answered once it is served.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
}

impl Server {
    /// Listens as configured.
    ///
    /// # Errors
    /// [`BindError`].
    pub async fn bind(api: &Api) -> Result<Self, BindError> {
        let listener = match api {
            Api::Unix { path, mode } => Listener::Unix(unix::bind(path, *mode).await?),
            Api::Tls { listen, certificate, key, clients } => {
                let credentials =
                    Credentials { certificate: certificate.clone(), key: key.clone(), authority: clients.clone() };
                let certificates = Box::new(Certificates::read(credentials)?);
                let bound = TcpListener::bind(listen).await;
                let listener = bound.map_err(|source| BindError::Listen { address: *listen, source })?;
                Listener::Tls { listener, certificates }
            }
        };
        Ok(Self { listener })
    }

    /// The TCP address that it listens on; `None` for a unix socket.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.listener {
            Listener::Unix(_) => None,
            Listener::Tls { listener, .. } => listener.local_addr().ok(),
        }
    }

    /// Answers until `stop`: then no connection is taken any more, the socket's file goes, and requests under
    /// way have [`GRACE`] to end.
    ///
    /// # Errors
    /// What gRPC's transport says, which is nothing that a client can bring about.
    pub async fn serve(
        self,
        control: Arc<dyn Control>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), transport::Error> {
        let (told, stopping) = watch::channel(false);
        let (connections, incoming) = mpsc::channel(1);
        let acceptor = tokio::spawn(accept::run(self.listener, connections, stopping.clone()));

        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_serving::<PinionServer<Service>>().await;
        let pinion = PinionServer::new(Service { control })
            .max_decoding_message_size(REQUEST_BYTES)
            .max_encoding_message_size(ANSWER_BYTES);
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1();
        let reflection = reflection
            .inspect_err(|error| tracing::error!(%error, "the API goes without reflection"))
            .ok()
            .map(|service| service.max_decoding_message_size(REQUEST_BYTES));

        let mut stopped = stopping;
        let serving = transport::Server::builder()
            .max_concurrent_streams(REQUESTS)
            .concurrency_limit_per_connection(usize::try_from(REQUESTS).unwrap_or(usize::MAX))
            .http2_max_header_list_size(HEADER_BYTES)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE))
            .timeout(REQUEST)
            .add_service(pinion)
            .add_service(health.max_decoding_message_size(REQUEST_BYTES))
            .add_optional_service(reflection)
            .serve_with_incoming_shutdown(ReceiverStream::new(incoming), async move {
                // An error means that there is nobody left who could tell.
                let _ = stopped.wait_for(|stop| *stop).await;
            });
        tokio::pin!(serving);
        tokio::select! {
            done = &mut serving => return done,
            () = stop => {}
        }
        told.send_replace(true);
        reporter.set_not_serving::<PinionServer<Service>>().await;
        // It ends with the socket's file gone.
        let _ = acceptor.await;
        tokio::time::timeout(GRACE, serving).await.unwrap_or(Ok(()))
    }
}
