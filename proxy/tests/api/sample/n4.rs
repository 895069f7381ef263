//! The sample's N4.

mod counts;

use pinion::control::{
    ControlError, Explained, Explanation, N4Filter, N4FrontEnd, N4Page, N4SessionView, N4Upf, PageAsk,
};
use pinion_n4::{Counts, Phase, TunnelView};

use super::ip;
use counts::counts;

const SERVICE: &str = "upf-control";

/// A session, by number from 0.
fn session(number: u32) -> N4SessionView {
    let tunnel = |at: &[(&str, u32)], upf_teid| TunnelView {
        at: at.iter().map(|(address, teid)| (ip(address), *teid)).collect(),
        upf_teid,
    };
    let tunnels = match number % 3 {
        0 => vec![tunnel(&[("192.0.2.12", 0x1000 + number)], 0x1000 + number)],
        1 => vec![
            tunnel(&[("192.0.2.12", 0x1000 + number), ("2001:db8::12", 0x1000 + number)], 0x77),
            tunnel(&[("198.51.100.12", u32::MAX)], 0x78),
        ],
        _ => Vec::new(),
    };
    let phase = [Phase::Open, Phase::Opening, Phase::Restoring, Phase::Closing][number as usize % 4];
    N4SessionView {
        service: SERVICE.into(),
        seid: 0x5_0000_0000 + u64::from(number),
        phase,
        smf: ip(if number.is_multiple_of(2) { "192.0.2.50" } else { "2001:db8::50" }),
        smf_seid: u64::MAX - u64::from(number),
        upf: format!("upf-control/upf-{}", 1 + number % 2),
        upf_seid: if phase == Phase::Opening { 0 } else { 0x99 + u64::from(number) },
        tunnels,
    }
}

pub(super) fn page(count: u32, filter: &N4Filter, page: &PageAsk) -> Result<N4Page, ControlError> {
    if let Some(service) = filter.service.as_ref().filter(|service| *service != SERVICE) {
        return Err(ControlError::NoFrontEnd(service.clone()));
    }
    let begin: u32 = match &page.cursor {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| ControlError::Cursor(cursor.clone()))?,
    };
    let end = begin.saturating_add(page.limit).min(count);
    let lets_through = |session: &N4SessionView| {
        filter.smf.is_none_or(|smf| session.smf == smf)
            && filter
                .upf
                .as_ref()
                .is_none_or(|upf| session.upf.ends_with(&format!("/{upf}")) || session.upf == *upf)
    };
    Ok(N4Page {
        sessions: (begin..end).map(session).filter(lets_through).collect(),
        next: (end < count).then(|| end.to_string()),
    })
}

pub(super) fn explanation() -> Explanation {
    Explanation {
        session: Explained::N4(session(1)),
        steps: vec!["the SMF asked for it".into(), "upf-2 had the fewest sessions".into()],
    }
}

/// Two front ends: one that has seen everything, each so often that it is told from the others, and one that has not
/// begun.
pub(super) fn front_ends() -> Vec<N4FrontEnd> {
    let upf =
        |name: &str, up, sessions, load| N4Upf { pool: SERVICE.into(), name: name.into(), up, sessions, load };
    vec![
        N4FrontEnd {
            service: SERVICE.into(),
            sessions: 812,
            counts: counts(),
            upfs: vec![upf("upf-1", true, 812, 73), upf("upf-2", false, 0, 0)],
        },
        N4FrontEnd { service: "edge".into(), sessions: 0, counts: Counts::default(), upfs: Vec::new() },
    ]
}
