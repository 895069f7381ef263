//! Who may answer a call, and the order in which they are asked.

use std::sync::{Arc, OnceLock};

use http::HeaderValue;
use http::uri::PathAndQuery;
use pinion_protocols::sbi::{Percent, ProducerId};
use smallvec::{SmallVec, smallvec};

use crate::api_root::{ApiRoot, Transport};
use crate::nrf::{PlmnId, PlmnOauth2};
use crate::pools::Holder;
use crate::settings::Matching;

/// An NF service instance, as the NRF or configuration names it (TS 29.510 6.1.6.2.2, 6.1.6.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Its NF instance: a UUID.
    pub nf_instance: String,
    /// The type of its NF instance, as `UDM`.
    pub nf_type: String,
    /// Its service instance.
    pub service_instance: Option<String>,
    /// Its service, as `nudm-sdm`.
    pub service: String,
    /// Sets that its NF instance belongs to.
    pub nf_sets: Vec<String>,
    /// Sets that the service instance belongs to.
    pub service_sets: Vec<String>,
    /// Whether other service instances of its NF instance that serve the same have its resources (nfServicePersistence).
    pub persistent: bool,
    /// Where it is.
    pub api_root: ApiRoot,
    /// 0 to 65535; the lowest is chosen first.
    pub priority: u16,
    /// Its share among those of its priority: 0 to 65535.
    pub capacity: u16,
    /// Percent of it in use: 0 to 100.
    pub load: Option<u8>,
    /// Where it stands.
    pub locality: Option<String>,
    /// The path of the callback that was chosen of it (6.10.3.3).
    pub callback: Option<PathAndQuery>,
    /// Whether its service needs an access token, where it says so.
    pub oauth2: Option<bool>,
    /// What clients are told of it, made when there is one to tell.
    pub told: Told,
    /// The same for requesters of some networks, which goes before.
    pub oauth2_plmns: Option<PlmnOauth2>,
}

/// 3gpp-Sbi-Producer-Id of a producer (TS 29.500 6.10.3.4), once it was asked for. A copy, which may come to be of another,
/// begins anew; and what is made of the rest makes no difference.
#[derive(Debug, Default)]
pub struct Told(OnceLock<Option<HeaderValue>>);

impl Clone for Told {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Told {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Told {}

/// What kind of node the next hop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The producer, or the consumer of a notification.
    Producer,
    /// Another SCP.
    Scp,
    /// The way to another network.
    Sepp,
}

/// Where an attempt goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whom to connect to.
    pub api_root: ApiRoot,
    /// What it is.
    pub hop: Hop,
    /// What is known of it, where this SCP looked it up.
    pub producer: Option<Arc<Producer>>,
    /// Whether this SCP selected it: the client then is told whom (6.10.3.4, 6.10.4).
    pub chosen: bool,
    /// Whether it asked for fewer requests and this is one of those, there being nobody else to choose.
    pub overloaded: bool,
    /// Whether a redirection led there, which is of this request alone (RFC 9110 15.4.8).
    pub led: bool,
    /// The producer's API root, where the next hop is not it (6.10.2.5).
    pub onward: Option<ApiRoot>,
    /// The path, where the request's own is only a name for it (6.10.3.3).
    pub path: Option<PathAndQuery>,
}

/// What to search with: discovery factors, and what of the answer may be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Parameters of discovery beside those of the call's own headers, replacing any of the same name.
    pub factors: Vec<(&'static str, String)>,
    /// Of the answer, only this NF instance.
    pub nf_instance: Option<String>,
    /// Of the answer, no service instance of this NF instance.
    pub not_nf_instance: Option<String>,
    /// Of the answer, only this service instance.
    pub service_instance: Option<String>,
    /// Of the answer, only members of this NF service set, or of one that is it in another NF instance (TS 23.003 28.13).
    pub service_set: Option<String>,
    /// Of the answer, only who has the resources of the producer that is here (TS 29.500 6.12.1, TS 23.527 6.5).
    pub set_of: Option<ApiRoot>,
}

/// A way to somebody who may answer.
#[derive(Clone, Debug)]
pub enum Step {
    /// One place, given.
    Place(Arc<Target>),
    /// Whom the call's own headers find.
    Anybody,
    /// Whoever is found.
    Find(Arc<Query>),
}

/// The ways, in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What is left of them.
    pub steps: SmallVec<[Step; 2]>,
}

impl Query {
    /// By the call's own headers alone, for anybody.
    pub const ANYBODY: Self = Self {
        factors: Vec::new(),
        nf_instance: None,
        not_nf_instance: None,
        service_instance: None,
        service_set: None,
        set_of: None,
    };

    /// Whether one of those that were found may be chosen.
    #[must_use]
    pub fn admits(&self, producer: &Producer, all: &[Arc<Producer>]) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|it| found.is_some_and(|found| it.eq_ignore_ascii_case(found)))
        };
        let other =
            self.not_nf_instance.as_deref().is_none_or(|it| !it.eq_ignore_ascii_case(&producer.nf_instance));
        other
            && same(&self.nf_instance, Some(&producer.nf_instance))
            && same(&self.service_instance, producer.service_instance.as_deref())
            && self
                .service_set
                .as_deref()
                .is_none_or(|it| producer.service_sets.iter().any(|own| equivalent(own, it)))
            && self.set_of.as_ref().is_none_or(|it| producer.shares(it, all))
    }
}

impl Producer {
    /// One that is somewhere, of which nothing else is known.
    #[must_use]
    pub fn at(api_root: ApiRoot) -> Self {
        Self {
            nf_instance: String::new(),
            nf_type: String::new(),
            service_instance: None,
            service: String::new(),
            nf_sets: Vec::new(),
            service_sets: Vec::new(),
            persistent: false,
            api_root,
            priority: 0,
            capacity: 0,
            load: None,
            locality: None,
            callback: None,
            oauth2: None,
            told: Told::default(),
            oauth2_plmns: None,
        }
    }

    /// Whether a requester that is of these networks needs an access token for its service, where it says so.
    #[must_use]
    pub fn wants_token(&self, of: impl FnOnce() -> Vec<PlmnId>) -> Option<bool> {
        let Some(by) = &self.oauth2_plmns else { return self.oauth2 };
        let of = of();
        let among = |list: &[PlmnId]| of.iter().any(|it| list.contains(it));
        if among(&by.oauth2_required_plmn_id_list) {
            Some(true)
        } else if among(&by.oauth2_not_required_plmn_id_list) {
            Some(false)
        } else {
            self.oauth2
        }
    }

    /// Whom its certificate must name.
    #[must_use]
    pub fn holder(&self, matching: Matching) -> Holder {
        let clear = self.api_root.transport == Transport::Clear;
        match matching {
            Matching::Off => Holder::Any,
            Matching::Told if clear => Holder::Any,
            // An NRF that is configured has no NF instance that is known.
            matching if self.nf_instance.is_empty() => Holder::untold(matching),
            Matching::Told | Matching::Required => Holder::This(self.nf_instance.as_str().into()),
        }
    }

    /// As 3gpp-Sbi-Producer-Id has it.
    pub(crate) fn id(&self) -> Option<&HeaderValue> {
        let made = || {
            let encoded = |text: &String| Percent(text).to_string();
            let service_instance = self.service_instance.as_ref().map(encoded);
            let (nf_set, service_set) =
                (self.nf_sets.first().map(encoded), self.service_sets.first().map(encoded));
            let id = ProducerId {
                nf_instance: &self.nf_instance,
                service_instance: service_instance.as_deref(),
                nf_set: nf_set.as_deref(),
                service_set: service_set.as_deref(),
            };
            HeaderValue::try_from(id.to_string()).ok()
        };
        self.told.0.get_or_init(made).as_ref()
    }

    /// Whether it has the resources of the one that is at an API root: it is that at another end point, or shares a set with it,
    /// or, where these persist in their NF instance, serves the same there.
    fn shares(&self, root: &ApiRoot, all: &[Arc<Self>]) -> bool {
        let common = |ours: &[String], theirs: &[String]| ours.iter().any(|it| theirs.contains(it));
        let within = |it: &Self| {
            self.nf_instance.eq_ignore_ascii_case(&it.nf_instance)
                && self.service.eq_ignore_ascii_case(&it.service)
                && (it.persistent || self.service_instance == it.service_instance)
        };
        all.iter().filter(|it| it.api_root.same(root)).any(|it| {
            common(&self.nf_sets, &it.nf_sets) || common(&self.service_sets, &it.service_sets) || within(it)
        })
    }
}

/// Whether two NF service sets are one, or one's equivalent in another NF instance: `set1.snnsmf-pdusession.nfi<id>.5gc...`
/// but for the NF instance.
fn equivalent(one: &str, other: &str) -> bool {
    let [mut one, mut other] = [one, other].map(|it| it.split('.').filter(|it| !it.starts_with("nfi")));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one.eq_ignore_ascii_case(other) => {}
            _ => return false,
        }
    }
}

impl Target {
    /// A place that the client named.
    #[must_use]
    pub const fn given(api_root: ApiRoot, hop: Hop) -> Self {
        Self {
            api_root,
            hop,
            producer: None,
            chosen: false,
            overloaded: false,
            led: false,
            onward: None,
            path: None,
        }
    }

    /// Whom its certificate must name. Who goes between has a certificate of its own, and does not say which NF instance it is.
    #[must_use]
    pub fn holder(&self, matching: Matching) -> Holder {
        match (self.hop, &self.producer) {
            (Hop::Producer, Some(producer)) => producer.holder(matching),
            (Hop::Producer, None) => Holder::untold(matching),
            (Hop::Scp | Hop::Sepp, _) => Holder::Any,
        }
    }

    /// Where the producer is, whatever the way to it.
    #[must_use]
    pub fn root(&self) -> &ApiRoot {
        self.onward.as_ref().unwrap_or(&self.api_root)
    }

    /// A producer that this SCP selected.
    #[must_use]
    pub fn chosen(producer: Arc<Producer>) -> Self {
        Self {
            api_root: producer.api_root.clone(),
            hop: Hop::Producer,
            chosen: true,
            overloaded: false,
            led: false,
            onward: None,
            path: producer.callback.clone(),
            producer: Some(producer),
        }
    }
}

impl Plan {
    /// One place, and no other.
    #[must_use]
    pub fn place(target: Target) -> Self {
        Self { steps: smallvec![Step::Place(Arc::new(target))] }
    }
}
