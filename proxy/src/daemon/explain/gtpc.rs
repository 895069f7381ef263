//! Why GTPv2-C sessions are at their endpoints.

use std::sync::Arc;

use pinion_gtpc::{Interface, SessionView};

use super::MOST;
use crate::config::model::{Algorithm, Config};
use crate::control::{Control as _, EndpointView, Explained, Explanation, GtpcSessionView};
use crate::daemon::front_ends;
use crate::daemon::state::Daemon;
use crate::gtpc::find;

/// Why the sessions with this TEID of their control tunnels, whoever's it is, are where they are.
pub(super) async fn explain(daemon: &Daemon, teid: u32) -> Vec<Explanation> {
    let wanted = |it: &SessionView| {
        let theirs = it.end.is_some_and(|(_, end)| end == teid);
        theirs || it.client.1 == teid || it.client_teid == teid || it.endpoint_teid == teid
    };
    let found = find(&front_ends::running_gtpc(daemon).await, MOST, wanted).await;
    if found.is_empty() {
        return Vec::new();
    }
    let config = Arc::clone(&daemon.state().config);
    let endpoints = daemon.endpoints(None).await.unwrap_or_default();
    let explained = |session| {
        let steps = steps(&config, &endpoints, &session);
        Explanation { session: Explained::Gtpc(session), steps }
    };
    found.into_iter().map(explained).collect()
}

/// The steps that led a session to its endpoint.
fn steps(config: &Config, endpoints: &[EndpointView], of: &GtpcSessionView) -> Vec<String> {
    let GtpcSessionView { service, session } = of;
    let SessionView { client: (client, teid), client_teid, endpoint, endpoint_teid, .. } = session;
    let whose = session.subscriber.as_ref().map_or_else(String::new, |digits| format!(" for user {digits}"));
    let what = match session.interface {
        Interface::S11 => "S11 or S4",
        Interface::S5 => "S5, S8 or S2",
    };
    let mut steps = vec![
        format!(
            "the {what} client at {client}, which has TEID {teid:#010x}, asked service {service} for it{whose}; it knows it \
             by TEID {client_teid:#010x}, which is Pinion's own"
        ),
        chosen(config, service, endpoint),
    ];
    steps.push(match session.end {
        Some((address, end)) => format!(
            "{endpoint} has TEID {end:#010x} at {address}, and knows it by TEID {endpoint_teid:#010x}, which is Pinion's own"
        ),
        None => format!("{endpoint} was asked to make it, and has not answered yet"),
    });
    steps.push(super::now(endpoint, super::named(endpoint, endpoints)));
    steps
}

/// Why the session is at its endpoint.
fn chosen(config: &Config, service: &str, endpoint: &str) -> String {
    let Some(known) = config.services.iter().find(|it| it.name == service) else {
        return format!("service {service} is configured no longer; its sessions end with it");
    };
    let how = match known.algorithm {
        Algorithm::Maglev => "consistent hashing of the user's IMSI, else MEI, else the APN (maglev)",
        Algorithm::SourceAffinity => "consistent hashing of the user's IMSI (source_affinity)",
        Algorithm::RoundRobin => "its turn (round_robin)",
        Algorithm::Weighted => "its turn, by weight (weighted)",
        Algorithm::LeastSessions => "the fewest sessions for its weight (least_sessions)",
    };
    format!("{endpoint} had the user's sessions already, or service {service} chose it by {how}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config;
    use crate::pool::{Pools, Sessions};

    struct Nobody;

    impl Sessions for Nobody {
        fn of(&self, _: &str, _: &str) -> u64 {
            0
        }
    }

    #[test]
    fn a_session_is_explained_by_both_its_tunnels() {
        let text = "services: [{name: s11, protocol: gtpv2-c, addresses: [192.0.2.1], endpoints: [{name: a, addresses: [192.0.2.2]}]}]";
        let config = config::parse(text.as_bytes(), &config::Host::default()).unwrap().config;
        let pools = Pools::default().configure(&config, Duration::ZERO);
        let endpoints = pools.views(None, &Nobody, Duration::ZERO).unwrap();
        let session = SessionView {
            number: 1,
            interface: Interface::S11,
            subscriber: Some("001010000000007".to_owned()),
            client: ([198, 51, 100, 1].into(), 0x11),
            client_teid: 0x22,
            endpoint: "s11/a".into(),
            end: Some(([192, 0, 2, 2].into(), 0x33)),
            endpoint_teid: 0x44,
            bearers: vec![5],
        };
        let of = |session| GtpcSessionView { service: "s11".into(), session };
        assert_eq!(
            steps(&config, &endpoints, &of(session.clone())),
            [
                "the S11 or S4 client at 198.51.100.1, which has TEID 0x00000011, asked service s11 for it for user \
                 001010000000007; it knows it by TEID 0x00000022, which is Pinion's own",
                "s11/a had the user's sessions already, or service s11 chose it by consistent hashing of the user's IMSI, \
                 else MEI, else the APN (maglev)",
                "s11/a has TEID 0x00000033 at 192.0.2.2, and knows it by TEID 0x00000044, which is Pinion's own",
                "s11/a gets new sessions with weight 1",
            ]
        );
        let opening = steps(&config, &endpoints, &of(SessionView { end: None, ..session }));
        assert_eq!(opening[2], "s11/a was asked to make it, and has not answered yet");
    }
}
