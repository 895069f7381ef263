//! What enums are called, in tables and in JSON alike; those of a configuration are called as it writes them.

use pinion_n4::Phase;

use super::columns::Look;
use crate::control::{EndpointState, N2Mode, N2Ue, Origin, SbiState, SessionKey, SessionState};

pub(crate) fn endpoint_state(state: EndpointState) -> (&'static str, Look) {
    match state {
        EndpointState::Unknown => ("unknown", Look::Warning),
        EndpointState::Up => ("up", Look::Good),
        EndpointState::Down => ("down", Look::Bad),
        EndpointState::Draining => ("draining", Look::Warning),
        EndpointState::Drained => ("drained", Look::Faint),
    }
}

pub(crate) fn session_state(state: SessionState) -> (&'static str, Look) {
    match state {
        SessionState::Opening => ("opening", Look::Warning),
        SessionState::Established => ("established", Look::Good),
        SessionState::Closing => ("closing", Look::Warning),
        SessionState::Closed => ("closed", Look::Faint),
    }
}

pub(crate) fn n4_phase(phase: Phase) -> (&'static str, Look) {
    match phase {
        Phase::Opening => ("opening", Look::Warning),
        Phase::Open => ("open", Look::Good),
        Phase::Restoring => ("restoring", Look::Bad),
        Phase::Closing => ("closing", Look::Warning),
    }
}

pub(crate) fn sbi_state(state: SbiState) -> (&'static str, Look) {
    match state {
        SbiState::Unknown => ("unknown", Look::Faint),
        SbiState::Up => ("up", Look::Good),
        SbiState::Failing => ("failing", Look::Warning),
        SbiState::Avoided => ("avoided", Look::Bad),
        SbiState::Draining => ("draining", Look::Warning),
    }
}

pub(crate) fn n2_mode(mode: N2Mode) -> &'static str {
    match mode {
        N2Mode::Ue => "ue",
        N2Mode::Association => "association",
    }
}

/// A UE's key, as `pinion explain` takes it.
pub(crate) fn n2_key(ue: &N2Ue) -> String {
    match (ue.ran, ue.amf_id) {
        (None, Some(id)) => format!("amf-ue-ngap-id:{id}"),
        (ran, _) => format!("ue:{}@{}", ran.unwrap_or_default(), ue.gnb),
    }
}

/// A SEID, as `pinion explain` takes it.
pub(crate) fn seid(seid: u64) -> String {
    format!("seid:{seid:#x}")
}

pub(crate) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Placed => "placed",
        Origin::Learned => "learned",
        Origin::Configured => "configured",
        Origin::Restored => "restored",
    }
}

/// A session's key, as `pinion explain` takes it.
pub(crate) fn key(key: &SessionKey) -> String {
    match key {
        SessionKey::Flow { client, .. } => client.to_string(),
        SessionKey::Association { tag, .. } => format!("tag:{tag}"),
        SessionKey::Tunnel { teid, .. } => format!("teid:{teid}"),
    }
}

/// What else there is to say about a key.
pub(crate) fn detail(key: &SessionKey) -> String {
    match key {
        SessionKey::Flow { service, .. } => format!("to {service}"),
        SessionKey::Association { client_port, service_port, client_tag, .. } => {
            format!("ports {client_port} to {service_port}, back tag:{client_tag}")
        }
        SessionKey::Tunnel { address: Some(address), endpoint_teid, .. } => {
            format!("at {address}, endpoint's teid:{endpoint_teid}")
        }
        SessionKey::Tunnel { address: None, endpoint_teid, .. } => {
            format!("by hashing, endpoint's teid:{endpoint_teid}")
        }
    }
}
