//! This SCP's own profile (TS 29.510 6.1.6.2.2, 6.1.6.2.65, 6.1.6.2.66).

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::profile::{NfProfile, REGISTERED};
use super::settings::Registration;
use crate::settings::Identity;

/// What the NRF is told of an SCP. `load` is in percent.
#[must_use]
pub fn profile(identity: &Identity, registration: &Registration, load: u8) -> NfProfile {
    let Registration { instance, ports, addresses, domains, plmns, locality, priority, capacity, .. } =
        registration;
    let mut info = Map::new();
    let mut add = |name: &str, value: Value| {
        let nothing = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
        if !nothing {
            info.insert(name.to_owned(), value);
        }
    };
    let in_domain = |domain: &String| {
        let mut info = json!({ "scpFqdn": identity.fqdn, "scpPorts": ports });
        if let (Some(info), false) = (info.as_object_mut(), identity.prefix.is_empty()) {
            info.insert("scpPrefix".to_owned(), json!(identity.prefix));
        }
        (domain.clone(), info)
    };
    add("scpDomainInfoList", domains.iter().map(in_domain).collect::<Map<_, _>>().into());
    if !identity.prefix.is_empty() {
        add("scpPrefix", json!(identity.prefix));
    }
    add("scpPorts", json!(ports));
    add("addressDomains", json!(registration.address_domains));
    add("servedNfSetIdList", json!(registration.served_sets));
    add("remotePlmnList", json!(registration.remote_plmns));
    let mut others = Map::new();
    others.insert("scpInfo".to_owned(), info.into());
    if !domains.is_empty() {
        others.insert("scpDomains".to_owned(), json!(domains));
    }
    NfProfile {
        nf_instance_id: instance.clone(),
        nf_type: "SCP".to_owned(),
        nf_status: REGISTERED.to_owned(),
        plmn_list: plmns.clone(),
        fqdn: Some(identity.fqdn.clone()),
        ipv4_addresses: addresses
            .iter()
            .filter_map(|it| if let IpAddr::V4(it) = it { Some(*it) } else { None })
            .collect(),
        ipv6_addresses: addresses
            .iter()
            .filter_map(|it| if let IpAddr::V6(it) = it { Some(*it) } else { None })
            .collect(),
        priority: *priority,
        capacity: *capacity,
        load: Some(load),
        locality: locality.clone(),
        others,
        ..NfProfile::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrf::PlmnId;

    #[test]
    fn n1_the_profile_of_an_scp() {
        let identity = Identity {
            fqdn: "scp1.example".to_owned(),
            authorities: Vec::new(),
            prefix: "/1/2".to_owned(),
            instance: None,
        };
        let registration = Registration {
            instance: "54804518-4191-46b3-955c-ac631f953ed8".to_owned(),
            ports: [("http".to_owned(), 80)].into(),
            addresses: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            domains: vec!["east".to_owned()],
            served_sets: vec!["set1.udmset.5gc.mnc012.mcc345".to_owned()],
            remote_plmns: vec![PlmnId { mcc: "001".to_owned(), mnc: "01".to_owned() }],
            ..Registration::default()
        };
        let written = serde_json::to_value(profile(&identity, &registration, 12)).unwrap();
        let expected = json!({
            "nfInstanceId": "54804518-4191-46b3-955c-ac631f953ed8", "nfType": "SCP", "nfStatus": "REGISTERED",
            "fqdn": "scp1.example", "ipv4Addresses": ["192.0.2.1"], "ipv6Addresses": ["2001:db8::1"], "load": 12,
            "scpDomains": ["east"],
            "scpInfo": {
                "scpDomainInfoList": {"east": {"scpFqdn": "scp1.example", "scpPrefix": "/1/2", "scpPorts": {"http": 80}}},
                "scpPrefix": "/1/2", "scpPorts": {"http": 80},
                "servedNfSetIdList": ["set1.udmset.5gc.mnc012.mcc345"], "remotePlmnList": [{"mcc": "001", "mnc": "01"}]
            }
        });
        assert_eq!(written, expected);
    }
}
