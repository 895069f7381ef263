//! Why N4 sessions are at their UPFs, and which of them tunnels are of.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use pinion_n4::{Phase, TunnelView};

use super::MOST;
use crate::config::model::{Algorithm, Config, Pool, Serves, Service};
use crate::control::{Control as _, EndpointView, Explained, Explanation, N4SessionView, SessionKey, SessionView};
use crate::daemon::front_ends;
use crate::daemon::state::Daemon;
use crate::n4::find;

/// Why sessions with this SEID, whoever's it is, are where they are.
pub(super) async fn explain(daemon: &Daemon, seid: u64) -> Vec<Explanation> {
    let hosts = front_ends::running(daemon).await;
    // 0 is what a UPF's SEID is while it gave none.
    let wanted = |known: u64| known == seid && known != 0;
    let found = find(&hosts, MOST, |it| wanted(it.seid) || wanted(it.smf.1) || wanted(it.upf.1)).await;
    if found.is_empty() {
        return Vec::new();
    }
    let config = Arc::clone(&daemon.state().config);
    let endpoints = daemon.endpoints(None).await.unwrap_or_default();
    let explained = |session| {
        let steps = steps(&config, &endpoints, &session);
        Explanation { session: Explained::N4(session), steps }
    };
    found.into_iter().map(explained).collect()
}

/// The N4 sessions that tunnels are of.
pub(super) struct Learned {
    config: Arc<Config>,
    /// By the address and the TEID that packets are sent to.
    sessions: HashMap<(IpAddr, u32), N4SessionView>,
}

/// Looks for the N4 sessions of those sessions that are tunnels.
pub(super) async fn learned(daemon: &Daemon, found: &[SessionView]) -> Learned {
    let config = Arc::clone(&daemon.state().config);
    let tunnels: Vec<_> = found.iter().filter_map(tunnel).collect();
    let mut sessions = HashMap::new();
    if !tunnels.is_empty() {
        let is_of = |it: &TunnelView| it.at.iter().any(|at| tunnels.contains(at));
        for session in find(&front_ends::running(daemon).await, MOST, |it| it.tunnels.iter().any(is_of)).await {
            for at in session.tunnels.iter().flat_map(|tunnel| &tunnel.at) {
                sessions.insert(*at, session.clone());
            }
        }
    }
    Learned { config, sessions }
}

impl Learned {
    /// The steps that N4 adds to those of a session.
    pub(super) fn of(&self, session: &SessionView) -> Vec<String> {
        let Some(n4) = tunnel(session).and_then(|at| self.sessions.get(&at)) else { return Vec::new() };
        vec![
            format!(
                "it is a tunnel of the N4 session seid:{:#x} of service {}: the SMF at {} knows it by SEID {:#x}, and UPF {} \
                 by {:#x}",
                n4.seid, n4.service, n4.smf, n4.smf_seid, n4.upf, n4.upf_seid
            ),
            chosen(&self.config, n4),
        ]
    }
}

fn tunnel(session: &SessionView) -> Option<(IpAddr, u32)> {
    match session.key {
        SessionKey::Tunnel { address, teid, .. } => Some((address?, teid)),
        _ => None,
    }
}

/// The steps that led an N4 session to its UPF.
fn steps(config: &Config, endpoints: &[EndpointView], session: &N4SessionView) -> Vec<String> {
    let N4SessionView { service, seid, smf, smf_seid, upf, upf_seid, .. } = session;
    let mut steps = vec![
        format!(
            "the SMF at {smf}, which knows it by SEID {smf_seid:#x}, asked service {service} for it; the SEID {seid:#x} is \
             Pinion's own, towards SMF and UPF alike"
        ),
        chosen(config, session),
    ];
    steps.push(match session.phase {
        Phase::Opening => format!("{upf} was asked to make it, and has not answered yet"),
        Phase::Open => format!("{upf} knows it by SEID {upf_seid:#x}"),
        Phase::Restoring => format!("the UPF that had it is lost; {upf} is asked to make it again"),
        Phase::Closing => format!("{upf}, which knows it by SEID {upf_seid:#x}, was asked to end it"),
    });
    steps.extend(session.tunnels.iter().map(|tunnel| {
        let at: Vec<_> = tunnel.at.iter().map(|(address, teid)| format!("{teid:#010x} at {address}")).collect();
        format!("GTP-U packets with TEID {} go there with {:#010x}", at.join(" and "), tunnel.upf_teid)
    }));
    if session.tunnels.is_empty() {
        steps.push("no gtpu service stands for its tunnels: clients know those of the UPF".to_owned());
    }
    let view = super::named(upf, endpoints);
    let load = view.and_then(|view| view.load);
    let load = load.map(|load| format!("; it says that {load} % of its capacity is in use")).unwrap_or_default();
    steps.push(format!("{}{load}", super::now(upf, view)));
    steps
}

/// Why the session is at its UPF.
fn chosen(config: &Config, session: &N4SessionView) -> String {
    let N4SessionView { service, upf, .. } = session;
    let Some(service) = config.services.iter().find(|it| it.name == *service) else {
        return format!("service {service} is configured no longer; its sessions end with it");
    };
    let pool = config.pools.iter().find(|pool| pool.name == service.pool);
    let named = |pool: &Pool, name: &str| *upf == format!("{}/{name}", pool.name);
    let endpoint = pool.and_then(|pool| pool.endpoints.iter().find(|endpoint| named(pool, &endpoint.name)));
    let serves = endpoint.map(|endpoint| format!(": it takes {}", serves(&endpoint.serves))).unwrap_or_default();
    format!(
        "of the UPFs that take such a session and had an association, service {} chose {upf} by {}{serves}",
        service.name,
        how(service)
    )
}

fn how(service: &Service) -> &'static str {
    match service.algorithm {
        Algorithm::Maglev => "consistent hashing of the user's address (maglev)",
        Algorithm::SourceAffinity => "consistent hashing of the user's address (source_affinity)",
        Algorithm::RoundRobin => "its turn (round_robin)",
        Algorithm::Weighted => "its turn, by weight (weighted)",
        Algorithm::LeastSessions => "the fewest sessions for its weight and its load (least_sessions)",
    }
}

/// Which sessions a UPF takes, as the configuration says it.
fn serves(serves: &Serves) -> String {
    let slice = |(kind, part): &(u8, Option<[u8; 3]>)| match part {
        Some([a, b, c]) => format!("{kind}-{a:02x}{b:02x}{c:02x}"),
        None => kind.to_string(),
    };
    let parts = [
        ("DNN", serves.dnns.clone()),
        ("slice", serves.slices.iter().map(slice).collect()),
        ("network instance", serves.network_instances.clone()),
        ("users of", serves.ue_addresses.iter().map(|(address, length)| format!("{address}/{length}")).collect()),
    ];
    let said: Vec<_> = parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what} {}", names.join(" or ")))
        .collect();
    if said.is_empty() { "all sessions".to_owned() } else { said.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config;
    use crate::control::{Origin, SessionState};
    use crate::pool::{Pools, Sessions};

    const CONFIG: &str = "
services:
  - name: upf-control
    protocol: pfcp
    addresses: [192.0.2.11]
    algorithm: least_sessions
    endpoints:
      - name: upf-1
        addresses: [192.0.2.31]
        pfcp: {dnns: [internet, ims], slices: ['1', '2-0000ab'], ue_addresses: [10.45.0.0/17]}
      - {name: upf-2, addresses: [192.0.2.32], pfcp: {ue_addresses: [10.45.128.0/17]}}
    pfcp: {ue_addresses: pools, user_plane: []}
";

    fn config() -> Config {
        config::parse(CONFIG.as_bytes(), &config::Host::default()).unwrap().config
    }

    fn session(phase: Phase) -> N4SessionView {
        N4SessionView {
            service: "upf-control".into(),
            seid: 0x5_0000_0003,
            phase,
            smf: [192, 0, 2, 50].into(),
            smf_seid: 0x77,
            upf: "upf-control/upf-1".into(),
            upf_seid: 0x99,
            tunnels: vec![TunnelView { at: vec![([192, 0, 2, 12].into(), 0x1001)], upf_teid: 0x2002 }],
        }
    }

    struct Nobody;

    impl Sessions for Nobody {
        fn of(&self, _: &str, _: &str) -> u64 {
            0
        }
    }

    const CHOSEN: &str = "of the UPFs that take such a session and had an association, service upf-control chose \
                          upf-control/upf-1 by the fewest sessions for its weight and its load (least_sessions): it takes \
                          DNN internet or ims, slice 1 or 2-0000ab, users of 10.45.0.0/17";

    #[test]
    fn a_session_is_explained_by_who_asked_who_was_chosen_and_where_its_packets_go() {
        let config = config();
        let pools = Pools::default().configure(&config, Duration::ZERO);
        let mut endpoints = pools.views(None, &Nobody, Duration::ZERO).unwrap();
        endpoints[0].load = Some(40);
        assert_eq!(
            steps(&config, &endpoints, &session(Phase::Open)),
            [
                "the SMF at 192.0.2.50, which knows it by SEID 0x77, asked service upf-control for it; the SEID 0x500000003 \
                 is Pinion's own, towards SMF and UPF alike",
                CHOSEN,
                "upf-control/upf-1 knows it by SEID 0x99",
                "GTP-U packets with TEID 0x00001001 at 192.0.2.12 go there with 0x00002002",
                "upf-control/upf-1 gets new sessions with weight 1; it says that 40 % of its capacity is in use",
            ]
        );
        let moved =
            steps(&config, &endpoints, &N4SessionView { tunnels: Vec::new(), ..session(Phase::Restoring) });
        assert_eq!(moved[2], "the UPF that had it is lost; upf-control/upf-1 is asked to make it again");
        assert!(moved[3].starts_with("no gtpu service stands for its tunnels"), "{}", moved[3]);
        let gone = N4SessionView { upf: "upf-control/upf-9".into(), ..session(Phase::Open) };
        let steps = steps(&config, &endpoints, &gone);
        assert_eq!(
            steps.last().unwrap(),
            "upf-control/upf-9 is configured no longer; its sessions stay until they end"
        );
    }

    #[test]
    fn a_tunnel_is_told_whose_it_is() {
        let at = ([192, 0, 2, 12].into(), 0x1001);
        let learned =
            Learned { config: Arc::new(config()), sessions: [(at, session(Phase::Open))].into_iter().collect() };
        let tunnel = |address, teid| SessionView {
            service: "upf-user".into(),
            endpoint: "upf-user/upf-1".into(),
            key: SessionKey::Tunnel { address, teid, endpoint_teid: 0x2002 },
            state: SessionState::Established,
            origin: Origin::Learned,
            idle: None,
        };
        assert_eq!(
            learned.of(&tunnel(Some(at.0), 0x1001)),
            [
                "it is a tunnel of the N4 session seid:0x500000003 of service upf-control: the SMF at 192.0.2.50 knows it \
                 by SEID 0x77, and UPF upf-control/upf-1 by 0x99",
                CHOSEN
            ]
        );
        assert_eq!(learned.of(&tunnel(Some(at.0), 0x1002)), Vec::<String>::new());
        assert_eq!(learned.of(&tunnel(None, 0x1001)), Vec::<String>::new());
    }
}
