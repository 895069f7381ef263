//! What an SCP could tell.

use std::time::Duration;

use pinion::control::{
    Explained, Explanation, PageAsk, SbiEvent, SbiFilter, SbiPage, SbiProducer, SbiResource, SbiService, SbiState,
    SbiStats,
};

pub(super) fn stats() -> SbiStats {
    SbiStats {
        fqdn: "scp.example".to_owned(),
        nf_instance: "8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b".to_owned(),
        statuses: vec![(200, 70), (201, 20), (404, 3), (504, 2)],
        causes: vec![("TARGET_NF_NOT_REACHABLE".to_owned(), 2)],
        cancelled: 4,
        times: (1..=13).collect(),
        spent: Duration::from_millis(190),
        unlogged: 5,
        working: 6,
        waiting: 7,
        client_connections: 8,
        producer_connections: 9,
        resources: 10,
        searches: 11,
        retries: 12,
        services: vec![
            SbiService {
                service: "nudm-sdm".to_owned(),
                nf_type: "UDM".to_owned(),
                classes: [0, 90, 1, 2, 3],
                causes: vec![("TARGET_NF_NOT_REACHABLE".to_owned(), 2)],
                spent: Duration::from_millis(180),
            },
            SbiService { service: "other".to_owned(), classes: [0, 0, 0, 1, 0], ..SbiService::default() },
        ],
        events: vec![
            SbiEvent { kind: "search".to_owned(), outcome: "remembered".to_owned(), count: 13 },
            SbiEvent { kind: "dial".to_owned(), outcome: "untrusted".to_owned(), count: 0 },
        ],
        searched: Duration::from_millis(14),
        producers: vec![
            SbiProducer {
                api_root: "http://192.0.2.61:8000".to_owned(),
                nf_type: Some("UDM".to_owned()),
                nf_instance: Some("5c3d7e9f-1a2b-4b6c-9e0a-8d1f3c6e2f9b".to_owned()),
                services: vec!["nudm-sdm".to_owned(), "nudm-uecm".to_owned()],
                state: SbiState::Up,
                resources: 8,
                connections: 2,
                answered: 90,
                failed: 0,
            },
            SbiProducer {
                api_root: "http://192.0.2.62:8000".to_owned(),
                nf_type: Some("UDM".to_owned()),
                state: SbiState::Avoided,
                failed: 13,
                ..SbiProducer::default()
            },
            SbiProducer { api_root: "https://nrf.example".to_owned(), answered: 1, ..SbiProducer::default() },
        ],
    }
}

fn resource(number: u32) -> SbiResource {
    SbiResource {
        resource: format!("192.0.2.61:8000/nsmf-pdusession/v1/sm-contexts/{number}"),
        api_root: "http://192.0.2.61:8000".to_owned(),
        nf_instance: Some("5c3d7e9f-1a2b-4b6c-9e0a-8d1f3c6e2f9b".to_owned()),
        binding: Some("bl=nf-set; nfset=set1.smfset.5gc.mnc001.mcc001".to_owned()),
        nf_sets: vec!["set1.smfset.5gc.mnc001.mcc001".to_owned()],
        nf_service_sets: vec![],
    }
}

/// Two pages.
pub(super) fn page(filter: &SbiFilter, page: &PageAsk) -> SbiPage {
    match (&page.cursor, &filter.producer) {
        (_, Some(producer)) if producer != "192.0.2.61:8000" => SbiPage::default(),
        (None, _) => SbiPage { resources: vec![resource(1), resource(2)], next: Some("2".to_owned()) },
        (Some(_), _) => SbiPage { resources: vec![resource(3)], next: None },
    }
}

pub(super) fn explanation() -> Explanation {
    let steps = vec!["its producer made it".to_owned(), "others of its set may serve".to_owned()];
    Explanation { session: Explained::Sbi(resource(1)), steps }
}
