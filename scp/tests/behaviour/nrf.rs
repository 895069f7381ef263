//! An NRF that runs, and profiles for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use pinion_scp::api_root::ApiRoot;
use pinion_scp::nrf::NrfSettings;
use pinion_scp::settings::Settings;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::profiles;
pub(crate) use crate::profiles::{ONE, OWN, TWO};
use crate::support::{Does, Producer, Seen, settings};

/// An NRF that answers from what it is given.
#[derive(Clone)]
pub(crate) struct Nrf {
    pub producer: Producer,
    pub knows: Arc<Mutex<Knows>>,
}

/// What an NRF knows and does.
pub(crate) struct Knows {
    /// Profiles that searches find.
    pub profiles: Vec<Value>,
    /// Whether a search for an NF instance or a set finds only that.
    pub by_instance: bool,
    /// Seconds that an answer holds.
    pub validity: u64,
    /// The validator of answers.
    pub etag: Option<String>,
    /// For how long answers hold, as HTTP has it.
    pub cache_control: Option<&'static str>,
    /// How many of the profiles an answer has at most.
    pub most: usize,
    /// Whom it only names to searches for no NF instance in particular.
    pub listed: Option<Value>,
    /// What it answers to searches instead.
    pub search: Option<(u16, Value)>,
    /// Seconds between heartbeats.
    pub heartbeat: u32,
    /// When subscriptions end.
    pub subscription: String,
    /// What it answers to requests for tokens; otherwise a new token each time.
    pub token: Option<(u16, Value)>,
    /// How long it takes for a token.
    pub token_takes: Duration,
    /// Whether its services want an access token of this SCP's own.
    pub guarded: bool,
    /// Whether it knows no registration, until there is one again.
    pub forgotten: bool,
    /// A status that it answers everything with.
    pub broken: Option<u16>,
    /// What it refuses.
    pub refuses: Option<Refuses>,
    /// How the method begins, and a part of the path, of what it never answers.
    pub silent: Option<(&'static str, &'static str)>,
    /// When it answers searches; otherwise at once.
    pub held: Option<watch::Receiver<bool>>,
    tokens: usize,
}

/// What an NRF refuses, and how.
#[derive(Clone, Copy)]
pub(crate) struct Refuses {
    /// A method, and a part of the path.
    pub what: (&'static str, &'static str),
    pub status: u16,
    /// In seconds.
    pub retry_after: Option<&'static str>,
}

impl Nrf {
    pub(crate) async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    /// One at an address.
    pub(crate) async fn at(address: SocketAddr) -> Self {
        let knows = Arc::new(Mutex::new(Knows {
            profiles: Vec::new(),
            by_instance: false,
            validity: 60,
            etag: None,
            cache_control: None,
            most: usize::MAX,
            listed: None,
            search: None,
            heartbeat: 60,
            subscription: "2100-01-01T00:00:00Z".to_owned(),
            token: None,
            token_takes: Duration::ZERO,
            guarded: false,
            forgotten: false,
            broken: None,
            refuses: None,
            silent: None,
            held: None,
            tokens: 0,
        }));
        let known = Arc::clone(&knows);
        let producer = Producer::at(address, move |seen| known.lock().unwrap().does(seen)).await;
        Self { producer, knows }
    }

    /// One that finds these.
    pub(crate) async fn with(profiles: Vec<Value>) -> Self {
        let nrf = Self::start().await;
        nrf.knows.lock().unwrap().profiles = profiles;
        nrf
    }

    pub(crate) fn root(&self) -> ApiRoot {
        ApiRoot::parse(&self.producer.root()).unwrap()
    }

    /// Settings of an SCP that asks it.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = settings();
        settings.nrf = Some(NrfSettings::new(vec![self.root()]));
        settings
    }

    /// What it was asked of a kind: a method and what its path has.
    pub(crate) fn asked(&self, method: &str, path: &str) -> Vec<Seen> {
        self.producer.seen().into_iter().filter(|it| it.method == method && it.uri.contains(path)).collect()
    }

    /// The path that it was told to tell of changes at, last.
    pub(crate) fn place(&self) -> String {
        let asked = self.asked("POST", "/nnrf-nfm/v1/subscriptions");
        let data: Value = serde_json::from_slice(&asked.last().unwrap().body).unwrap();
        let uri: http::Uri = data["nfStatusNotificationUri"].as_str().unwrap().parse().unwrap();
        uri.path().to_owned()
    }

    /// Query parameters of the searches.
    pub(crate) fn searches(&self) -> Vec<BTreeMap<String, String>> {
        let queries = self.asked("GET", "/nnrf-disc/v1/nf-instances?").into_iter();
        queries.map(|it| pairs(it.uri.split_once('?').unwrap().1)).collect()
    }
}

/// Names and values of a query or a form.
pub(crate) fn pairs(text: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| pinion_protocols::sbi::decode(text).unwrap().into_owned();
    text.split('&')
        .filter_map(|it| it.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn json_answer(status: u16, value: &Value) -> Response<Bytes> {
    let kind = if status < 400 { "application/json" } else { "application/problem+json" };
    let content = Bytes::from(value.to_string());
    Response::builder().status(status).header("content-type", kind).body(content).unwrap()
}

impl Knows {
    /// What it gave holds no more.
    pub(crate) fn expire(&mut self) {
        self.tokens += 1;
    }

    fn does(&mut self, seen: &Seen) -> Does {
        let silent =
            self.silent.is_some_and(|(method, path)| seen.method.starts_with(method) && seen.uri.contains(path));
        let held = self.held.clone().filter(|_| seen.uri.contains("/nnrf-disc/"));
        match held {
            _ if silent => Does::Hangs,
            Some(held) => Does::Waits(held, self.answer(seen)),
            None if seen.uri.ends_with("/oauth2/token") => Does::Takes(self.token_takes, self.answer(seen)),
            None => Does::Answers(self.answer(seen)),
        }
    }

    fn answer(&mut self, seen: &Seen) -> Response<Bytes> {
        let empty = |status: u16| Response::builder().status(status).body(Bytes::new()).unwrap();
        if let Some(status) = self.broken {
            return empty(status);
        }
        if let Some(Refuses { what: (method, path), status, retry_after }) = self.refuses
            && seen.method == method
            && seen.uri.contains(path)
        {
            let mut refusal = empty(status);
            refusal.headers_mut().extend(retry_after.map(|it| (http::header::RETRY_AFTER, it.parse().unwrap())));
            return refusal;
        }
        let path = seen.uri.split_once("://").map_or("", |(_, rest)| &rest[rest.find('/').unwrap_or(0)..]);
        let last = format!("Bearer token-{}", self.tokens);
        if self.guarded
            && path.starts_with("/nnrf-")
            && seen.headers.get("authorization").is_none_or(|it| *it != *last)
        {
            let refusal =
                Response::builder().status(401).header("www-authenticate", "Bearer error=\"invalid_token\"");
            return refusal.body(Bytes::new()).unwrap();
        }
        match (seen.method.as_str(), path) {
            ("GET", path) if path.starts_with("/nnrf-disc/v1/nf-instances?") => {
                let known = seen.headers.get("if-none-match").map(|it| it.to_str().unwrap().to_owned());
                let mut answer = if known.is_some() && known == self.etag {
                    empty(304)
                } else if let Some((status, answer)) = &self.search {
                    json_answer(*status, answer)
                } else {
                    let wanted = pairs(path).remove("target-nf-instance-id");
                    let listed = self.listed.as_ref().filter(|_| wanted.is_none());
                    let wanted = wanted.filter(|_| self.by_instance);
                    let set = pairs(path).remove("target-nf-set-id").filter(|_| self.by_instance);
                    let has = |sets: &Value, set: &str| sets.as_array().unwrap().iter().any(|it| it == set);
                    let is = |profile: &&Value| {
                        wanted.as_ref().is_none_or(|wanted| profile["nfInstanceId"] == **wanted)
                            && set.as_ref().is_none_or(|set| has(&profile["nfSetIdList"], set))
                    };
                    let mut found: Vec<&Value> = self.profiles.iter().filter(is).collect();
                    let mut answer = json!({"validityPeriod": self.validity, "searchId": "s/1"});
                    answer["numNfInstComplete"] = found.len().into();
                    found.truncate(self.most);
                    answer["nfInstances"] = json!(found);
                    if let Some(listed) = listed {
                        (answer["nfInstances"], answer["nfInstanceList"]) = (json!([]), listed.clone());
                    }
                    json_answer(200, &answer)
                };
                if let Some(cache_control) = self.cache_control {
                    answer.headers_mut().insert("cache-control", cache_control.parse().unwrap());
                }
                if let Some(etag) = &self.etag {
                    answer.headers_mut().insert("etag", etag.parse().unwrap());
                }
                answer
            }
            ("GET", "/nnrf-disc/v1/searches/s%2F1/complete") => {
                json_answer(200, &json!({"nfInstances": self.profiles}))
            }
            ("PUT", path) if path.starts_with("/nnrf-nfm/v1/nf-instances/") => {
                let mut profile: Value = serde_json::from_slice(&seen.body).unwrap();
                profile["heartBeatTimer"] = self.heartbeat.into();
                self.forgotten = false;
                json_answer(201, &profile)
            }
            ("PATCH", path) if self.forgotten && path.contains("/nf-instances/") => empty(404),
            ("PATCH" | "DELETE", path) if path.starts_with("/nnrf-nfm/v1/") => empty(204),
            ("POST", "/nnrf-nfm/v1/subscriptions") => {
                let mut data: Value = serde_json::from_slice(&seen.body).unwrap();
                data["subscriptionId"] = "sub-1".into();
                data["validityTime"] = self.subscription.as_str().into();
                json_answer(201, &data)
            }
            ("POST", "/oauth2/token") => match &self.token {
                Some((status, content)) => json_answer(*status, content),
                None => {
                    self.tokens += 1;
                    let token = format!("token-{}", self.tokens);
                    json_answer(200, &json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}))
                }
            },
            _ => empty(404),
        }
    }
}

/// Two UDMs, the first to be chosen before the second.
pub(crate) fn one_before_two(one: &Producer, two: &Producer) -> [Value; 2] {
    in_turn([udm(ONE, one), udm(TWO, two)])
}

/// Profiles of which the first is chosen before the second.
pub(crate) fn in_turn([mut one, mut two]: [Value; 2]) -> [Value; 2] {
    (one["priority"], two["priority"]) = (1.into(), 2.into());
    [one, two]
}

/// A UDM that serves nudm-sdm where a producer is.
pub(crate) fn udm(instance: &str, at: &Producer) -> Value {
    let mut profile = profiles::udm(instance, at.address.port());
    profile["nfServices"][0]["scheme"] = at.scheme.into();
    profile
}
