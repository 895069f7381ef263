//! Who of an answer may be chosen: service instances, and receivers of notifications by default.

use std::sync::Arc;

use http::Uri;

use super::endpoint;
use super::factors::Factors;
use super::features::supports;
use super::nobody::Nobody;
use crate::api_root::ApiRoot;
use crate::nrf::{DefaultSubscription, NfProfile, NfService, REGISTERED, SearchResult};
use crate::producer::{Producer, Told};

/// What a search found, as far as it can be used.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Service instances.
    pub candidates: Vec<Candidate>,
    /// Receivers of notifications by default.
    pub listeners: Vec<Listener>,
    /// NF instances themselves, for callbacks that are for none of their services.
    pub instances: Vec<Arc<Producer>>,
    /// Why the NRF found nobody, where it says so.
    pub nobody: Option<Arc<Nobody>>,
}

/// A service instance.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Who it is.
    pub producer: Arc<Producer>,
    /// The same as a receiver of callbacks: their paths are their consumer's own, and have no prefix of its APIs.
    pub receiver: Arc<Producer>,
    versions: Vec<String>,
    features: String,
}

/// A receiver of notifications by default (TS 29.500 6.10.3.3).
#[derive(Clone, Debug)]
pub struct Listener {
    /// Who it is; its callback is where they go.
    pub producer: Arc<Producer>,
    subscription: DefaultSubscription,
}

/// A notification that looks for its receiver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notification<'a> {
    /// 3gpp-Sbi-Discovery-notification-type.
    pub kind: &'a str,
    /// 3gpp-Sbi-Discovery-n1-msg-class.
    pub n1: Option<&'a str>,
    /// 3gpp-Sbi-Discovery-n2-info-class.
    pub n2: Option<&'a str>,
    /// Major version of its API.
    pub version: u32,
}

impl Found {
    /// What of an answer is registered and says where it is.
    #[must_use]
    pub fn new(answer: &SearchResult) -> Self {
        let nobody = answer.no_profile_match_info.as_ref().map(|info| Arc::new(Nobody::read(info)));
        let mut found = Self { nobody, ..Self::default() };
        for profile in answer.nf_instances.iter().filter(|it| it.nf_status == REGISTERED) {
            found.add(profile);
        }
        found
    }

    /// Service instances, and NF instances themselves.
    pub(crate) fn producers(&self) -> impl Iterator<Item = &Arc<Producer>> {
        self.candidates.iter().map(|it| &it.producer).chain(&self.instances)
    }

    /// Whether there is nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.candidates.is_empty() && self.listeners.is_empty() && self.instances.is_empty()
    }

    /// NRFs, in the order in which they are to be asked, as if they served all that is asked of them.
    pub(super) fn nrfs<'a>(roots: impl Iterator<Item = &'a ApiRoot>, factors: &Factors) -> Self {
        let profile = NfProfile { nf_type: factors.target_type().to_owned(), ..NfProfile::default() };
        let service =
            NfService { service_name: factors.service().unwrap_or_default().to_owned(), ..NfService::default() };
        let candidate = |(place, root): (usize, &ApiRoot)| {
            let mut producer = producer(&profile, Some(&service), root.clone());
            producer.service_instance = None;
            producer.priority = u16::try_from(place).unwrap_or(u16::MAX);
            let features = factors.required_features().to_owned();
            Candidate::new(producer, Vec::new(), features)
        };
        Self { candidates: roots.enumerate().map(candidate).collect(), ..Self::default() }
    }

    fn add(&mut self, profile: &NfProfile) {
        for service in profile.services().filter(|it| it.nf_service_status == REGISTERED) {
            let roots = endpoint::api_roots(profile, service);
            let share = u16::try_from(roots.len().max(1)).unwrap_or(u16::MAX);
            for api_root in roots {
                let mut producer = producer(profile, Some(service), api_root);
                // Several end points are one service instance, and together have its share.
                producer.capacity = (producer.capacity / share).max(producer.capacity.min(1));
                let versions =
                    service.versions.iter().map(|it| it.api_version_in_uri.to_ascii_lowercase()).collect();
                let features = service.supported_features.clone().unwrap_or_default();
                self.candidates.push(Candidate::new(producer, versions, features));
            }
            self.listen(profile, Some(service), &service.default_notification_subscriptions);
        }
        self.listen(profile, None, &profile.default_notification_subscriptions);
        if let Some(api_root) = endpoint::of_instance(profile) {
            self.instances.push(Arc::new(producer(profile, None, api_root)));
        }
    }

    fn listen(&mut self, profile: &NfProfile, service: Option<&NfService>, subscriptions: &[DefaultSubscription]) {
        for subscription in subscriptions {
            let Ok(uri) = subscription.callback_uri.parse::<Uri>() else { continue };
            let Some(api_root) = ApiRoot::of(&uri) else { continue };
            let mut producer = producer(profile, service, api_root);
            producer.callback = uri.path_and_query().cloned();
            self.listeners.push(Listener { producer: Arc::new(producer), subscription: subscription.clone() });
        }
    }
}

fn producer(profile: &NfProfile, service: Option<&NfService>, api_root: ApiRoot) -> Producer {
    Producer {
        nf_instance: profile.nf_instance_id.clone(),
        nf_type: profile.nf_type.clone(),
        service_instance: service.map(|it| it.service_instance_id.clone()),
        service: service.map(|it| it.service_name.clone()).unwrap_or_default(),
        nf_sets: profile.nf_set_id_list.clone(),
        service_sets: service.map(|it| it.nf_service_set_id_list.clone()).unwrap_or_default(),
        persistent: profile.nf_service_persistence.unwrap_or(false),
        api_root,
        priority: service.and_then(|it| it.priority).or(profile.priority).unwrap_or(0),
        capacity: service.and_then(|it| it.capacity).or(profile.capacity).unwrap_or(100),
        load: service.and_then(|it| it.load).or(profile.load),
        locality: profile.locality.clone(),
        callback: None,
        oauth2: service.and_then(|it| it.oauth2_required),
        told: Told::default(),
        oauth2_plmns: service.and_then(|it| it.per_plmn_oauth2_req_list.clone()),
    }
}

impl Candidate {
    fn new(producer: Producer, versions: Vec<String>, features: String) -> Self {
        let api_root = ApiRoot::new(producer.api_root.transport, producer.api_root.authority.clone());
        let producer = Arc::new(producer);
        let receiver = match producer.api_root.prefix() {
            "" => Arc::clone(&producer),
            _ => Arc::new(Producer { api_root, ..(*producer).clone() }),
        };
        Self { producer, receiver, versions, features }
    }

    /// Whether it is of a service.
    #[must_use]
    pub fn serves(&self, service: &str) -> bool {
        self.producer.service.eq_ignore_ascii_case(service)
    }

    /// The versions of its API that it names.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        self.versions.iter().map(String::as_str)
    }

    /// Whether it has a version of its API, as paths have it; one that says none has any.
    #[must_use]
    pub fn has_version(&self, version: &str) -> bool {
        self.versions.is_empty() || self.versions.iter().any(|it| it == version)
    }

    /// Whether it has all features of some.
    #[must_use]
    pub fn has_features(&self, required: &str) -> bool {
        supports(&self.features, required)
    }
}

impl Listener {
    /// Who else takes what it does, where its profile says so (TS 29.500 6.12.4).
    #[must_use]
    pub fn binding(&self) -> Option<&str> {
        self.subscription.binding.as_deref()
    }

    /// Whether it takes such a notification.
    #[must_use]
    pub fn takes(&self, notification: Notification<'_>) -> bool {
        let Notification { kind, n1, n2, version } = notification;
        let own = &self.subscription;
        // TS 29.500 6.10.3.3 itself writes N1_MESSAGE for what TS 29.510 calls N1_MESSAGES.
        let plain = |kind: &'_ str| kind.trim_end_matches(['S', 's']).to_ascii_uppercase();
        let same = |wanted: Option<&str>, own: &Option<String>| match (wanted, own) {
            (Some(wanted), Some(own)) => wanted.eq_ignore_ascii_case(own),
            (Some(_), None) => false,
            (None, _) => true,
        };
        plain(kind) == plain(&own.notification_type)
            && same(n1, &own.n1_message_class)
            && same(n2, &own.n2_information_class)
            && (own.versions.is_empty() || own.versions.iter().any(|it| *it == format!("v{version}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(value: serde_json::Value) -> Found {
        Found::new(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn what_a_service_says_goes_before_what_its_instance_does() {
        let service = |id: &str, more: serde_json::Value| {
            let mut service = json!({"serviceInstanceId": id, "serviceName": "nudm-sdm", "scheme": "http",
                "nfServiceStatus": "REGISTERED", "versions": [{"apiVersionInUri": "v2"}]});
            service.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            service
        };
        let found = found(json!({"nfInstances": [{"nfInstanceId": "i", "nfType": "UDM", "nfStatus": "REGISTERED",
            "ipv4Addresses": ["192.0.2.1"], "priority": 3, "capacity": 10, "load": 7, "nfSetIdList": ["s"],
            "nfServices": [service("1", json!({"priority": 5, "capacity": 0, "load": 9})), service("2", json!({})),
                service("3", json!({"nfServiceStatus": "SUSPENDED"}))]},
            {"nfInstanceId": "j", "nfType": "UDM", "nfStatus": "UNDISCOVERABLE", "nfServices": [service("1", json!({}))]}]}));
        let seen: Vec<_> =
            found.candidates.iter().map(|it| &it.producer).map(|it| (it.priority, it.capacity, it.load)).collect();
        assert_eq!(seen, [(5, 0, Some(9)), (3, 10, Some(7))]);
        assert!(found.candidates[0].has_version("v2") && !found.candidates[0].has_version("v1"));
    }

    /// Classes as TS 29.518 6.1.6.3 has them.
    #[test]
    fn r2_receivers_of_notifications_by_default() {
        let found = found(json!({"nfInstances": [{"nfInstanceId": "i", "nfType": "AMF", "nfStatus": "REGISTERED",
            "defaultNotificationSubscriptions": [
                {"notificationType": "N1_MESSAGES", "callbackUri": "http://amf.example/n1/5gmm", "n1MessageClass": "5GMM"},
                {"notificationType": "N1_MESSAGES", "callbackUri": "http://amf.example/n1/lpp", "n1MessageClass": "LPP"},
                {"notificationType": "N2_INFORMATION", "callbackUri": "http://amf.example/n2?x=y", "n2InformationClass": "NRPPa",
                 "versions": ["v2"]},
                {"notificationType": "N2_INFORMATION", "callbackUri": "/relative"}]}]}));
        let taken = |notification| -> Vec<_> {
            let takes = found.listeners.iter().filter(|it| it.takes(notification));
            takes.map(|it| it.producer.callback.as_ref().unwrap().to_string()).collect()
        };
        let n1 = Notification { kind: "N1_MESSAGE", n1: Some("LPP"), n2: None, version: 1 };
        assert_eq!(taken(n1), ["/n1/lpp"]);
        let n2 = Notification { kind: "N2_INFORMATION", n1: None, n2: Some("NRPPa"), version: 2 };
        assert_eq!(taken(n2), ["/n2?x=y"]);
        assert_eq!(taken(Notification { version: 1, ..n2 }), [""; 0]);
        assert_eq!(taken(Notification { kind: "LOCATION_NOTIFICATION", ..n1 }), [""; 0]);
    }

    /// Whatever an NRF answers, or what a producer registered with it.
    #[test]
    fn no_answer_is_too_strange() {
        let whole = json!({"validityPeriod": 5, "nfInstances": [{"nfInstanceId": "i", "nfType": "UDM", "nfStatus": "REGISTERED",
            "fqdn": "a.example", "ipv6Addresses": ["2001:db8::1"], "nfServiceList": {"1": {"serviceInstanceId": "1",
            "serviceName": "nudm-sdm", "scheme": "https", "nfServiceStatus": "REGISTERED", "apiPrefix": "/x/y", "capacity": 7,
            "ipEndPoints": [{"ipv4Address": "192.0.2.1", "port": 443}], "versions": [{"apiVersionInUri": "v2"}]}},
            "defaultNotificationSubscriptions": [{"notificationType": "N1_MESSAGES", "callbackUri": "http://a/b?c"}]}]})
        .to_string();
        bolero::check!().with_type::<Vec<(u16, u8)>>().for_each(|changes| {
            let mut bytes = whole.clone().into_bytes();
            for (place, byte) in changes {
                let place = usize::from(*place) % bytes.len();
                bytes[place] = *byte;
            }
            if let Ok(answer) = serde_json::from_slice(&bytes) {
                let found = Found::new(&answer);
                assert!(found.candidates.len() <= 1 && found.listeners.len() <= 1 && found.instances.len() <= 1);
            }
        });
    }
}
