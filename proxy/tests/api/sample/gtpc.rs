//! The sample's GTPv2-C.

mod counts;

use pinion::control::{
    ControlError, Explained, Explanation, GtpcEndpoint, GtpcFilter, GtpcFrontEnd, GtpcPage, GtpcSessionView,
    PageAsk,
};
use pinion_gtpc::{Counts, Interface, SessionView};

use super::ip;
use counts::counts;

const SERVICE: &str = "s11";

/// A session, by number from 0.
fn session(number: u32) -> GtpcSessionView {
    let even = number.is_multiple_of(2);
    let session = SessionView {
        number: u64::from(number) + 1,
        interface: if even { Interface::S11 } else { Interface::S5 },
        subscriber: (number % 3 != 2).then(|| format!("00101{number:010}")),
        client: (ip(if even { "198.51.100.1" } else { "2001:db8::1" }), 0x100 + number),
        client_teid: 0xa000_0000 + number,
        endpoint: format!("s11/sgw-{}", 1 + number % 2).into(),
        end: (number % 4 != 1).then(|| (ip("192.0.2.61"), 0x200 + number)),
        endpoint_teid: u32::MAX - number,
        bearers: if even { vec![5, 6] } else { vec![5] },
    };
    GtpcSessionView { service: SERVICE.into(), session }
}

pub(super) fn page(count: u32, filter: &GtpcFilter, page: &PageAsk) -> Result<GtpcPage, ControlError> {
    if let Some(service) = filter.service.as_ref().filter(|service| *service != SERVICE) {
        return Err(ControlError::NoGtpc(service.clone()));
    }
    let begin: u32 = match &page.cursor {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| ControlError::Cursor(cursor.clone()))?,
    };
    let end = begin.saturating_add(page.limit).min(count);
    let lets_through = |GtpcSessionView { session, .. }: &GtpcSessionView| {
        let called =
            |name: &String| session.endpoint.ends_with(&format!("/{name}")) || *session.endpoint == **name;
        filter.client.is_none_or(|client| session.client.0 == client)
            && filter.subscriber.as_ref().is_none_or(|user| session.subscriber.as_ref() == Some(user))
            && filter.endpoint.as_ref().is_none_or(called)
    };
    Ok(GtpcPage {
        sessions: (begin..end).map(session).filter(lets_through).collect(),
        next: (end < count).then(|| end.to_string()),
    })
}

pub(super) fn explanation() -> Explanation {
    Explanation {
        session: Explained::Gtpc(session(1)),
        steps: vec!["the SGW asked for it".into(), "the hash of the IMSI chose sgw-2".into()],
    }
}

/// Two front ends: one that has seen everything, each so often that it is told from the others, and one that has not
/// begun.
pub(super) fn front_ends() -> Vec<GtpcFrontEnd> {
    let endpoint =
        |name: &str, up, sessions| GtpcEndpoint { pool: SERVICE.into(), name: name.into(), up, sessions };
    vec![
        GtpcFrontEnd {
            service: SERVICE.into(),
            sessions: 912,
            counts: counts(),
            endpoints: vec![endpoint("sgw-1", Some(true), 912), endpoint("sgw-2", Some(false), 0)],
        },
        GtpcFrontEnd {
            service: "s5".into(),
            sessions: 0,
            counts: Counts::default(),
            endpoints: vec![GtpcEndpoint { pool: "s5".into(), name: "pgw".into(), up: None, sessions: 0 }],
        },
    ]
}
