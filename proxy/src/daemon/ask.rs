mod gtpc;
mod n2;
mod n4;
mod sbi;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pinion_loader::LoadError;
use pinion_steering::Reason;

use super::aware;
use super::front_ends;
use super::packet_path::PacketPath;
use super::state::{Daemon, State};
use crate::config::model::{Config, Protocol, Service};
use crate::control::{
    Control, ControlError, EndpointState, EndpointView, Explanation, GtpcFilter, GtpcFrontEnd, GtpcPage, N2Filter,
    N2FrontEnd, N2Page, N4Filter, N4FrontEnd, N4Page, PacketCount, PageAsk, Reloaded, SbiFilter, SbiPage,
    ServiceView, SessionFilter, SessionPage, Stats, TableLevel, TunnelFilters,
};
use crate::gtpc::list as list_gtpc;
use crate::n2::list as list_n2;
use crate::n4::list as list_n4;
use crate::pool::Sessions;
use crate::sessions::{Ticks, list};

#[tonic::async_trait]
impl Control for Daemon {
    async fn services(&self) -> Vec<ServiceView> {
        let counts = self.counts().await.unwrap_or_default();
        let (config, endpoints) = self.endpoint_views(None, &counts).unwrap_or_default();
        let view = |service: &Service| {
            let pool = || endpoints.iter().filter(|endpoint| endpoint.pool == service.pool);
            ServiceView {
                name: service.name.clone(),
                protocol: service.protocol,
                port: service.port,
                addresses: service.addresses.clone(),
                pool: service.pool.clone(),
                algorithm: service.algorithm,
                serving: pool().filter(|endpoint| endpoint.effective > 0).count() as u32,
                endpoints: pool().count() as u32,
                sessions: counts.of_service(&service.name),
            }
        };
        config.iter().flat_map(|config| &config.services).map(view).collect()
    }

    async fn endpoints(&self, pool: Option<&str>) -> Result<Vec<EndpointView>, ControlError> {
        let counts = self.counts().await?;
        Ok(self.endpoint_views(pool, &counts)?.1)
    }

    async fn sessions(&self, filter: &SessionFilter, page: &PageAsk) -> Result<SessionPage, ControlError> {
        let (names, config) = {
            let state = self.state();
            (Arc::clone(&state.names), Arc::clone(&state.config))
        };
        let asked = config.services.iter().find(|service| Some(&service.name) == filter.service.as_ref());
        match asked.map(|service| service.protocol) {
            Some(Protocol::Pfcp) => {
                return Err(ControlError::SpeaksPfcp(filter.service.clone().unwrap_or_default()));
            }
            Some(Protocol::Gtpc) => {
                return Err(ControlError::SpeaksGtpc(filter.service.clone().unwrap_or_default()));
            }
            Some(Protocol::Ngap) => {
                return Err(ControlError::SpeaksNgap(filter.service.clone().unwrap_or_default()));
            }
            _ => {}
        }
        let ticks = self.ticks().await?;
        list(&self.path, &self.table, &names, filter, page, ticks).await
    }

    async fn n4_sessions(&self, filter: &N4Filter, page: &PageAsk) -> Result<N4Page, ControlError> {
        list_n4(&front_ends::running(self).await, filter, page).await
    }

    async fn gtpc_sessions(&self, filter: &GtpcFilter, page: &PageAsk) -> Result<GtpcPage, ControlError> {
        list_gtpc(&front_ends::running_gtpc(self).await, filter, page).await
    }

    async fn n2_ues(&self, filter: &N2Filter, page: &PageAsk) -> Result<N2Page, ControlError> {
        list_n2(&aware::knowing(self).await, filter, page).await
    }

    async fn sbi_resources(&self, filter: &SbiFilter, page: &PageAsk) -> Result<SbiPage, ControlError> {
        self.sbi_page(filter, page).await
    }

    async fn stats(&self) -> Result<Stats, ControlError> {
        let counts = self.counts().await?;
        let (config, level) = (Arc::clone(&self.state().config), self.table.level());
        let wanted = config.interfaces.clone();
        let read =
            move |path: &mut PacketPath| Ok((path.maps().counters()?, path.interfaces(&wanted), path.flows()));
        let (counters, interfaces, flows) = self.path.long(read).await.map_err(refused)?;
        let sessions = counts.flows;
        let placed = counters.get(Reason::Placed as usize).copied().unwrap_or_default();
        Ok(Stats {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime: self.now(),
            packets: packets(&counters),
            tables: vec![
                flows,
                TableLevel { name: "PINS".into(), used: level.used.into(), bound: level.bound.into() },
            ],
            sessions: sessions + u64::from(level.used),
            placed,
            ended: placed.saturating_sub(sessions),
            store: self.store.level(),
            interfaces,
            front_ends: counts.front_ends,
            gtpc: counts.gtpc,
            n2: counts.n2,
            heard: self.heard().await.map_err(refused)?,
            sbi: self.sbi_stats().await,
        })
    }

    async fn drain(&self, endpoint: &str, deadline: Option<Duration>) -> Result<EndpointView, ControlError> {
        let drained = self.state().pools.drain(endpoint, deadline, self.now());
        self.turned(endpoint, drained, (true, deadline)).await
    }

    async fn undrain(&self, endpoint: &str) -> Result<EndpointView, ControlError> {
        let undrained = self.state().pools.undrain(endpoint, self.now());
        self.turned(endpoint, undrained, (false, None)).await
    }

    async fn set_weight(&self, endpoint: &str, weight: u32) -> Result<EndpointView, ControlError> {
        self.state().pools.set_weight(endpoint, weight)?;
        tracing::info!(endpoint, weight, "has another weight");
        self.changed(endpoint).await
    }

    async fn reload(&self) -> Result<Reloaded, ControlError> {
        self.reload_file().await
    }

    async fn classify(
        &self,
        service: Option<&str>,
        teid: u32,
        filters: Option<&[String]>,
    ) -> Result<TunnelFilters, ControlError> {
        super::classify::classify(self, service, teid, filters).await
    }

    async fn explain(&self, key: &str) -> Result<Vec<Explanation>, ControlError> {
        super::explain::explain(self, key).await
    }
}

impl Daemon {
    /// What an endpoint that drains, or does so no more, is like then: one of a pool or, where none is called so, a producer of
    /// SBI.
    async fn turned(
        &self,
        name: &str,
        done: Result<(), ControlError>,
        (drain, deadline): (bool, Option<Duration>),
    ) -> Result<EndpointView, ControlError> {
        let what = if drain { "drains: it gets nothing new" } else { "drains no more" };
        if let Err(ControlError::NoEndpoint(_)) = done
            && let Some(producer) = self.drain_sbi(name, drain, deadline).await?
        {
            tracing::info!(producer = producer.name, "{what}");
            return Ok(producer);
        }
        done?;
        tracing::info!(endpoint = name, "{what}");
        self.changed(name).await
    }

    /// Puts in force what was asked for, and shows the endpoint as it is then.
    async fn changed(&self, endpoint: &str) -> Result<EndpointView, ControlError> {
        self.plan().await.map_err(refused)?;
        front_ends::tell(self).await;
        self.replan.notify_one();
        let counts = self.counts().await?;
        let (state, now) = (self.state(), self.now());
        let view = state.pools.view(endpoint, &counts, now)?;
        Ok(seen(view, &state, &counts, now))
    }

    fn endpoint_views(
        &self,
        pool: Option<&str>,
        counts: &Counts,
    ) -> Result<(Option<Arc<Config>>, Vec<EndpointView>), ControlError> {
        let (state, now) = (self.state(), self.now());
        let State { config, pools, .. } = &*state;
        let views = pools.views(pool, counts, now)?.into_iter().map(|view| seen(view, &state, counts, now));
        Ok((Some(Arc::clone(config)), views.collect()))
    }

    /// How many sessions every endpoint has.
    async fn counts(&self) -> Result<Counts, ControlError> {
        let config = Arc::clone(&self.state().config);
        let counts = self.path.quick(move |path| Counts::read(path, &config)).await.map_err(refused)?;
        let counts = counts.with(self.n4_front_ends().await).with_gtpc(self.gtpc_front_ends().await);
        Ok(counts.with_n2(self.n2_front_ends().await))
    }

    /// The packet path's clock.
    pub(super) async fn ticks(&self) -> Result<Ticks, ControlError> {
        let read = |path: &mut PacketPath| Ok((path.maps_mut().clock()?, path.maps().tick_length()));
        let (now, length) = self.path.quick(read).await.map_err(refused)?;
        Ok(Ticks { now, length })
    }
}

/// An endpoint with what is seen of it beside probes.
fn seen(view: EndpointView, state: &State, counts: &Counts, now: Duration) -> EndpointView {
    let (pool, name) = (&view.pool, &view.name);
    let (traffic, load) = (state.ledger.view(pool, name, now), counts.load(pool, name));
    let why = match view.state {
        EndpointState::Unknown if counts.upfs(pool, name).next().is_some() => "no association yet".to_owned(),
        EndpointState::Unknown if counts.is_amf(pool, name) => "no gNB is set up with it yet".to_owned(),
        _ => view.why,
    };
    EndpointView { traffic, load, why, ..view }
}

/// How many sessions there are.
#[derive(Debug, Default)]
struct Counts {
    by_service: HashMap<String, u64>,
    by_endpoint: HashMap<(String, String), u64>,
    /// Those that the packet path placed.
    flows: u64,
    front_ends: Vec<N4FrontEnd>,
    gtpc: Vec<GtpcFrontEnd>,
    n2: Vec<N2FrontEnd>,
}

impl Counts {
    fn read(path: &mut PacketPath, config: &Config) -> Result<Self, LoadError> {
        let mut counts = Self::default();
        for spec in path.specs() {
            let Some(service) = config.services.iter().find(|service| service.name == spec.name) else { continue };
            for endpoint in &spec.endpoints {
                let Some(base) = path.setup.base(&spec.name, &endpoint.name) else { continue };
                let sessions = u64::from(path.maps().sessions(base)?);
                counts.flows += sessions;
                counts.add(&spec.name, (&service.pool, &endpoint.name), sessions);
            }
        }
        Ok(counts)
    }

    /// Counts sessions of a service on an endpoint.
    fn add(&mut self, service: &str, (pool, endpoint): (&str, &str), sessions: u64) {
        *self.by_service.entry(service.to_owned()).or_default() += sessions;
        *self.by_endpoint.entry((pool.to_owned(), endpoint.to_owned())).or_default() += sessions;
    }

    fn of_service(&self, service: &str) -> u64 {
        self.by_service.get(service).copied().unwrap_or_default()
    }
}

impl Sessions for Counts {
    fn of(&self, pool: &str, endpoint: &str) -> u64 {
        self.by_endpoint.get(&(pool.to_owned(), endpoint.to_owned())).copied().unwrap_or_default()
    }
}

fn packets(counters: &[u64]) -> Vec<PacketCount> {
    let count = |(reason, packets): (&Reason, &u64)| PacketCount {
        reason: reason.name().to_owned(),
        verdict: fate(*reason).to_owned(),
        packets: *packets,
    };
    Reason::ALL.iter().zip(counters).map(count).collect()
}

/// What becomes of packets that are counted for a reason.
fn fate(reason: Reason) -> &'static str {
    match reason {
        Reason::Pinned | Reason::Placed | Reason::Replied | Reason::Hashed => "redirect",
        Reason::ArpAnswered
        | Reason::NeighbourAnswered
        | Reason::EchoAnswered
        | Reason::ResetAnswered
        | Reason::AbortAnswered
        | Reason::UnreachableAnswered => "transmit",
        Reason::NotIp | Reason::NotOurs | Reason::ReplyWithoutPin | Reason::Unresolved => "pass",
        _ => "drop",
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` is given")]
pub(super) fn refused(error: LoadError) -> ControlError {
    ControlError::Maps(error.to_string())
}
