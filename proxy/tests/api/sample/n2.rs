//! The sample's N2.

mod counts;

use std::time::Duration;

use pinion::control::{
    ControlError, Explained, Explanation, N2Amf, N2Explained, N2Filter, N2FrontEnd, N2Mode, N2Page, N2Ue,
    N2UeView, PageAsk,
};
use pinion_n2::{Answerer, Barred, Candidate, Counts, Latency, Rule};
use pinion_protocols::ngap::{FiveGSTmsi, Guami, Procedure};

use counts::counts;

const SERVICE: &str = "n2-ue";

/// A UE, by number from 0.
fn ue(number: u32) -> N2UeView {
    let named = number % 4 != 1;
    let [_, .., low] = number.to_be_bytes();
    let ue = N2Ue {
        number: u64::from(number) + 1,
        mode: if number % 3 == 2 { N2Mode::Association } else { N2Mode::Ue },
        gnb: format!("001-01-gnb-{:06x}/24", 1 + number % 2),
        amf: format!("amf/amf-{}", 1 + number % 2),
        ran: (number % 5 != 4).then_some(100 + number),
        amf_id: named.then_some((1 << 40) - 1 - u64::from(number)),
        gnb_id: named.then_some(u64::from(number)),
        tmsi: (number % 3 != 1).then_some(FiveGSTmsi { set: 1, pointer: 2, tmsi: [1, 2, 3, low] }),
        guami: named.then_some(Guami { plmn: [0x00, 0xf1, 0x10], region: 1, set: 1, pointer: 2 }),
        since: Duration::from_millis(u64::from(number) * 61_500),
        why: format!("amf/amf-{} had the most points", 1 + number % 2),
        procedures: if named {
            Vec::new()
        } else {
            vec![(Procedure::InitialUeMessage, Duration::from_millis(20))]
        },
    };
    N2UeView { service: SERVICE.into(), ue }
}

pub(super) fn page(count: u32, filter: &N2Filter, page: &PageAsk) -> Result<N2Page, ControlError> {
    if let Some(service) = filter.service.as_ref().filter(|service| *service != SERVICE) {
        return Err(ControlError::NoNgap(service.clone()));
    }
    let begin: u32 = match &page.cursor {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| ControlError::Cursor(cursor.clone()))?,
    };
    let end = begin.saturating_add(page.limit).min(count);
    let lets_through = |N2UeView { ue, .. }: &N2UeView| {
        filter.endpoint.as_ref().is_none_or(|name| ue.amf == *name || ue.amf.ends_with(&format!("/{name}")))
            && filter.gnb.as_ref().is_none_or(|gnb| ue.gnb == *gnb)
            && filter.mode.is_none_or(|mode| ue.mode == mode)
    };
    Ok(N2Page {
        ues: (begin..end).map(ue).filter(lets_through).collect(),
        next: (end < count).then(|| end.to_string()),
    })
}

fn candidates() -> Vec<Candidate> {
    let one = |amf: &str, verdict, weight, share, overload| Candidate {
        amf: amf.into(),
        verdict,
        weight,
        share,
        overload,
    };
    let all = Rule::ALL.into_iter().collect();
    let some = [Rule::Load, Rule::SameSet].into_iter().collect();
    let reasons = [
        Barred::NotSetUp,
        Barred::Removed,
        Barred::Drained,
        Barred::NoWeight,
        Barred::NoCapacity,
        Barred::NoGuami,
        Barred::LetGo,
    ];
    let barred = reasons.into_iter().map(|why| one("amf/amf-3", Err(why), 0, 0, 0));
    [one("amf/amf-1", Ok(all), 25_500, 100, 0), one("amf/amf-2", Ok(some), 100, 0, 40)]
        .into_iter()
        .chain(barred)
        .collect()
}

/// Of a UE, or of where one would go.
pub(super) fn explanation(number: Option<u32>) -> Explanation {
    Explanation {
        session: Explained::N2(N2Explained {
            service: SERVICE.into(),
            ue: number.map(|number| ue(number).ue),
            amfs: candidates(),
        }),
        steps: vec!["a gNB asked for it".into(), "amf/amf-1 has the most points".into()],
    }
}

/// Two front ends: one that has seen everything, each so often that it is told from the others, and one that has not
/// begun.
pub(super) fn front_ends() -> Vec<N2FrontEnd> {
    let amf = |name: &str, gnbs, ues, overload| N2Amf {
        pool: "amf".into(),
        name: name.into(),
        gnbs,
        ues,
        capacity: 100,
        overload,
    };
    let latency = |count: u64, classes| Latency { count, sum: Duration::from_millis(12) * count as u32, classes };
    let beyond = latency(7, [0; 13]);
    vec![
        N2FrontEnd {
            service: SERVICE.into(),
            gnbs: 12,
            ues: 1_512,
            counts: counts(),
            amfs: vec![amf("amf-1", 12, 1_500, 0), amf("amf-2", 0, 12, 40)],
            messages: vec![
                (Procedure::InitialUeMessage, 310, 0),
                (Procedure::NgSetup, 12, 24),
                (Procedure::Other(200), 0, 1),
            ],
            latencies: vec![
                (
                    Procedure::InitialUeMessage,
                    Answerer::Amf,
                    latency(200, [1, 0, 0, 100, 98, 0, 1, 0, 0, 0, 0, 0, 0]),
                ),
                (Procedure::NgSetup, Answerer::Amf, latency(24, [24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
                (Procedure::NgSetup, Answerer::FrontEnd, beyond),
                (Procedure::NgReset, Answerer::Gnb, beyond),
            ],
        },
        N2FrontEnd {
            service: "n2-spare".into(),
            gnbs: 0,
            ues: 0,
            counts: Counts::default(),
            amfs: Vec::new(),
            messages: Vec::new(),
            latencies: Vec::new(),
        },
    ]
}
