//! Who sent a message and who is to get it, where its sender says so: 3gpp-Sbi-NF-Peer-Info (TS 29.500 5.2.3.2.19, 6.13.3). The
//! SCP puts itself in the place of the SCP that a message comes from, and of a producer that it chose, that one. What cannot be
//! read goes through as it is: it is there to follow messages, and changes nothing of where they go.

use http::{HeaderMap, HeaderValue};
use pinion_protocols::sbi::{PeerInfo, PeerKind, Value as _};

use crate::context::Context;
use crate::names::NF_PEER_INFO;
use crate::producer::{Hop, Target};

/// Who comes between.
const BETWEEN: [PeerKind<'static>; 4] =
    [PeerKind::SourceScp, PeerKind::SourceSepp, PeerKind::DestinationScp, PeerKind::DestinationSepp];
/// What a destination is.
const DESTINATION: [PeerKind<'static>; 2] = [PeerKind::DestinationInstance, PeerKind::DestinationServiceInstance];

/// What the next hop is told of a request.
pub(crate) fn outward(headers: &mut HeaderMap, target: &Target, context: &Context) {
    let Some(asked) = &context.peers else { return };
    let next = match target.hop {
        Hop::Producer => None,
        Hop::Scp => Some((PeerKind::DestinationScp, format!("SCP-{}", target.api_root.host()))),
        Hop::Sepp => Some((PeerKind::DestinationSepp, format!("SEPP-{}", target.api_root.host()))),
    };
    let chosen = target.producer.as_ref().filter(|_| target.chosen);
    let Some(mut ends) = ends(asked) else { return };
    if target.chosen {
        ends.retain(|(kind, _)| !DESTINATION.contains(kind));
    }
    if let Some(producer) = chosen.filter(|it| !it.nf_instance.is_empty()) {
        let [instance, service] = DESTINATION;
        ends.push((instance, &producer.nf_instance));
        ends.extend(producer.service_instance.as_deref().map(|it| (service, it)));
    }
    if let Some(told) = told(ends, context, next.as_ref()) {
        headers.insert(NF_PEER_INFO, told);
    }
}

/// What the client is told of a response, where its producer said it.
pub(crate) fn homeward(headers: &mut HeaderMap, context: &Context) {
    let Some(asked) = &context.peers else { return };
    let Some(answered) = headers.get(NF_PEER_INFO) else { return };
    let told = ends(answered).and_then(|ends| told(ends, context, came_by(asked).as_ref()));
    if let Some(told) = told {
        headers.insert(NF_PEER_INFO, told);
    }
}

/// What the client is told of an answer of this SCP's own.
pub(crate) fn own(headers: &mut HeaderMap, context: &Context) {
    let Some(asked) = &context.peers else { return };
    let Ok(PeerInfo(peers)) = PeerInfo::parse(asked.as_bytes()) else { return };
    let turned = |(kind, value)| match kind {
        PeerKind::SourceInstance => Some((PeerKind::DestinationInstance, value)),
        PeerKind::SourceServiceInstance => Some((PeerKind::DestinationServiceInstance, value)),
        _ => None,
    };
    let ends = peers.into_iter().filter_map(turned).collect();
    if let Some(told) = told(ends, context, came_by(asked).as_ref()) {
        headers.insert(NF_PEER_INFO, told);
    }
}

/// The SCP or SEPP that a request came by, as the one that its answer goes to.
fn came_by(asked: &HeaderValue) -> Option<(PeerKind<'static>, String)> {
    let peers = PeerInfo::parse(asked.as_bytes()).ok()?;
    let by = |kind, to| peers.get(kind).map(|it| (to, it.to_owned()));
    by(PeerKind::SourceScp, PeerKind::DestinationScp)
        .or_else(|| by(PeerKind::SourceSepp, PeerKind::DestinationSepp))
}

/// Who is at the ends, and what else is said but who comes between.
fn ends(said: &HeaderValue) -> Option<Vec<(PeerKind<'_>, &str)>> {
    let mut peers = match said.as_bytes() {
        [] => Vec::new(),
        said => PeerInfo::parse(said).ok()?.0,
    };
    peers.retain(|(kind, _)| !BETWEEN.contains(kind));
    Some(peers)
}

/// Who is at the ends, from this SCP to the next.
fn told<'a>(
    mut peers: Vec<(PeerKind<'a>, &'a str)>,
    context: &'a Context,
    next: Option<&'a (PeerKind<'static>, String)>,
) -> Option<HeaderValue> {
    peers.push((PeerKind::SourceScp, context.origin.prepared.tag.to_str().ok()?));
    peers.extend(next.map(|(kind, name)| (*kind, name.as_str())));
    let told = PeerInfo(peers).to_string();
    // Not every host is one that the header can have: an IPv6 address is none.
    PeerInfo::parse(told.as_bytes()).ok()?;
    HeaderValue::try_from(told).ok()
}
