//! The asking side of the API.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Response, Status};

use super::connection::Io;
use super::decode::MeaningError;
use super::failure::AskError;
use super::target::Target;
use super::tls::{self, Credentials};
use super::v1::pinion_client::PinionClient;
use super::{ANSWER_BYTES, decode, encode, gtpc, n2, n4, sbi, v1};
use crate::control::{
    EndpointView, Explanation, GtpcFilter, GtpcPage, N2Filter, N2Page, N4Filter, N4Page, PageAsk, Reloaded,
    SbiFilter, SbiPage, ServiceView, SessionFilter, SessionPage, Stats, TunnelFilters,
};

/// How long connecting and shaking hands may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(130);

/// A connection to a daemon. It does not come back once it breaks: connect again.
#[derive(Clone, Debug)]
pub struct Client {
    target: Target,
    calls: PinionClient<Channel>,
}

impl Client {
    /// Connects to a daemon; `credentials` are for TLS, and needed there.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn connect(target: &Target, credentials: Option<&Credentials>) -> Result<Self, AskError> {
        let io = timeout(CONNECT, dial(target, credentials)).await;
        let io = io.map_err(|_| AskError::Late { target: target.clone() })??;
        let mut once = Some(TokioIo::new(io));
        let connector = tower::service_fn(move |_: Uri| {
            let io = once.take().ok_or(io::Error::from(io::ErrorKind::NotConnected));
            async move { io }
        });
        // The name goes into `:authority` alone: the connection is there.
        let endpoint = Endpoint::from_static("http://pinion").timeout(ANSWER);
        let channel = endpoint.connect_with_connector(connector).await;
        let channel = channel.map_err(|_| AskError::Closed { target: target.clone() })?;
        let calls = PinionClient::new(channel).max_decoding_message_size(ANSWER_BYTES);
        Ok(Self { target: target.clone(), calls })
    }

    /// All services.
    ///
    /// # Errors
    /// [`AskError`], as all calls.
    pub async fn services(&mut self) -> Result<Vec<ServiceView>, AskError> {
        let answer = self.calls.list_services(v1::ListServicesRequest {}).await;
        let services = self.answer(answer)?.services.into_iter();
        self.meaning(services.map(decode::service).collect())
    }

    /// The endpoints of one pool or of all.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn endpoints(&mut self, pool: Option<&str>) -> Result<Vec<EndpointView>, AskError> {
        let request = v1::ListEndpointsRequest { pool: pool.map(str::to_owned) };
        let answer = self.calls.list_endpoints(request).await;
        let endpoints = self.answer(answer)?.endpoints.into_iter();
        self.meaning(endpoints.map(decode::endpoint).collect())
    }

    /// A page of sessions.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn sessions(&mut self, filter: &SessionFilter, page: &PageAsk) -> Result<SessionPage, AskError> {
        let request = encode::filter(filter.clone(), page.limit, page.cursor.clone());
        let answer = self.calls.list_sessions(request).await;
        let page = self.answer(answer)?;
        self.meaning(decode::page(page))
    }

    /// A page of N4 sessions.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn n4_sessions(&mut self, filter: &N4Filter, page: &PageAsk) -> Result<N4Page, AskError> {
        let answer = self.calls.list_n4_sessions(n4::encode_filter(filter, page)).await;
        let page = self.answer(answer)?;
        self.meaning(n4::decode_page(page))
    }

    /// A page of GTPv2-C sessions.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn gtpc_sessions(&mut self, filter: &GtpcFilter, page: &PageAsk) -> Result<GtpcPage, AskError> {
        let answer = self.calls.list_gtpc_sessions(gtpc::encode_filter(filter, page)).await;
        let page = self.answer(answer)?;
        self.meaning(gtpc::decode_page(page))
    }

    /// A page of UEs.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn n2_ues(&mut self, filter: &N2Filter, page: &PageAsk) -> Result<N2Page, AskError> {
        let answer = self.calls.list_n2_ues(n2::encode_filter(filter, page)).await;
        let page = self.answer(answer)?;
        self.meaning(n2::decode_page(page))
    }

    /// A page of the resources that the SCP keeps on their producers.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn sbi_resources(&mut self, filter: &SbiFilter, page: &PageAsk) -> Result<SbiPage, AskError> {
        let answer = self.calls.list_sbi_resources(sbi::encode_filter(filter, page)).await;
        Ok(sbi::decode_page(self.answer(answer)?))
    }

    /// Counters and fill levels.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn stats(&mut self) -> Result<Stats, AskError> {
        let answer = self.calls.get_stats(v1::GetStatsRequest {}).await;
        let stats = self.answer(answer)?;
        self.meaning(decode::stats(stats))
    }

    /// Drains an endpoint.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn drain(&mut self, endpoint: &str, deadline: Option<Duration>) -> Result<EndpointView, AskError> {
        let deadline_ms = deadline.map(encode::milliseconds);
        let request = v1::DrainEndpointRequest { endpoint: endpoint.to_owned(), deadline_ms };
        let answer = self.calls.drain_endpoint(request).await;
        let endpoint = self.answer(answer)?;
        self.meaning(decode::endpoint(endpoint))
    }

    /// Gives a drained endpoint new sessions again.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn undrain(&mut self, endpoint: &str) -> Result<EndpointView, AskError> {
        let request = v1::UndrainEndpointRequest { endpoint: endpoint.to_owned() };
        let answer = self.calls.undrain_endpoint(request).await;
        let endpoint = self.answer(answer)?;
        self.meaning(decode::endpoint(endpoint))
    }

    /// Changes an endpoint's weight.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn set_weight(&mut self, endpoint: &str, weight: u32) -> Result<EndpointView, AskError> {
        let request = v1::SetWeightRequest { endpoint: endpoint.to_owned(), weight };
        let answer = self.calls.set_weight(request).await;
        let endpoint = self.answer(answer)?;
        self.meaning(decode::endpoint(endpoint))
    }

    /// Has the configuration read again.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn reload(&mut self) -> Result<Reloaded, AskError> {
        let answer = self.calls.reload(v1::ReloadRequest {}).await;
        Ok(decode::reloaded(self.answer(answer)?))
    }

    /// The filters of a tunnel; with `filters`, after it was given these.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn filters(
        &mut self,
        service: Option<&str>,
        teid: u32,
        filters: Option<&[String]>,
    ) -> Result<TunnelFilters, AskError> {
        let service = service.map(ToOwned::to_owned);
        let answer = match filters {
            None => self.calls.get_filters(v1::GetFiltersRequest { service, teid }).await,
            Some(filters) => {
                self.calls.set_filters(v1::SetFiltersRequest { service, teid, filters: filters.to_vec() }).await
            }
        };
        let shown = self.answer(answer)?;
        self.meaning(decode::filters(shown))
    }

    /// Why sessions with a key are where they are.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn explain(&mut self, key: &str) -> Result<Vec<Explanation>, AskError> {
        let answer = self.calls.explain(v1::ExplainRequest { key: key.to_owned() }).await;
        let explanations = self.answer(answer)?.explanations.into_iter();
        self.meaning(explanations.map(decode::explanation).collect())
    }

    fn answer<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, AskError> {
        answer.map(Response::into_inner).map_err(|status| AskError::answered(&self.target, &status))
    }

    fn meaning<T>(&self, meaning: Result<T, MeaningError>) -> Result<T, AskError> {
        meaning.map_err(|source| AskError::Meaning { target: self.target.clone(), source })
    }
}

async fn dial(target: &Target, credentials: Option<&Credentials>) -> Result<BufReader<Box<dyn Io>>, AskError> {
    let io: Box<dyn Io> = match target {
        Target::Unix(path) => {
            let stream = UnixStream::connect(path).await;
            Box::new(stream.map_err(|error| AskError::dialing(target, error))?)
        }
        Target::Tls { host, port } => {
            let credentials = credentials.ok_or(AskError::NoCredentials { target: target.clone() })?;
            let connector = TlsConnector::from(Arc::new(tls::client(credentials)?));
            let name = ServerName::try_from(host.clone())
                .map_err(|error| AskError::Handshake { target: target.clone(), why: error.to_string() })?;
            let stream = TcpStream::connect((host.as_str(), *port)).await;
            let stream = stream.map_err(|error| AskError::dialing(target, error))?;
            let stream = connector.connect(name, stream).await;
            Box::new(stream.map_err(|error| AskError::beginning(target, &error))?)
        }
    };
    greeted(target, io).await
}

/// Waits for what a daemon sends first, its SETTINGS (RFC 9113 3.4): in TLS 1.3 only then is it known that it
/// accepts this side's certificate.
async fn greeted(target: &Target, io: Box<dyn Io>) -> Result<BufReader<Box<dyn Io>>, AskError> {
    const SETTINGS: u8 = 4;
    let mut io = BufReader::new(io);
    let first = io.fill_buf().await.map_err(|error| AskError::beginning(target, &error))?;
    match first {
        [] => Err(AskError::Closed { target: target.clone() }),
        // Length (3 bytes), then the frame's type.
        [_, _, _, SETTINGS, ..] => Ok(io),
        _ => Err(AskError::Stranger { target: target.clone() }),
    }
}
