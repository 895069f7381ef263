mod gtpc;
mod n2;
mod n4;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use pinion_steering::PinKey;

use super::classify;
use super::state::Daemon;
use crate::config::model::{Algorithm, Service};
use crate::control::{
    Control as _, ControlError, EndpointView, Explained, Explanation, Origin, PageAsk, SessionFilter, SessionKey,
    SessionState, SessionView,
};
use crate::sessions::number;

/// How many sessions are explained at the most.
const MOST: usize = 20;

/// What sessions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Client(IpAddr),
    Socket(SocketAddr),
    Tag(u32),
    Teid(u32),
    Seid(u64),
}

impl Wanted {
    /// Reads `ADDRESS`, `ADDRESS:PORT`, `tag:NUMBER`, `teid:NUMBER` or `seid:NUMBER`; numbers are decimal, or hexadecimal
    /// after `0x`.
    fn parse(key: &str) -> Option<Self> {
        if let Some(tag) = key.strip_prefix("tag:") {
            return number(tag).map(Self::Tag);
        }
        if let Some(teid) = key.strip_prefix("teid:") {
            return number(teid).map(Self::Teid);
        }
        if let Some(seid) = key.strip_prefix("seid:") {
            return number(seid).map(Self::Seid);
        }
        key.parse().map(Self::Client).or_else(|_| key.parse().map(Self::Socket)).ok()
    }

    fn is(self, key: &SessionKey) -> bool {
        match (self, *key) {
            (Self::Client(address), SessionKey::Flow { client, .. }) => client.ip() == address,
            (Self::Socket(socket), SessionKey::Flow { client, service }) => client == socket || service == socket,
            (Self::Tag(wanted), SessionKey::Association { tag, client_tag, .. }) => {
                wanted == tag || wanted == client_tag
            }
            (Self::Teid(wanted), SessionKey::Tunnel { teid, endpoint_teid, .. }) => {
                wanted == teid || wanted == endpoint_teid
            }
            _ => false,
        }
    }
}

/// Why sessions with this key are where they are.
pub(super) async fn explain(daemon: &Daemon, key: &str) -> Result<Vec<Explanation>, ControlError> {
    if key.starts_with("http://") || key.starts_with("https://") {
        return Ok(daemon.explain_sbi(key).await);
    }
    if let Some(key) = n2::Key::parse(key) {
        return Ok(n2::explain(daemon, &key).await);
    }
    let wanted = Wanted::parse(key).ok_or_else(|| ControlError::Key(key.to_owned()))?;
    let client = match wanted {
        Wanted::Client(address) => Some(address),
        Wanted::Seid(seid) => return Ok(n4::explain(daemon, seid).await),
        _ => None,
    };
    let filter = SessionFilter { client, ..SessionFilter::default() };
    let mut ask = PageAsk { limit: 10_000, cursor: None };
    let mut found = Vec::new();
    while found.len() < MOST {
        let page = daemon.sessions(&filter, &ask).await?;
        found.extend(page.sessions.into_iter().filter(|session| wanted.is(&session.key)));
        let Some(next) = page.next else { break };
        ask.cursor = Some(next);
    }
    found.truncate(MOST);
    let mut explanations = Vec::with_capacity(found.len());
    let learned = n4::learned(daemon, &found).await;
    for session in found {
        let mut steps = steps(daemon, &session).await;
        steps.extend(learned.of(&session));
        steps.extend(branches(daemon, &session).await);
        explanations.push(Explanation { session: Explained::Session(session), steps });
    }
    if let Wanted::Teid(teid) = wanted {
        explanations.extend(gtpc::explain(daemon, teid).await);
        explanations.truncate(MOST);
    }
    Ok(explanations)
}

/// The steps that lead a packet of a session to its endpoint.
async fn steps(daemon: &Daemon, session: &SessionView) -> Vec<String> {
    let config = Arc::clone(&daemon.state().config);
    let service = config.services.iter().find(|service| service.name == session.service);
    let mut steps = vec![found_by(session)];
    steps.push(match (session.origin, service) {
        (Origin::Placed, Some(service)) => placed(service, session),
        (Origin::Placed, None) => format!("service {} is configured no longer; its pins stay", session.service),
        (Origin::Learned, _) => "a decoder read the binding in the control plane and pinned it".to_owned(),
        (Origin::Configured, _) => "the configuration, or an operator, pinned it".to_owned(),
        (Origin::Restored, _) => "the store had the pin, and it was put back at the start".to_owned(),
    });
    if session.state == SessionState::Opening {
        steps.push("no answer of the endpoint was seen yet".to_owned());
    }
    let endpoints = daemon.endpoints(service.map(|service| service.pool.as_str())).await.unwrap_or_default();
    steps.push(now(&session.endpoint, named(&session.endpoint, &endpoints)));
    steps
}

/// Which packets of a tunnel go elsewhere.
async fn branches(daemon: &Daemon, session: &SessionView) -> Vec<String> {
    let SessionKey::Tunnel { address: Some(address), teid, .. } = session.key else { return Vec::new() };
    let filters = classify::of(daemon, &PinKey { address: address.into(), teid }).await;
    let first = "users' packets go elsewhere where they match";
    filters.iter().zip(1..).map(|(filter, number)| format!("{first} filter {number}: {filter}")).collect()
}

/// The endpoint that is called `POOL/NAME`.
fn named<'a>(endpoint: &str, endpoints: &'a [EndpointView]) -> Option<&'a EndpointView> {
    endpoints.iter().find(|view| endpoint == format!("{}/{}", view.pool, view.name))
}

/// Whether an endpoint, `POOL/NAME`, gets sessions by now.
fn now(endpoint: &str, view: Option<&EndpointView>) -> String {
    match view {
        Some(view) if view.effective == 0 => {
            format!("{endpoint} gets no new sessions now ({}); those that it has stay", view.why)
        }
        Some(view) => format!("{endpoint} gets new sessions with weight {}", view.effective),
        None => format!("{endpoint} is configured no longer; its sessions stay until they end"),
    }
}

fn found_by(session: &SessionView) -> String {
    match session.key {
        SessionKey::Flow { client, service } => {
            format!("packets from {client} to {service} match the pin of their 5-tuple")
        }
        SessionKey::Association { tag, client_tag, .. } => format!(
            "SCTP packets with verification tag {tag:#010x} match the pin of their association, on whatever path; \
             those back to the client have {client_tag:#010x}"
        ),
        SessionKey::Tunnel { teid, endpoint_teid, .. } if teid != endpoint_teid => {
            format!(
                "GTP-U packets with TEID {teid:#010x} match the pin of their tunnel and leave with {endpoint_teid:#010x}"
            )
        }
        SessionKey::Tunnel { teid, .. } => {
            format!("GTP-U packets with TEID {teid:#010x} match the pin of their tunnel")
        }
    }
}

fn placed(service: &Service, session: &SessionView) -> String {
    let how = match service.algorithm {
        Algorithm::Maglev => "consistent hashing of the session's key (maglev)",
        Algorithm::SourceAffinity => "consistent hashing of the client's address (source_affinity)",
        Algorithm::RoundRobin => "its turn (round_robin)",
        Algorithm::Weighted => "its turn, by weight (weighted)",
        Algorithm::LeastSessions => "the fewest sessions for its weight (least_sessions)",
    };
    format!("at its first packet service {} chose {} by {how}", service.name, session.endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read() {
        assert_eq!(Wanted::parse("tag:0xff"), Some(Wanted::Tag(255)));
        assert_eq!(Wanted::parse("teid:12"), Some(Wanted::Teid(12)));
        assert_eq!(Wanted::parse("seid:0x1f00000003"), Some(Wanted::Seid(133_143_986_179)));
        assert_eq!(Wanted::parse("seid:18446744073709551615"), Some(Wanted::Seid(u64::MAX)));
        assert_eq!(Wanted::parse("192.0.2.1"), Some(Wanted::Client([192, 0, 2, 1].into())));
        assert_eq!(Wanted::parse("[2001:db8::1]:7"), Some(Wanted::Socket("[2001:db8::1]:7".parse().unwrap())));
        for wrong in [
            "",
            "tag:",
            "tag:-1",
            "teid:0x",
            "teid:0x1ffffffff",
            "seid:",
            "seid:0x1ffffffffffffffff",
            "amf-1",
            "192.0.2.1:",
        ] {
            assert_eq!(Wanted::parse(wrong), None, "{wrong}");
        }
    }
}
