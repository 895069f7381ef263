//! What there is to see of N4, over the wire and back.

use std::net::IpAddr;

use pinion_n4::{Counts, Phase, TunnelView};

use super::decode::{MeaningError, address, percent, unknown};
use super::v1;
use crate::control::{N4Filter, N4FrontEnd, N4Page, N4SessionView, N4Upf, PageAsk};

pub(super) fn encode_filter(filter: &N4Filter, page: &PageAsk) -> v1::ListN4SessionsRequest {
    v1::ListN4SessionsRequest {
        service: filter.service.clone(),
        upf: filter.upf.clone(),
        smf: filter.smf.as_ref().map(IpAddr::to_string),
        limit: page.limit,
        cursor: page.cursor.clone(),
    }
}

pub(super) fn encode_page(page: N4Page) -> v1::ListN4SessionsResponse {
    v1::ListN4SessionsResponse {
        sessions: page.sessions.into_iter().map(encode_session).collect(),
        next: page.next,
    }
}

pub(super) fn decode_page(wire: v1::ListN4SessionsResponse) -> Result<N4Page, MeaningError> {
    let sessions = wire.sessions.into_iter().map(decode_session).collect::<Result<_, _>>()?;
    Ok(N4Page { sessions, next: wire.next })
}

pub(super) fn encode_session(view: N4SessionView) -> v1::N4Session {
    let phase = match view.phase {
        Phase::Opening => v1::N4Phase::Opening,
        Phase::Open => v1::N4Phase::Open,
        Phase::Restoring => v1::N4Phase::Restoring,
        Phase::Closing => v1::N4Phase::Closing,
    };
    v1::N4Session {
        service: view.service,
        seid: view.seid,
        phase: phase.into(),
        smf_address: view.smf.to_string(),
        smf_seid: view.smf_seid,
        upf: view.upf,
        upf_seid: view.upf_seid,
        tunnels: view.tunnels.iter().map(encode_tunnel).collect(),
    }
}

pub(super) fn decode_session(wire: v1::N4Session) -> Result<N4SessionView, MeaningError> {
    Ok(N4SessionView {
        phase: match wire.phase() {
            v1::N4Phase::Opening => Phase::Opening,
            v1::N4Phase::Open => Phase::Open,
            v1::N4Phase::Restoring => Phase::Restoring,
            v1::N4Phase::Closing => Phase::Closing,
            v1::N4Phase::Unspecified => return Err(unknown("phase", wire.phase)),
        },
        service: wire.service,
        seid: wire.seid,
        smf: address("smf_address", &wire.smf_address)?,
        smf_seid: wire.smf_seid,
        upf: wire.upf,
        upf_seid: wire.upf_seid,
        tunnels: wire.tunnels.into_iter().map(decode_tunnel).collect::<Result<_, _>>()?,
    })
}

fn encode_tunnel(view: &TunnelView) -> v1::N4Tunnel {
    let end = |(address, teid): &(IpAddr, u32)| v1::N4TunnelEnd { address: address.to_string(), teid: *teid };
    v1::N4Tunnel { at: view.at.iter().map(end).collect(), upf_teid: view.upf_teid }
}

fn decode_tunnel(wire: v1::N4Tunnel) -> Result<TunnelView, MeaningError> {
    let end = |end: v1::N4TunnelEnd| Ok((address("tunnels.at.address", &end.address)?, end.teid));
    Ok(TunnelView { at: wire.at.into_iter().map(end).collect::<Result<_, _>>()?, upf_teid: wire.upf_teid })
}

pub(super) fn encode_front_end(view: N4FrontEnd) -> v1::N4FrontEnd {
    let upf = |upf: N4Upf| v1::N4Upf {
        upf: format!("{}/{}", upf.pool, upf.name),
        up: upf.up,
        sessions: upf.sessions,
        load_percent: upf.load.into(),
    };
    v1::N4FrontEnd {
        service: view.service,
        sessions: view.sessions,
        counts: Some(encode_counts(view.counts)),
        upfs: view.upfs.into_iter().map(upf).collect(),
    }
}

pub(super) fn decode_front_end(wire: v1::N4FrontEnd) -> Result<N4FrontEnd, MeaningError> {
    let upf = |upf: v1::N4Upf| {
        let (pool, name) =
            upf.upf.split_once('/').ok_or(MeaningError::Missing { field: "n4_front_ends.upfs.upf" })?;
        let load = percent("load_percent", upf.load_percent)?;
        Ok(N4Upf { pool: pool.to_owned(), name: name.to_owned(), up: upf.up, sessions: upf.sessions, load })
    };
    Ok(N4FrontEnd {
        service: wire.service,
        sessions: wire.sessions,
        counts: decode_counts(wire.counts.ok_or(MeaningError::Missing { field: "n4_front_ends.counts" })?),
        upfs: wire.upfs.into_iter().map(upf).collect::<Result<_, _>>()?,
    })
}

super::counts! {
    Counts, N4Counts:
    requests, answers, sent, malformed, unknown, unasked, retransmitted, repeated, unanswered, refusals, refused,
    established, deleted, restored, lost, forsaken, upf_losses, unlearned,
}
