//! A [`Control`] that shows a small core, and keeps what it is told.

mod gtpc;
mod heard;
mod n2;
mod n4;
mod sbi;

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use pinion::config::model::{Algorithm, Protocol};
use pinion::control::{
    Control, ControlError, EndpointState, EndpointView, Explained, Explanation, GtpcFilter, GtpcPage,
    InterfaceView, N2Filter, N2Page, N4Filter, N4Page, Origin, PacketCount, PageAsk, PathView, Reloaded,
    SbiFilter, SbiPage, ServiceView, SessionFilter, SessionKey, SessionPage, SessionState, SessionView, Stats,
    StoreLevel, TableLevel, TrafficView, TunnelFilters,
};

/// The filter of the one tunnel that has any.
pub(crate) const FILTER: &str = "udp from any to 203.0.113.0/24 53 via mec/edge-1";

pub(crate) struct Sample {
    endpoints: Mutex<Vec<EndpointView>>,
    /// How many sessions there are, of each kind in turn.
    sessions: u32,
    /// What a reload says.
    reload: Result<Reloaded, String>,
    /// How long a reload takes.
    takes: Duration,
    pub(crate) reloads: Mutex<u32>,
}

impl Default for Sample {
    fn default() -> Self {
        let changes = vec!["pool amf: endpoint amf-4 added".into(), "service n3: removed".into()];
        Self {
            endpoints: Mutex::new(endpoints()),
            sessions: 5,
            reload: Ok(Reloaded { services: 2, changes }),
            takes: Duration::ZERO,
            reloads: Mutex::new(0),
        }
    }
}

impl Sample {
    pub(crate) fn with_sessions(sessions: u32) -> Self {
        Self { sessions, ..Self::default() }
    }

    pub(crate) fn with_mistakes(mistakes: String) -> Self {
        Self { reload: Err(mistakes), ..Self::default() }
    }

    pub(crate) fn with_slow_reload(takes: Duration) -> Self {
        Self { takes, ..Self::default() }
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut EndpointView)) -> Result<EndpointView, ControlError> {
        let mut endpoints = self.endpoints.lock().unwrap();
        let fits = |view: &&mut EndpointView| match name.split_once('/') {
            Some((pool, name)) => view.pool == pool && view.name == name,
            None => view.name == name,
        };
        let mut found: Vec<_> = endpoints.iter_mut().filter(fits).collect();
        match found.as_mut_slice() {
            [] => Err(ControlError::NoEndpoint(name.to_owned())),
            [one] => {
                change(one);
                Ok(one.clone())
            }
            several => Err(ControlError::Ambiguous {
                name: name.to_owned(),
                pools: several.iter().map(|view| view.pool.clone()).collect(),
            }),
        }
    }
}

#[tonic::async_trait]
impl Control for Sample {
    async fn services(&self) -> Vec<ServiceView> {
        services()
    }

    async fn endpoints(&self, pool: Option<&str>) -> Result<Vec<EndpointView>, ControlError> {
        let mut endpoints = self.endpoints.lock().unwrap().clone();
        if let Some(pool) = pool {
            endpoints.retain(|endpoint| endpoint.pool == pool);
            if endpoints.is_empty() {
                return Err(ControlError::NoPool(pool.to_owned()));
            }
        }
        Ok(endpoints)
    }

    async fn sessions(&self, filter: &SessionFilter, page: &PageAsk) -> Result<SessionPage, ControlError> {
        let begin: u32 = match &page.cursor {
            None => 0,
            Some(cursor) => cursor.parse().map_err(|_| ControlError::Cursor(cursor.clone()))?,
        };
        if let Some(service) = &filter.service
            && !services().iter().any(|view| view.name == *service)
        {
            return Err(ControlError::NoService(service.clone()));
        }
        let lets_through = |session: &SessionView| {
            let client = match session.key {
                SessionKey::Flow { client, .. } => Some(client.ip()),
                _ => None,
            };
            filter.service.as_ref().is_none_or(|service| session.service == *service)
                && filter.endpoint.as_ref().is_none_or(|endpoint| session.endpoint == *endpoint)
                && filter.client.is_none_or(|filter| client == Some(filter))
                && filter.state.is_none_or(|state| session.state == state)
        };
        let end = begin.saturating_add(page.limit).min(self.sessions);
        Ok(SessionPage {
            sessions: (begin..end).map(session).filter(lets_through).collect(),
            next: (end < self.sessions).then(|| end.to_string()),
        })
    }

    async fn n4_sessions(&self, filter: &N4Filter, page: &PageAsk) -> Result<N4Page, ControlError> {
        n4::page(self.sessions, filter, page)
    }

    async fn sbi_resources(&self, filter: &SbiFilter, page: &PageAsk) -> Result<SbiPage, ControlError> {
        Ok(sbi::page(filter, page))
    }

    async fn gtpc_sessions(&self, filter: &GtpcFilter, page: &PageAsk) -> Result<GtpcPage, ControlError> {
        gtpc::page(self.sessions, filter, page)
    }

    async fn n2_ues(&self, filter: &N2Filter, page: &PageAsk) -> Result<N2Page, ControlError> {
        n2::page(self.sessions, filter, page)
    }

    async fn stats(&self) -> Result<Stats, ControlError> {
        Ok(stats())
    }

    async fn drain(&self, endpoint: &str, deadline: Option<Duration>) -> Result<EndpointView, ControlError> {
        self.change(endpoint, |view| {
            view.state = EndpointState::Draining;
            view.effective = 0;
            view.why = "drained by the API".into();
            view.since = Duration::ZERO;
            view.deadline = deadline;
        })
    }

    async fn undrain(&self, endpoint: &str) -> Result<EndpointView, ControlError> {
        self.change(endpoint, |view| {
            view.state = EndpointState::Up;
            view.effective = view.weight;
            view.deadline = None;
        })
    }

    async fn set_weight(&self, endpoint: &str, weight: u32) -> Result<EndpointView, ControlError> {
        self.change(endpoint, |view| {
            view.weight = weight;
            view.effective = weight;
        })
    }

    async fn reload(&self) -> Result<Reloaded, ControlError> {
        tokio::time::sleep(self.takes).await;
        *self.reloads.lock().unwrap() += 1;
        self.reload.clone().map_err(ControlError::Config)
    }

    async fn classify(
        &self,
        service: Option<&str>,
        teid: u32,
        filters: Option<&[String]>,
    ) -> Result<TunnelFilters, ControlError> {
        match (service, teid) {
            (Some("n4"), _) => Err(ControlError::NoService("n4".to_owned())),
            (None, 7) => Err(ControlError::Tunnels { teid, services: vec!["n3".to_owned(), "n9".to_owned()] }),
            (_, 0x1001 | 7) => Ok(TunnelFilters {
                service: "n3".to_owned(),
                endpoint: "upf/upf-1".to_owned(),
                addresses: vec![ip("192.0.2.20"), ip("2001:db8::20")],
                teid,
                filters: filters.map_or_else(|| vec![FILTER.to_owned()], <[String]>::to_vec),
            }),
            _ => Err(ControlError::NoTunnel(teid)),
        }
    }

    async fn explain(&self, key: &str) -> Result<Vec<Explanation>, ControlError> {
        match key {
            "nothing" => Ok(Vec::new()),
            "tag:305419896" => Ok(vec![Explanation {
                session: Explained::Session(session(1)),
                steps: vec![
                    "its INIT came to 192.0.2.10:38412, path 1 of service n2".into(),
                    "maglev chose amf/amf-1 among 2 endpoints that serve".into(),
                ],
            }]),
            "seid:0x500000001" => Ok(vec![n4::explanation()]),
            "teid:0xa0000001" => Ok(vec![gtpc::explanation()]),
            "http://192.0.2.61:8000/nsmf-pdusession/v1/sm-contexts/1" => Ok(vec![sbi::explanation()]),
            "ue:102@001-01-gnb-000001/24" => Ok(vec![n2::explanation(Some(2))]),
            "tmsi:1-2-0x01020304" => Ok(vec![n2::explanation(None)]),
            _ => Err(ControlError::Key(key.to_owned())),
        }
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn services() -> Vec<ServiceView> {
    let n2 = ServiceView {
        name: "n2".into(),
        protocol: Protocol::Sctp,
        port: 38412,
        addresses: vec![ip("192.0.2.10"), ip("198.51.100.10")],
        pool: "amf".into(),
        algorithm: Algorithm::Maglev,
        serving: 2,
        endpoints: 3,
        sessions: 61,
    };
    let n3 = ServiceView {
        name: "n3".into(),
        protocol: Protocol::Gtpu,
        port: 2152,
        addresses: vec![ip("2001:db8::10")],
        pool: "upf".into(),
        algorithm: Algorithm::LeastSessions,
        serving: 0,
        endpoints: 1,
        sessions: 4,
    };
    vec![n2, n3]
}

fn path(address: &str, up: Option<bool>, why: &str, round_trip: Option<Duration>) -> PathView {
    PathView { address: ip(address), up, why: why.into(), since: Duration::from_millis(90_500), round_trip }
}

pub(crate) fn endpoints() -> Vec<EndpointView> {
    let ms = |number| Some(Duration::from_micros(number));
    let amf_1 = EndpointView {
        pool: "amf".into(),
        name: "amf-1".into(),
        port: None,
        weight: 100,
        effective: 100,
        priority: 0,
        state: EndpointState::Up,
        why: "SCTP INIT answered".into(),
        since: Duration::from_secs(273_600),
        paths: vec![
            path("10.0.0.1", Some(true), "INIT ACK", ms(420)),
            path("10.0.1.1", Some(false), "no answer in 1s", None),
        ],
        sessions: 40,
        deadline: None,
        traffic: TrafficView::default(),
        load: None,
    };
    let amf_2 = EndpointView {
        name: "amf-2".into(),
        effective: 25,
        why: "slow start".into(),
        since: Duration::from_secs(12),
        paths: vec![
            path("10.0.0.2", Some(true), "INIT ACK", ms(1_300)),
            path("10.0.1.2", Some(true), "INIT ACK", ms(87)),
        ],
        sessions: 20,
        traffic: TrafficView {
            resets: 1,
            aborts: 2,
            unreachables: 3,
            unanswered: 4,
            notice: "no reply is seen".into(),
        },
        ..amf_1.clone()
    };
    let amf_3 = EndpointView {
        name: "amf-3".into(),
        port: Some(38413),
        effective: 0,
        priority: 1,
        state: EndpointState::Draining,
        why: "drained by the API".into(),
        since: Duration::from_secs(30),
        paths: vec![path("10.0.0.3", None, "", None), path("10.0.1.3", None, "", None)],
        sessions: 1,
        deadline: Some(Duration::from_secs(270)),
        ..amf_1.clone()
    };
    let upf = EndpointView {
        pool: "upf".into(),
        name: "amf-3".into(),
        weight: 1,
        effective: 0,
        state: EndpointState::Down,
        why: "no path answers".into(),
        since: Duration::from_millis(1_500),
        paths: vec![path("2001:db8::21", Some(false), "no Echo Response in 1s", None)],
        sessions: 4,
        load: Some(73),
        ..amf_1.clone()
    };
    vec![amf_1, amf_2, amf_3, upf]
}

fn session(number: u32) -> SessionView {
    let (service, endpoint, key) = match number % 3 {
        0 => {
            let client = format!("192.0.2.{}:{}", number % 251, 40_000 + number % 20_000);
            let key = SessionKey::Flow {
                client: client.parse().unwrap(),
                service: "198.51.100.5:5060".parse().unwrap(),
            };
            ("sip", "cscf/cscf-1", key)
        }
        1 => {
            let tag = 0x1234_5677_u32.wrapping_add(number);
            let (client_port, service_port) = (51_000, 38_412);
            ("n2", "amf/amf-1", SessionKey::Association { client_port, service_port, tag, client_tag: !tag })
        }
        _ => {
            let address = number.is_multiple_of(2).then(|| ip("2001:db8::10"));
            ("n3", "upf/amf-3", SessionKey::Tunnel { address, teid: 4094 + number, endpoint_teid: number })
        }
    };
    SessionView {
        service: service.into(),
        endpoint: endpoint.into(),
        key,
        state: [SessionState::Established, SessionState::Opening, SessionState::Closing, SessionState::Closed]
            [number as usize % 4],
        origin: [Origin::Placed, Origin::Learned, Origin::Restored, Origin::Configured][number as usize % 4],
        idle: (number % 5 != 4).then(|| Duration::from_secs(u64::from(number) * 7)),
    }
}

pub(crate) fn stats() -> Stats {
    let count = |verdict: &str, reason: &str, packets| PacketCount {
        reason: reason.into(),
        verdict: verdict.into(),
        packets,
    };
    let level = |name: &str, used, bound| TableLevel { name: name.into(), used, bound };
    Stats {
        version: "9.8.7".into(),
        uptime: Duration::from_millis(93_784_250),
        packets: vec![
            count("transmit", "pinned", 1_234_567),
            count("redirect", "placed", 345),
            count("pass", "not-ours", 9_999),
            count("drop", "no-endpoint", 12),
            count("drop", "too-short", 0),
        ],
        tables: vec![level("flows", 61, 200_000), level("pins", 190_000, 200_000)],
        sessions: 65,
        placed: 345,
        ended: 280,
        store: StoreLevel {
            kind: "redis://store.example.org:6379".into(),
            up: false,
            why: "Connection refused".into(),
            waiting: 17,
            lag: Duration::from_millis(2_500),
            written: 328,
            lost: 1,
        },
        interfaces: vec![
            InterfaceView { name: "eth0".into(), attached: "native".into() },
            InterfaceView { name: "eth1".into(), attached: "missing".into() },
        ],
        front_ends: n4::front_ends(),
        gtpc: gtpc::front_ends(),
        sbi: Some(sbi::stats()),
        n2: n2::front_ends(),
        heard: heard::heard(),
    }
}
