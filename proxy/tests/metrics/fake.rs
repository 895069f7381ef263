//! A daemon that tells what a test wants.

use std::time::Duration;

use pinion::config::model::{Algorithm, Protocol};
use pinion::control::{
    Control, ControlError, EndpointState, EndpointView, Explanation, GtpcEndpoint, GtpcFilter, GtpcFrontEnd,
    GtpcPage, InterfaceView, N2Amf, N2Filter, N2FrontEnd, N2Page, N4Filter, N4FrontEnd, N4Page, N4Upf,
    PacketCount, PageAsk, PathView, Reloaded, SbiEvent, SbiFilter, SbiPage, SbiProducer, SbiService, SbiState,
    SbiStats, ServiceView, SessionFilter, SessionPage, Stats, StoreLevel, TableLevel, TrafficView, TunnelFilters,
};

use pinion_n2::{Answerer, Latency};
use pinion_protocols::ngap::Procedure;

use crate::counts::counts;
use crate::heard::heard;
use crate::{gtpc_counts, n2_counts};

pub(crate) struct Fake {
    /// How many endpoints there are.
    pub(crate) endpoints: usize,
    /// It tells nothing but an error.
    pub(crate) broken: bool,
    /// It never answers.
    pub(crate) stuck: bool,
}

impl Default for Fake {
    fn default() -> Self {
        Self { endpoints: 2, broken: false, stuck: false }
    }
}

fn path(address: &str, up: Option<bool>, round_trip: Option<Duration>) -> PathView {
    let why = "an answer".to_owned();
    PathView { address: address.parse().unwrap(), up, why, since: Duration::from_secs(9), round_trip }
}

fn endpoint(number: usize) -> EndpointView {
    EndpointView {
        pool: "amfs".to_owned(),
        name: format!("amf-{number}"),
        port: None,
        weight: 100,
        effective: 50,
        priority: 0,
        state: if number == 1 { EndpointState::Draining } else { EndpointState::Up },
        why: "it answers".to_owned(),
        since: Duration::from_secs(60),
        paths: vec![
            path("192.0.2.1", Some(true), Some(Duration::from_micros(1500))),
            path("198.51.100.1", Some(false), None),
            path("203.0.113.1", None, None),
        ],
        sessions: 6,
        traffic: TrafficView { resets: 3, aborts: 2, unreachables: 1, unanswered: 4, notice: String::new() },
        deadline: (number == 1).then_some(Duration::from_secs(30)),
        load: None,
    }
}

/// A front end that counted each thing so often that it is told from the others.
fn front_end(upfs: usize) -> N4FrontEnd {
    let upf = |number: usize| N4Upf {
        pool: "n4".to_owned(),
        name: format!("upf-{number}"),
        up: number == 1,
        sessions: 500 + number as u64,
        load: 70,
    };
    N4FrontEnd { service: "n4".to_owned(), sessions: 1003, counts: counts(), upfs: (1..=upfs).map(upf).collect() }
}

/// Likewise, of GTPv2-C.
fn gtpc(endpoints: usize) -> GtpcFrontEnd {
    let endpoint = |number: usize| GtpcEndpoint {
        pool: "sgws".to_owned(),
        name: format!("sgw-{number}"),
        up: [None, Some(true), Some(false)][number % 3],
        sessions: 600 + number as u64,
    };
    let endpoints = (1..=endpoints).map(endpoint).collect();
    GtpcFrontEnd { service: "s11".to_owned(), sessions: 2003, counts: gtpc_counts::counts(), endpoints }
}

/// Likewise, of N2, with answers after 1, 30 and 20,000 ms.
fn n2(amfs: usize) -> N2FrontEnd {
    let amf = |number: usize| N2Amf {
        pool: "amfs".to_owned(),
        name: format!("amf-{number}"),
        gnbs: 3,
        ues: 700 + number as u64,
        capacity: 90,
        overload: 20,
    };
    let mut latency = Latency { count: 3, sum: Duration::from_millis(20_031), ..Latency::default() };
    (latency.classes[0], latency.classes[5]) = (1, 1);
    N2FrontEnd {
        service: "n2".to_owned(),
        gnbs: 3,
        ues: 3003,
        counts: n2_counts::counts(),
        amfs: (1..=amfs).map(amf).collect(),
        messages: vec![(Procedure::NgSetup, 3, 6)],
        latencies: vec![(Procedure::NgSetup, Answerer::Amf, latency)],
    }
}

#[tonic::async_trait]
impl Control for Fake {
    async fn services(&self) -> Vec<ServiceView> {
        vec![ServiceView {
            name: "n2".to_owned(),
            protocol: Protocol::Sctp,
            port: 38412,
            addresses: vec!["192.0.2.100".parse().unwrap()],
            pool: "amfs".to_owned(),
            algorithm: Algorithm::LeastSessions,
            serving: 1,
            endpoints: 2,
            sessions: 12,
        }]
    }

    async fn endpoints(&self, _: Option<&str>) -> Result<Vec<EndpointView>, ControlError> {
        Ok((1..=self.endpoints).map(endpoint).collect())
    }

    async fn stats(&self) -> Result<Stats, ControlError> {
        if self.stuck {
            std::future::pending::<()>().await;
        }
        if self.broken {
            return Err(ControlError::Maps("EPERM".to_owned()));
        }
        let count = |reason: &str, verdict: &str, packets| PacketCount {
            reason: reason.to_owned(),
            verdict: verdict.to_owned(),
            packets,
        };
        let interface =
            |name: &str, attached: &str| InterfaceView { name: name.to_owned(), attached: attached.to_owned() };
        Ok(Stats {
            version: "1.2.3".to_owned(),
            uptime: Duration::from_millis(90_500),
            packets: vec![count("pinned", "redirect", 100), count("ip_truncated", "drop", 7)],
            tables: vec![TableLevel { name: "flows".to_owned(), used: 24, bound: 200_000 }],
            sessions: 12,
            placed: 20,
            ended: 8,
            store: StoreLevel {
                kind: "redis://192.0.2.9:6379".to_owned(),
                up: true,
                why: String::new(),
                waiting: 3,
                lag: Duration::from_millis(250),
                written: 17,
                lost: 0,
            },
            interfaces: vec![
                interface("eth0", "native"),
                interface("eth1", "missing"),
                interface("a\"b\\c\nd", "generic"),
            ],
            front_ends: vec![front_end(self.endpoints)],
            gtpc: vec![gtpc(2)],
            sbi: Some(SbiStats {
                fqdn: "scp.example".to_owned(),
                nf_instance: "8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b".to_owned(),
                statuses: vec![(200, 7), (504, 1)],
                causes: vec![("TARGET_NF_NOT_REACHABLE".to_owned(), 1)],
                cancelled: 2,
                times: vec![3, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                spent: Duration::from_millis(6250),
                working: 4,
                retries: 3,
                services: vec![SbiService {
                    service: "nudm-sdm".to_owned(),
                    nf_type: "UDM".to_owned(),
                    classes: [0, 7, 0, 0, 1],
                    causes: vec![("TARGET_NF_NOT_REACHABLE".to_owned(), 1)],
                    spent: Duration::from_millis(6250),
                }],
                events: pinion_scp::tally::Event::ALL
                    .iter()
                    .zip(10..)
                    .map(|(event, count)| {
                        let (kind, outcome) = event.name();
                        SbiEvent { kind: kind.to_owned(), outcome: outcome.to_owned(), count }
                    })
                    .collect(),
                searched: Duration::from_millis(1500),
                producers: vec![SbiProducer {
                    api_root: "http://192.0.2.61:8000".to_owned(),
                    state: SbiState::Avoided,
                    answered: 7,
                    failed: 5,
                    ..SbiProducer::default()
                }],
                ..SbiStats::default()
            }),
            n2: vec![n2(2)],
            heard: heard(),
        })
    }

    async fn sessions(&self, _: &SessionFilter, _: &PageAsk) -> Result<SessionPage, ControlError> {
        Ok(SessionPage::default())
    }

    async fn n4_sessions(&self, _: &N4Filter, _: &PageAsk) -> Result<N4Page, ControlError> {
        Ok(N4Page::default())
    }

    async fn sbi_resources(&self, _: &SbiFilter, _: &PageAsk) -> Result<SbiPage, ControlError> {
        Ok(SbiPage::default())
    }

    async fn gtpc_sessions(&self, _: &GtpcFilter, _: &PageAsk) -> Result<GtpcPage, ControlError> {
        Ok(GtpcPage::default())
    }

    async fn n2_ues(&self, _: &N2Filter, _: &PageAsk) -> Result<N2Page, ControlError> {
        Ok(N2Page::default())
    }

    async fn drain(&self, endpoint: &str, _: Option<Duration>) -> Result<EndpointView, ControlError> {
        Err(ControlError::NoEndpoint(endpoint.to_owned()))
    }

    async fn undrain(&self, endpoint: &str) -> Result<EndpointView, ControlError> {
        Err(ControlError::NoEndpoint(endpoint.to_owned()))
    }

    async fn set_weight(&self, endpoint: &str, _: u32) -> Result<EndpointView, ControlError> {
        Err(ControlError::NoEndpoint(endpoint.to_owned()))
    }

    async fn reload(&self) -> Result<Reloaded, ControlError> {
        Ok(Reloaded::default())
    }

    async fn classify(
        &self,
        _: Option<&str>,
        teid: u32,
        _: Option<&[String]>,
    ) -> Result<TunnelFilters, ControlError> {
        Err(ControlError::NoTunnel(teid))
    }

    async fn explain(&self, key: &str) -> Result<Vec<Explanation>, ControlError> {
        Err(ControlError::Key(key.to_owned()))
    }
}
