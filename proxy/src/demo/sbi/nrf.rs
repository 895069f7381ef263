//! The NRF: it finds the others, and counts how often it is asked to (TS 29.510 5.3).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::server::{self, Answer, Server};

/// An NRF that runs.
#[derive(Debug)]
pub(super) struct Nrf {
    /// Its server.
    pub(super) server: Server,
    searches: Arc<AtomicU64>,
}

impl Nrf {
    /// One that knows these profiles.
    pub(super) fn start(listener: TcpListener, profiles: Vec<Value>) -> std::io::Result<Self> {
        let searches = Arc::new(AtomicU64::new(0));
        let (counted, profiles) = (Arc::clone(&searches), Arc::new(profiles));
        let server = Server::start(listener, move |request| {
            let answer = answer(&request, &profiles, &counted);
            async { answer }
        })?;
        Ok(Self { server, searches })
    }

    /// How often it was asked for others.
    pub(super) fn searches(&self) -> u64 {
        self.searches.load(Ordering::Relaxed)
    }
}

fn answer(request: &Request<Bytes>, profiles: &[Value], searches: &AtomicU64) -> Answer {
    let path = request.uri().path();
    match (request.method(), path) {
        (&Method::GET, "/nnrf-disc/v1/nf-instances") => {
            searches.fetch_add(1, Ordering::Relaxed);
            let query = request.uri().query().unwrap_or_default();
            let found: Vec<_> = profiles.iter().filter(|profile| fits(profile, query)).collect();
            server::json(StatusCode::OK, &json!({"validityPeriod": 3600, "nfInstances": found}))
        }
        // Nothing changes that it would tell.
        (&Method::POST, "/nnrf-nfm/v1/subscriptions") => {
            let mut granted: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            if let Some(members) = granted.as_object_mut() {
                members.insert("subscriptionId".to_owned(), "1".into());
            }
            server::json(StatusCode::CREATED, &granted)
        }
        _ => server::json(StatusCode::NOT_FOUND, &json!({"status": 404})),
    }
}

/// Whether a profile is what a search looks for: its type, its set.
fn fits(profile: &Value, query: &str) -> bool {
    query.split('&').filter_map(|factor| factor.split_once('=')).all(|(name, wanted)| match name {
        "target-nf-type" => profile["nfType"] == wanted,
        "target-nf-set-id" => {
            profile["nfSetIdList"].as_array().is_some_and(|sets| sets.iter().any(|it| it == wanted))
        }
        "target-nf-instance-id" => profile["nfInstanceId"] == wanted,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::super::cast;
    use super::*;

    #[test]
    fn it_finds_by_type_set_and_instance() {
        let found = |query: &str| {
            cast::producers()
                .filter(|it| fits(&it.profile(it.place()), query))
                .map(|it| it.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("target-nf-type=SMF&service-names=nsmf-pdusession"), ["smf-1", "smf-2", "smf-3"]);
        assert_eq!(found("target-nf-set-id=set1.udmset.5gc.mnc001.mcc001"), ["udm-1", "udm-2", "udm-3"]);
        let second = cast::producers().nth(1).map(cast::Function::instance).unwrap();
        assert_eq!(found(&format!("target-nf-type=UDM&target-nf-instance-id={second}")), ["udm-2"]);
        assert!(found("target-nf-type=AUSF").is_empty());
    }
}
