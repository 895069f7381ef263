//! Clients and producers, and the SCP between them.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, client, server};
use http::{HeaderMap, Request, Response, StatusCode};
use pinion_scp::settings::Settings;
use pinion_scp::tls::{self, Clients};
use pinion_scp::{Prepared, Speech};
use rcgen::SanType;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::authority::Authority;
pub(crate) use crate::running::{Running, SCP, read, run, settings, until};
use crate::running::{ask, speak};
use crate::secure::secure;

/// How all is spoken to.
pub(crate) fn scheme() -> &'static str {
    if secure() { "https" } else { "http" }
}

/// Who signs the certificates of a run over TLS.
static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::new);

/// How those with this certificate meet others, who must show one, too.
fn secured(names: &[SanType]) -> (Option<Arc<ServerConfig>>, Option<Arc<ClientConfig>>) {
    if !secure() {
        return (None, None);
    }
    let mut roots = RootCertStore::empty();
    roots.add(AUTHORITY.0.der().clone()).unwrap();
    let known = Clients::Known(Arc::new(roots.clone()));
    let server = tls::server(AUTHORITY.sign(names), known).unwrap();
    (Some(server), Some(tls::client(roots, Some(AUTHORITY.sign(names))).unwrap()))
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

/// Runs an SCP.
pub(crate) async fn scp(settings: Settings) -> Running {
    let speech = if secure() { Speech::Tls } else { Speech::Clear };
    run(prepared(settings), speech).await
}

/// What an SCP is told.
pub(crate) fn prepared(settings: Settings) -> Prepared {
    let (server, client) = secured(&[dns(SCP)]);
    Prepared::new(settings, server, client)
}

/// A request as a producer saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub method: String,
    pub uri: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

/// What a producer does with a request.
pub(crate) enum Does {
    /// Answers.
    Answers(Response<Bytes>),
    /// Answers with trailers.
    Trails(Response<Bytes>, HeaderMap),
    /// Resets the stream.
    Resets(Reason),
    /// Says nothing.
    Hangs,
    /// Answers after some time.
    Takes(Duration, Response<Bytes>),
    /// Begins to answer, and never ends.
    Stalls(Response<Bytes>),
    /// Answers when it is told to.
    Waits(watch::Receiver<bool>, Response<Bytes>),
}

/// A producer that runs.
#[derive(Clone)]
pub(crate) struct Producer {
    pub address: SocketAddr,
    pub scheme: &'static str,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: Arc<JoinHandle<()>>,
}

impl Producer {
    /// One that answers 200 with nothing.
    pub(crate) async fn start() -> Self {
        Self::with(|_| Does::Answers(Response::new(Bytes::new()))).await
    }

    /// One that does with each request as it is told.
    pub(crate) async fn with(does: impl Fn(&Seen) -> Does + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), does).await
    }

    /// The same at an address.
    pub(crate) async fn at(address: SocketAddr, does: impl Fn(&Seen) -> Does + Send + Sync + 'static) -> Self {
        let names = [SanType::IpAddress(address.ip()), dns("localhost")];
        Self::on(TcpListener::bind(address).await.unwrap(), secured(&names).0, does)
    }

    /// The same over TLS.
    pub(crate) async fn over(
        tls: Option<Arc<ServerConfig>>,
        does: impl Fn(&Seen) -> Does + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), tls, does)
    }

    fn on(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        does: impl Fn(&Seen) -> Does + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let does: Arc<dyn Fn(&Seen) -> Does + Send + Sync> = Arc::new(does);
        let task = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                let mut connections = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let (seen, does, tls) = (Arc::clone(&seen), Arc::clone(&does), tls.clone());
                    connections.spawn(async move {
                        match tls {
                            Some(tls) => {
                                if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                                    serve(stream, seen, does).await;
                                }
                            }
                            None => serve(stream, seen, does).await,
                        }
                    });
                }
            }
        });
        Self { address, scheme, seen, task: Arc::new(task) }
    }

    /// Its API root.
    pub(crate) fn root(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What it saw.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request that it saw.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.into_iter().next().unwrap()
    }

    /// Ends it, with its connections.
    pub(crate) fn kill(&self) {
        self.task.abort();
    }
}

async fn serve<W>(wire: W, seen: Arc<Mutex<Vec<Seen>>>, does: Arc<dyn Fn(&Seen) -> Does + Send + Sync>)
where
    W: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut connection) = server::handshake(wire).await else { return };
    let mut answers = tokio::task::JoinSet::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let (seen, does) = (Arc::clone(&seen), Arc::clone(&does));
        answers.spawn(async move {
            let (head, receive) = request.into_parts();
            let Some((body, trailers)) = read(receive).await else { return };
            let saw = Seen {
                method: head.method.to_string(),
                uri: head.uri.to_string(),
                path: head.uri.path().to_owned(),
                headers: head.headers,
                body,
                trailers,
            };
            let does = does(&saw);
            seen.lock().unwrap().push(saw);
            let (response, trailers) = match does {
                Does::Answers(response) => (response, None),
                Does::Trails(response, trailers) => (response, Some(trailers)),
                Does::Takes(time, response) => {
                    tokio::time::sleep(time).await;
                    (response, None)
                }
                Does::Waits(mut told, response) => {
                    if told.wait_for(|it| *it).await.is_err() {
                        return;
                    }
                    (response, None)
                }
                Does::Stalls(response) => {
                    let (head, body) = response.into_parts();
                    if let Ok(mut stream) = respond.send_response(Response::from_parts(head, ()), false) {
                        let _ = stream.send_data(body, false);
                        let _ = poll_fn(|context| stream.poll_reset(context)).await;
                    }
                    return;
                }
                Does::Resets(reason) => return respond.send_reset(reason),
                Does::Hangs => {
                    let _ = poll_fn(|context| respond.poll_reset(context)).await;
                    return;
                }
            };
            let (head, body) = response.into_parts();
            let end = body.is_empty() && trailers.is_none();
            let Ok(mut stream) = respond.send_response(Response::from_parts(head, ()), end) else { return };
            if !end {
                let _ = stream.send_data(body, trailers.is_none());
            }
            if let Some(trailers) = trailers {
                let _ = stream.send_trailers(trailers);
            }
        });
    }
}

/// A response as a client saw it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value; empty where it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    /// A member of ProblemDetails.
    pub(crate) fn problem(&self, member: &str) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let details: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        details[member].clone()
    }

    /// Its cause.
    pub(crate) fn cause(&self) -> String {
        self.problem("cause").as_str().unwrap_or_default().to_owned()
    }
}

/// A client's connection.
#[derive(Clone)]
pub(crate) struct Client {
    pub sender: client::SendRequest<Bytes>,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        match secured(&[dns("amf.example")]).1 {
            Some(config) => Self::secure(to, config).await.unwrap(),
            None => Self::on(TcpStream::connect(to).await.unwrap()).await,
        }
    }

    /// Connects over TLS.
    pub(crate) async fn secure(to: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        let name = SCP.try_into().unwrap();
        Ok(Self::on(tokio_rustls::TlsConnector::from(config).connect(name, stream).await?).await)
    }

    async fn on<W: AsyncRead + AsyncWrite + Send + Unpin + 'static>(wire: W) -> Self {
        Self { sender: speak(wire).await }
    }

    /// Asks, and waits for the whole answer.
    pub(crate) async fn ask(&self, request: Request<&str>) -> Answer {
        self.try_ask(request).await.unwrap()
    }

    /// The same, where it may fail.
    pub(crate) async fn try_ask(&self, request: Request<&str>) -> Result<Answer, h2::Error> {
        let (head, body) = ask(&self.sender, request).await?.into_parts();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

/// A POST of a path of the SCP's.
pub(crate) fn post(path: &str) -> http::request::Builder {
    Request::post(format!("{}://{SCP}{path}", scheme()))
}

/// A GET of a path of the SCP's.
pub(crate) fn get(path: &str) -> http::request::Builder {
    Request::get(format!("{}://{SCP}{path}", scheme()))
}
