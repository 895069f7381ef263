//! Profiles as the NRF has them (TS 29.510 6.1.6.2, 6.2.6.2): what an SCP reads of them, and the rest as it came.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient;
use super::settings::PlmnId;

/// What SearchNFInstances answers (TS 29.510 6.2.6.2.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    /// For how many seconds it holds.
    #[serde(default, deserialize_with = "lenient::member", skip_serializing_if = "Option::is_none")]
    pub validity_period: Option<u64>,
    /// Who was found.
    #[serde(default, deserialize_with = "lenient::list")]
    pub nf_instances: Vec<NfProfile>,
    /// Who was found beside these, by NF instance: their profiles are to be had of their own NRFs.
    #[serde(default, deserialize_with = "lenient::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub nf_instance_list: BTreeMap<String, NfInstanceInfo>,
    /// By what the NRF finds the same again.
    #[serde(default, deserialize_with = "lenient::member", skip_serializing_if = "Option::is_none")]
    pub search_id: Option<String>,
    /// How many there are in all, where these are not all.
    #[serde(default, deserialize_with = "lenient::member", skip_serializing_if = "Option::is_none")]
    pub num_nf_inst_complete: Option<u32>,
    /// Query parameters that the NRF does not know, and left out of account.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub ignored_query_params: Vec<String>,
    /// Why nobody was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_profile_match_info: Option<Value>,
    /// Members that are not read.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// An NF instance that was found, without its profile (TS 29.510 6.2.6.2.7).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NfInstanceInfo {
    /// The NRF that has its profile; that which says so where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nrf_disc_api_uri: Option<String>,
    /// Priorities that count instead of those of the profile, by JSON pointers into it.
    #[serde(default, deserialize_with = "lenient::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub nrf_altered_priorities: BTreeMap<String, u16>,
    /// Members that are not read.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// An NF instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NfProfile {
    /// A UUID.
    pub nf_instance_id: String,
    /// Its type, as `UDM`.
    pub nf_type: String,
    /// `REGISTERED`, or that it is not to be used.
    pub nf_status: String,
    /// Seconds between heartbeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heart_beat_timer: Option<u32>,
    /// Networks that it is in.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub plmn_list: Vec<PlmnId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// Its addresses.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub ipv4_addresses: Vec<Ipv4Addr>,
    /// Its addresses.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub ipv6_addresses: Vec<Ipv6Addr>,
    /// The lowest is chosen first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    /// Share among those of its priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u16>,
    /// Percent of it in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<u8>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// Sets that it belongs to.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub nf_set_id_list: Vec<String>,
    /// Its service instances.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub nf_services: Vec<NfService>,
    /// Whether a resource of one of its service instances is there for the others of the same service too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nf_service_persistence: Option<bool>,
    /// The same by their identities; where both are there, this counts (TS 29.510 6.1.6.2.2).
    #[serde(default, deserialize_with = "lenient::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub nf_service_list: BTreeMap<String, NfService>,
    /// Notifications that it takes without having subscribed to them.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub default_notification_subscriptions: Vec<DefaultSubscription>,
    /// Members that are not read.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// A service instance (TS 29.510 6.1.6.2.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NfService {
    /// Its identity within its NF instance.
    pub service_instance_id: String,
    /// As `nudm-sdm`.
    pub service_name: String,
    /// Versions of its API.
    #[serde(default, deserialize_with = "lenient::list")]
    pub versions: Vec<ServiceVersion>,
    /// `http` or `https`.
    pub scheme: String,
    /// `REGISTERED`, or that it is not to be used.
    pub nf_service_status: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// Its addresses and ports.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub ip_end_points: Vec<IpEndPoint>,
    /// What comes before the API's name in paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_prefix: Option<String>,
    /// The lowest is chosen first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    /// Share among those of its priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u16>,
    /// Percent of it in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<u8>,
    /// Features, hexadecimal (TS 29.571 5.2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<String>,
    /// Sets that it belongs to.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub nf_service_set_id_list: Vec<String>,
    /// Whether a request needs an access token.
    #[serde(rename = "oauth2Required", skip_serializing_if = "Option::is_none")]
    pub oauth2_required: Option<bool>,
    /// The same for requesters of some networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_plmn_oauth2_req_list: Option<PlmnOauth2>,
    /// Notifications that it takes without having subscribed to them.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub default_notification_subscriptions: Vec<DefaultSubscription>,
    /// Members that are not read.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// For requesters of which networks a request needs an access token (TS 29.510 6.1.6.2.114).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlmnOauth2 {
    /// For those of these it does.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub oauth2_required_plmn_id_list: Vec<PlmnId>,
    /// For those of these it does not.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub oauth2_not_required_plmn_id_list: Vec<PlmnId>,
}

/// A version of an API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceVersion {
    /// As paths have it: `v2`.
    pub api_version_in_uri: String,
    /// Members that are not read.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// Where a service instance is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IpEndPoint {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_address: Option<Ipv4Addr>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<Ipv6Addr>,
    /// Its port; that of the scheme where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Members that are not read.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// A default notification subscription (TS 29.510 6.1.6.2.4).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefaultSubscription {
    /// As `N1_MESSAGES`.
    pub notification_type: String,
    /// Where notifications go.
    pub callback_uri: String,
    /// Which N1 messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n1_message_class: Option<String>,
    /// Which N2 information.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n2_information_class: Option<String>,
    /// Who else takes them: a value of 3gpp-Sbi-Binding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<String>,
    /// Versions of the notification's API, as `v1`; any where there is none.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// Members that are not read.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl SearchResult {
    /// The search that finds the others, too, where these are not all.
    #[must_use]
    pub fn more(&self) -> Option<&str> {
        let all = usize::try_from(self.num_nf_inst_complete?).ok()?;
        self.search_id.as_deref().filter(|_| self.nf_instances.len() + self.nf_instance_list.len() < all)
    }
}

impl NfProfile {
    /// Has a priority of its own or of a service count instead of what it says itself.
    pub(crate) fn alter(&mut self, pointer: &str, priority: u16) {
        let path: Vec<&str> = pointer.split('/').collect();
        let place = match path.as_slice() {
            ["", "priority"] => Some(&mut self.priority),
            ["", "nfServiceList", id, "priority"] => self.nf_service_list.get_mut(*id).map(|it| &mut it.priority),
            ["", "nfServices", index, "priority"] => {
                let service = index.parse().ok().and_then(|index: usize| self.nf_services.get_mut(index));
                service.map(|it| &mut it.priority)
            }
            _ => None,
        };
        if let Some(place) = place {
            *place = Some(priority);
        }
    }

    /// Its service instances, from the member that counts.
    pub fn services(&self) -> impl Iterator<Item = &NfService> {
        let listed = if self.nf_service_list.is_empty() { &self.nf_services[..] } else { &[] };
        self.nf_service_list.values().chain(listed)
    }
}

/// What marks an instance or a service as one to use.
pub const REGISTERED: &str = "REGISTERED";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_wrong_does_not_take_the_others_with_it() {
        let service = |port: u32| {
            format!(
                r#"{{"serviceInstanceId":"{port}","serviceName":"a","scheme":"http","nfServiceStatus":"REGISTERED",
                "ipEndPoints":[{{"port":{port}}}],"priority":{port}}}"#
            )
        };
        let text = format!(
            r#"{{"nfInstances":[{{"nfInstanceId":1}},{{"nfInstanceId":"a","nfType":"UDM","nfStatus":"REGISTERED",
            "ipv4Addresses":["192.0.2.300","192.0.2.1"],"nfServiceList":{{"x":{},"y":{}}}}}]}}"#,
            service(80),
            service(70_000)
        );
        let search: SearchResult = serde_json::from_str(&text).unwrap();
        assert_eq!(search.nf_instances.len(), 1);
        assert_eq!(search.nf_instances[0].ipv4_addresses, [Ipv4Addr::new(192, 0, 2, 1)]);
        assert_eq!(search.nf_instances[0].services().map(|it| it.priority).collect::<Vec<_>>(), [Some(80)]);
    }

    /// A profile with members of a later release, in every place that they can be.
    #[test]
    fn what_is_not_read_is_carried() {
        let text = r#"{"nfInstances":[{"nfInstanceId":"a","nfStatus":"REGISTERED","nfType":"UDM","later":1,
            "nfServices":[{"nfServiceStatus":"REGISTERED","scheme":"http","serviceInstanceId":"1","serviceName":"nudm-sdm",
            "versions":[{"apiFullVersion":"2.1.0","apiVersionInUri":"v2"}],"oauth2Required":true,"ipEndPoints":[{"port":80,"transport":"TCP"}],
            "later":[{"x":null}]}],"defaultNotificationSubscriptions":[{"notificationType":"N1_MESSAGES","callbackUri":"http://a/b","later":{}}]}],
            "searchId":"s","validityPeriod":60}"#;
        let search: SearchResult = serde_json::from_str(text).unwrap();
        let profile = &search.nf_instances[0];
        assert_eq!((search.validity_period, profile.nf_type.as_str()), (Some(60), "UDM"));
        assert_eq!(profile.services().next().map(|it| it.oauth2_required), Some(Some(true)));
        let again: Value = serde_json::to_value(&search).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(text).unwrap());
    }
}
