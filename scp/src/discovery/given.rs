//! Producers that are configured: found whatever the NRF says, and where there is none.

use super::candidates::{Candidate, Found};
use super::factors::Factors;
use super::parameter;
use crate::nrf::{NfProfile, SearchResult};

/// Who of those that are configured a search finds, by type, names, sets and instance; other factors are the NRF's, and
/// let all through. None where it is nobody.
pub(super) fn given(profiles: &[NfProfile], factors: &Factors) -> Option<Found> {
    let named =
        |parameter: &str, value: &str| factors.get(parameter).is_none_or(|it| it.eq_ignore_ascii_case(value));
    let listed = |parameter: &str, values: &[String]| {
        factors.get(parameter).is_none_or(|it| values.iter().any(|value| value.eq_ignore_ascii_case(it)))
    };
    let fits = |profile: &&NfProfile| {
        named(parameter::TARGET_TYPE, &profile.nf_type)
            && named(parameter::INSTANCE, &profile.nf_instance_id)
            && listed(parameter::SET, &profile.nf_set_id_list)
    };
    let nf_instances: Vec<_> = profiles.iter().filter(fits).cloned().collect();
    if nf_instances.is_empty() {
        return None;
    }
    let mut found = Found::new(&SearchResult { nf_instances, ..SearchResult::default() });
    let names: Option<Vec<&str>> = factors.get(parameter::SERVICES).map(|names| names.split(',').collect());
    let serves = |candidate: &Candidate| {
        names.as_ref().is_none_or(|names| names.iter().any(|name| candidate.serves(name)))
            && listed(parameter::SERVICE_SET, &candidate.producer.service_sets)
    };
    found.candidates.retain(serves);
    let empty = found.candidates.is_empty() && found.listeners.is_empty() && found.instances.is_empty();
    (!empty).then_some(found)
}

/// Those that are configured, and those of the NRF beside them: an NF instance that both know counts once.
pub(super) fn beside(mut given: Found, found: &Found) -> Found {
    let is_new = |known: &[String], instance: &str| !known.iter().any(|it| it == instance);
    let known: Vec<String> = given.candidates.iter().map(|it| it.producer.nf_instance.clone()).collect();
    let others = found.candidates.iter().filter(|it| is_new(&known, &it.producer.nf_instance));
    given.candidates.extend(others.cloned());
    given.listeners.extend(found.listeners.iter().cloned());
    let known: Vec<String> = given.instances.iter().map(|it| it.nf_instance.clone()).collect();
    given.instances.extend(found.instances.iter().filter(|it| is_new(&known, &it.nf_instance)).cloned());
    given
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn profiles() -> Vec<NfProfile> {
        let profile = |id: &str, kind: &str, services: &[(&str, &str)]| {
            let service = |(name, set): &(&str, &str)| {
                json!({"serviceInstanceId": name, "serviceName": name, "scheme": "http", "nfServiceStatus": "REGISTERED",
                    "versions": [{"apiVersionInUri": "v1"}], "nfServiceSetIdList": [set]})
            };
            let services: Vec<_> = services.iter().map(service).collect();
            let value = json!({"nfInstanceId": id, "nfType": kind, "nfStatus": "REGISTERED", "nfSetIdList": [format!("set-{id}")],
                "ipv4Addresses": ["192.0.2.1"], "nfServices": services});
            serde_json::from_value(value).unwrap()
        };
        vec![
            profile("a", "UDM", &[("nudm-sdm", "s1"), ("nudm-uecm", "s2")]),
            profile("b", "UDM", &[("nudm-sdm", "s3")]),
            profile("c", "AUSF", &[("nausf-auth", "s4")]),
        ]
    }

    fn factors(headers: &[(&str, &str)], path: &str) -> Factors {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = format!("3gpp-sbi-discovery-{name}").parse().unwrap();
            map.insert(name, HeaderValue::from_str(value).unwrap());
        }
        Factors::read(&map, path, &[], "SCP", true).unwrap()
    }

    fn seen(headers: &[(&str, &str)], path: &str) -> Vec<String> {
        let found = given(&profiles(), &factors(headers, path));
        let candidates = found.map(|it| it.candidates).unwrap_or_default();
        candidates.iter().map(|it| format!("{} {}", it.producer.nf_instance, it.producer.service)).collect()
    }

    #[test]
    fn they_are_found_by_type_name_set_and_instance() {
        let path = "/nudm-sdm/v1/imsi-1/nssai";
        assert_eq!(seen(&[], path), ["a nudm-sdm", "b nudm-sdm"]);
        assert_eq!(seen(&[("target-nf-set-id", "set-b")], path), ["b nudm-sdm"]);
        assert_eq!(seen(&[("target-nf-service-set-id", "s1")], path), ["a nudm-sdm"]);
        assert_eq!(seen(&[("target-nf-instance-id", "b")], path), ["b nudm-sdm"]);
        assert_eq!(seen(&[("service-names", "nudm-uecm")], path), ["a nudm-uecm"]);
        assert_eq!(seen(&[], "/nausf-auth/v1/ue-authentications"), ["c nausf-auth"]);
        assert_eq!(seen(&[("target-nf-type", "SMF")], "/nsmf-pdusession/v1/sm-contexts"), [""; 0]);
    }

    #[test]
    fn the_nrf_adds_those_that_are_not_known() {
        let factors = factors(&[], "/nudm-sdm/v1/imsi-1/nssai");
        let own = given(&profiles()[..1], &factors).unwrap();
        let all = beside(own, &given(&profiles(), &factors).unwrap());
        let seen: Vec<_> = all.candidates.iter().map(|it| it.producer.nf_instance.as_str()).collect();
        assert_eq!((seen, all.instances.len()), (vec!["a", "b"], 2));
    }
}
