//! The calls of `pinion.v1`, answered by a [`Control`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tonic::{Request, Response, Status};

use super::status::{invalid, status};
use super::{NAME_BYTES, decode, encode, gtpc, n2, n4, sbi, v1};
use crate::control::{Control, ControlError, GtpcFilter, N2Filter, N4Filter, PageAsk, SbiFilter, SessionFilter};

/// How many sessions a page has where the request says nothing.
const PAGE: u32 = 100;
const PAGE_MOST: u32 = 10_000;
/// The longest cursor, in bytes: it may have a name in it, and a list of numbers.
const CURSOR_BYTES: usize = 4 << 10;
/// The longest filter, in bytes: its words, and an endpoint's name.
const FILTER_BYTES: usize = 512;
const DEADLINE_MOST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(super) struct Service {
    pub(super) control: Arc<dyn Control>,
}

impl Service {
    /// Does something that must not be left half done: a client that goes away does not stop it.
    async fn whole<T: Send + 'static, F: Future<Output = Result<T, ControlError>> + Send + 'static>(
        &self,
        act: impl FnOnce(Arc<dyn Control>) -> F,
    ) -> Result<T, Status> {
        let done = tokio::spawn(act(Arc::clone(&self.control))).await;
        let done = done.map_err(|_| Status::internal("the daemon failed; its log says why"))?;
        done.map_err(|error| status(&error))
    }
}

#[tonic::async_trait]
impl v1::pinion_server::Pinion for Service {
    async fn list_services(
        &self,
        _: Request<v1::ListServicesRequest>,
    ) -> Result<Response<v1::ListServicesResponse>, Status> {
        let services = self.control.services().await.into_iter().map(encode::service).collect();
        Ok(Response::new(v1::ListServicesResponse { services }))
    }

    async fn list_endpoints(
        &self,
        request: Request<v1::ListEndpointsRequest>,
    ) -> Result<Response<v1::ListEndpointsResponse>, Status> {
        let pool = request.into_inner().pool.map(|pool| name("pool", pool)).transpose()?;
        let endpoints = self.control.endpoints(pool.as_deref()).await.map_err(|error| status(&error))?;
        let endpoints = endpoints.into_iter().map(encode::endpoint).collect();
        Ok(Response::new(v1::ListEndpointsResponse { endpoints }))
    }

    async fn list_sessions(
        &self,
        request: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        let request = request.into_inner();
        let filter = SessionFilter {
            service: request.service.map(|service| name("service", service)).transpose()?,
            endpoint: request.endpoint.map(|endpoint| name("endpoint", endpoint)).transpose()?,
            client: request.client.map(|client| address("client", client)).transpose()?,
            state: decode::session_state(request.state).map_err(|error| invalid(&error.to_string()))?,
        };
        let ask = page_ask(request.limit, request.cursor)?;
        let page = self.control.sessions(&filter, &ask).await.map_err(|error| status(&error))?;
        Ok(Response::new(encode::page(page)))
    }

    async fn list_n4_sessions(
        &self,
        request: Request<v1::ListN4SessionsRequest>,
    ) -> Result<Response<v1::ListN4SessionsResponse>, Status> {
        let request = request.into_inner();
        let filter = N4Filter {
            service: request.service.map(|service| name("service", service)).transpose()?,
            upf: request.upf.map(|upf| name("upf", upf)).transpose()?,
            smf: request.smf.map(|smf| address("smf", smf)).transpose()?,
        };
        let ask = page_ask(request.limit, request.cursor)?;
        let page = self.control.n4_sessions(&filter, &ask).await.map_err(|error| status(&error))?;
        Ok(Response::new(n4::encode_page(page)))
    }

    async fn list_gtpc_sessions(
        &self,
        request: Request<v1::ListGtpcSessionsRequest>,
    ) -> Result<Response<v1::ListGtpcSessionsResponse>, Status> {
        let request = request.into_inner();
        let filter = GtpcFilter {
            service: request.service.map(|service| name("service", service)).transpose()?,
            endpoint: request.endpoint.map(|endpoint| name("endpoint", endpoint)).transpose()?,
            client: request.client.map(|client| address("client", client)).transpose()?,
            subscriber: request.subscriber.map(|subscriber| name("subscriber", subscriber)).transpose()?,
        };
        let ask = page_ask(request.limit, request.cursor)?;
        let page = self.control.gtpc_sessions(&filter, &ask).await.map_err(|error| status(&error))?;
        Ok(Response::new(gtpc::encode_page(page)))
    }

    async fn list_n2_ues(
        &self,
        request: Request<v1::ListN2UesRequest>,
    ) -> Result<Response<v1::ListN2UesResponse>, Status> {
        let request = request.into_inner();
        let filter = N2Filter {
            service: request.service.map(|service| name("service", service)).transpose()?,
            endpoint: request.endpoint.map(|endpoint| name("endpoint", endpoint)).transpose()?,
            gnb: request.gnb.map(|gnb| name("gnb", gnb)).transpose()?,
            mode: n2::decode_mode(request.mode).map_err(|error| invalid(&error.to_string()))?,
        };
        let ask = page_ask(request.limit, request.cursor)?;
        let page = self.control.n2_ues(&filter, &ask).await.map_err(|error| status(&error))?;
        Ok(Response::new(n2::encode_page(page)))
    }

    async fn list_sbi_resources(
        &self,
        request: Request<v1::ListSbiResourcesRequest>,
    ) -> Result<Response<v1::ListSbiResourcesResponse>, Status> {
        let request = request.into_inner();
        let filter = SbiFilter {
            producer: request.producer.map(|producer| name("producer", producer)).transpose()?,
            nf_instance: request.nf_instance.map(|instance| name("nf_instance", instance)).transpose()?,
        };
        let ask = page_ask(request.limit, request.cursor)?;
        let page = self.control.sbi_resources(&filter, &ask).await.map_err(|error| status(&error))?;
        Ok(Response::new(sbi::encode_page(page)))
    }

    async fn get_stats(&self, _: Request<v1::GetStatsRequest>) -> Result<Response<v1::Stats>, Status> {
        let stats = self.control.stats().await.map_err(|error| status(&error))?;
        Ok(Response::new(encode::stats(stats)))
    }

    async fn drain_endpoint(
        &self,
        request: Request<v1::DrainEndpointRequest>,
    ) -> Result<Response<v1::Endpoint>, Status> {
        let request = request.into_inner();
        let endpoint = name("endpoint", request.endpoint)?;
        let deadline = request.deadline_ms.map(Duration::from_millis);
        if deadline.is_some_and(|deadline| deadline > DEADLINE_MOST) {
            return Err(invalid("deadline_ms: more than a year; leave it out for none but the pool's"));
        }
        let view = self.whole(|control| async move { control.drain(&endpoint, deadline).await }).await?;
        Ok(Response::new(encode::endpoint(view)))
    }

    async fn undrain_endpoint(
        &self,
        request: Request<v1::UndrainEndpointRequest>,
    ) -> Result<Response<v1::Endpoint>, Status> {
        let endpoint = name("endpoint", request.into_inner().endpoint)?;
        let view = self.whole(|control| async move { control.undrain(&endpoint).await }).await?;
        Ok(Response::new(encode::endpoint(view)))
    }

    async fn set_weight(&self, request: Request<v1::SetWeightRequest>) -> Result<Response<v1::Endpoint>, Status> {
        let v1::SetWeightRequest { endpoint, weight } = request.into_inner();
        let endpoint = name("endpoint", endpoint)?;
        if weight > u16::MAX.into() {
            return Err(status(&ControlError::Weight(weight)));
        }
        let view = self.whole(|control| async move { control.set_weight(&endpoint, weight).await }).await?;
        Ok(Response::new(encode::endpoint(view)))
    }

    async fn reload(&self, _: Request<v1::ReloadRequest>) -> Result<Response<v1::ReloadResponse>, Status> {
        let reloaded = self.whole(|control| async move { control.reload().await }).await?;
        Ok(Response::new(encode::reloaded(reloaded)))
    }

    async fn get_filters(
        &self,
        request: Request<v1::GetFiltersRequest>,
    ) -> Result<Response<v1::TunnelFilters>, Status> {
        let v1::GetFiltersRequest { service, teid } = request.into_inner();
        let service = service.map(|service| name("service", service)).transpose()?;
        let shown = self.control.classify(service.as_deref(), teid, None).await.map_err(|error| status(&error))?;
        Ok(Response::new(encode::filters(shown)))
    }

    async fn set_filters(
        &self,
        request: Request<v1::SetFiltersRequest>,
    ) -> Result<Response<v1::TunnelFilters>, Status> {
        let v1::SetFiltersRequest { service, teid, filters } = request.into_inner();
        let service = service.map(|service| name("service", service)).transpose()?;
        let given: Result<Vec<_>, _> =
            filters.into_iter().map(|filter| bounded("filter", filter, FILTER_BYTES)).collect();
        let given = given?;
        let act = |control: Arc<dyn Control>| async move {
            control.classify(service.as_deref(), teid, Some(&given)).await
        };
        Ok(Response::new(encode::filters(self.whole(act).await?)))
    }

    async fn explain(
        &self,
        request: Request<v1::ExplainRequest>,
    ) -> Result<Response<v1::ExplainResponse>, Status> {
        let key = name("key", request.into_inner().key)?;
        let explanations = self.control.explain(&key).await.map_err(|error| status(&error))?;
        let explanations = explanations.into_iter().map(encode::explanation).collect();
        Ok(Response::new(v1::ExplainResponse { explanations }))
    }
}

fn page_ask(limit: u32, cursor: Option<String>) -> Result<PageAsk, Status> {
    Ok(PageAsk {
        limit: if limit == 0 { PAGE } else { limit.min(PAGE_MOST) },
        cursor: cursor.map(|cursor| bounded("cursor", cursor, CURSOR_BYTES)).transpose()?,
    })
}

fn address(field: &'static str, text: String) -> Result<IpAddr, Status> {
    decode::address(field, &name(field, text)?).map_err(|error| invalid(&error.to_string()))
}

/// A name, which is neither empty nor beyond any bound.
fn name(field: &str, text: String) -> Result<String, Status> {
    bounded(field, text, NAME_BYTES)
}

fn bounded(field: &str, text: String, most: usize) -> Result<String, Status> {
    match text.len() {
        0 => Err(invalid(&format!("{field}: empty; leave it out, or give a name"))),
        length if length > most => Err(invalid(&format!("{field}: {length} bytes; {most} are the most"))),
        _ => Ok(text),
    }
}
