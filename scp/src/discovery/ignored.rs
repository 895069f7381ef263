//! Discovery factors that the NRF left out of account (ignoredQueryParams, TS 29.510 6.2.6.2.2): those that profiles answer
//! are weighed here.

use pinion_protocols::sbi::decode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::parameter;
use crate::nrf::{NfProfile, NfService, PlmnId, SearchResult};

/// Leaves out whoever does not fit.
pub(super) fn weigh(answer: &mut SearchResult, query: &str) {
    let mut unknown = Vec::new();
    for parameter in std::mem::take(&mut answer.ignored_query_params) {
        let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == parameter);
        let Some(value) = value.and_then(|(_, value)| decode(value)) else { continue };
        match Factor::read(&parameter, &value) {
            Some(factor) => answer.nf_instances.retain_mut(|profile| factor.fits(profile)),
            None => unknown.push(parameter),
        }
    }
    if !unknown.is_empty() {
        tracing::warn!(ignored = unknown.join(", "), "the NRF leaves discovery factors out of account");
    }
    answer.ignored_query_params = unknown;
}

/// A factor that a profile answers.
enum Factor<'a> {
    /// It is weighed wherever somebody is selected.
    Later,
    Type(&'a str),
    Instance(&'a str),
    Fqdn(&'a str),
    Set(&'a str),
    ServiceSet(&'a str),
    Services(Vec<&'a str>),
    RequesterType(&'a str),
    AmfRegion(&'a str),
    AmfSet(&'a str),
    Guami(Guami),
    Plmns(Vec<PlmnId>),
    Slices(Vec<Slice>),
}

/// A GUAMI (TS 29.571 5.4.4.26), maybe of an SNPN (5.4.4.33).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Guami {
    plmn_id: Network,
    /// Hexadecimal digits of either case, as those of a network.
    amf_id: String,
}

#[derive(Deserialize)]
struct Network {
    #[serde(flatten)]
    plmn: PlmnId,
    nid: Option<String>,
}

/// An S-NSSAI, and ranges of them (TS 29.571 5.4.4.2, 5.4.4.87).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Slice {
    sst: u8,
    sd: Option<String>,
    #[serde(default)]
    sd_ranges: Vec<Range>,
    #[serde(default)]
    wildcard_sd: bool,
}

#[derive(Deserialize)]
struct Range {
    start: String,
    end: String,
}

impl<'a> Factor<'a> {
    fn read(parameter: &str, value: &'a str) -> Option<Self> {
        let json = || serde_json::from_str(value).ok();
        Some(match parameter {
            "preferred-locality" | "required-features" => Self::Later,
            parameter::TARGET_TYPE => Self::Type(value),
            parameter::INSTANCE => Self::Instance(value),
            "target-nf-fqdn" => Self::Fqdn(value),
            parameter::SET => Self::Set(value),
            parameter::SERVICE_SET => Self::ServiceSet(value),
            parameter::SERVICES => Self::Services(value.split(',').collect()),
            parameter::REQUESTER_TYPE => Self::RequesterType(value),
            "amf-region-id" => Self::AmfRegion(value),
            "amf-set-id" => Self::AmfSet(value),
            "guami" => Self::Guami(serde_json::from_value(json()?).ok()?),
            "target-plmn-list" => Self::Plmns(serde_json::from_value(json()?).ok()?),
            "snssais" => Self::Slices(serde_json::from_value(json()?).ok()?),
            _ => return None,
        })
    }

    /// Whether a profile is one of those that are looked for; of its services, those remain that are.
    fn fits(&self, profile: &mut NfProfile) -> bool {
        let is = |value: Option<&Value>, wanted: &str| {
            value.and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case(wanted))
        };
        match self {
            Self::Later => true,
            Self::Type(wanted) => profile.nf_type.eq_ignore_ascii_case(wanted),
            Self::Instance(wanted) => profile.nf_instance_id.eq_ignore_ascii_case(wanted),
            Self::Fqdn(wanted) => profile.fqdn.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(wanted)),
            Self::Set(wanted) => listed(&profile.nf_set_id_list, wanted),
            Self::ServiceSet(wanted) => keep(profile, |it| listed(&it.nf_service_set_id_list, wanted)),
            Self::Services(wanted) => keep(profile, |it| listed(wanted, &it.service_name)),
            // Where nothing is said, anybody may.
            Self::RequesterType(wanted) => profile
                .others
                .get("allowedNfTypes")
                .and_then(Value::as_array)
                .is_none_or(|allowed| allowed.iter().any(|it| is(Some(it), wanted))),
            Self::AmfRegion(wanted) => amf(profile, "amfRegionId").any(|it| is(Some(it), wanted)),
            Self::AmfSet(wanted) => amf(profile, "amfSetId").any(|it| is(Some(it), wanted)),
            Self::Guami(wanted) => {
                let own = amf(profile, "guamiList").filter_map(Value::as_array).flatten();
                own.filter_map(|it| Guami::deserialize(it).ok()).any(|it| it.is(wanted))
            }
            // Where none is named, it is the NRF's own.
            Self::Plmns(wanted) => {
                profile.plmn_list.is_empty() || wanted.iter().any(|it| profile.plmn_list.contains(it))
            }
            Self::Slices(wanted) => {
                slices(profile).is_none_or(|own| wanted.iter().any(|wanted| own.iter().any(|own| own.has(wanted))))
            }
        }
    }
}

fn listed<T: AsRef<str>>(all: &[T], wanted: &str) -> bool {
    all.iter().any(|it| it.as_ref().eq_ignore_ascii_case(wanted))
}

/// What an AMF says of a name: once, or of each of several that it is (amfInfoList).
fn amf<'a>(profile: &'a NfProfile, name: &'a str) -> impl Iterator<Item = &'a Value> {
    let several = profile.others.get("amfInfoList").and_then(Value::as_object).into_iter().flat_map(Map::values);
    profile.others.get("amfInfo").into_iter().chain(several).filter_map(move |it| it.get(name))
}

/// Keeps some of its services; whether there are any.
fn keep(profile: &mut NfProfile, which: impl Fn(&NfService) -> bool) -> bool {
    profile.nf_services.retain(&which);
    profile.nf_service_list.retain(|_, it| which(it));
    profile.services().next().is_some()
}

/// The slices that an NF instance serves; none where it serves any.
fn slices(profile: &NfProfile) -> Option<Vec<Slice>> {
    let read = |value: &Value| Slice::deserialize(value).ok();
    let of = |value: &Value| value.as_array().into_iter().flatten().filter_map(read).collect::<Vec<_>>();
    let own = profile.others.get("sNssais").filter(|it| !it.is_null()).map(of);
    let by_plmn = profile
        .others
        .get("perPlmnSnssaiList")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(|it| it.get("sNssaiList")).flat_map(of).collect::<Vec<_>>());
    match (own, by_plmn) {
        (None, None) => None,
        (own, by_plmn) => Some(own.into_iter().chain(by_plmn).flatten().collect()),
    }
}

impl Guami {
    fn is(&self, other: &Self) -> bool {
        let nid = |of: &Self| of.plmn_id.nid.as_deref().unwrap_or_default().to_ascii_lowercase();
        self.plmn_id.plmn == other.plmn_id.plmn
            && nid(self) == nid(other)
            && self.amf_id.eq_ignore_ascii_case(&other.amf_id)
    }
}

impl Slice {
    /// Whether it is one that another may stand for.
    fn has(&self, wanted: &Self) -> bool {
        let number = |sd: &str| u32::from_str_radix(sd, 16).ok();
        let within = |range: &Range| {
            let sd = wanted.sd.as_deref().and_then(number);
            sd.is_some_and(|sd| number(&range.start) <= Some(sd) && number(&range.end) >= Some(sd))
        };
        let same = || match (&self.sd, &wanted.sd) {
            (Some(own), Some(wanted)) => own.eq_ignore_ascii_case(wanted),
            (None, None) => self.sd_ranges.is_empty(),
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.sst == wanted.sst && (self.wildcard_sd || same() || self.sd_ranges.iter().any(within))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Who is left of three, and what could not be weighed.
    fn left(ignored: &[&str], query: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let service = |name: &str, set: &str| {
            json!({"serviceInstanceId": name, "serviceName": name, "scheme": "http", "nfServiceStatus": "REGISTERED",
                "nfServiceSetIdList": [set]})
        };
        let mut answer: SearchResult = serde_json::from_value(json!({"ignoredQueryParams": ignored, "nfInstances": [
            {"nfInstanceId": "a", "nfType": "AMF", "nfStatus": "REGISTERED", "fqdn": "a.example", "nfSetIdList": ["s1"],
             "plmnList": [{"mcc": "001", "mnc": "01"}], "sNssais": [{"sst": 1, "sd": "A08923"}, {"sst": 2}],
             "allowedNfTypes": ["SMF"], "nfServices": [service("namf-comm", "c1"), service("namf-loc", "l1")],
             "amfInfo": {"amfRegionId": "01", "amfSetId": "001", "guamiList": [{"amfId": "010041", "plmnId": {"mcc": "001", "mnc": "01"}}]}},
            {"nfInstanceId": "b", "nfType": "AMF", "nfStatus": "REGISTERED", "nfSetIdList": ["s2"],
             "plmnList": [{"mcc": "999", "mnc": "70"}],
             "perPlmnSnssaiList": [{"plmnId": {"mcc": "999", "mnc": "70"}, "sNssaiList": [{"sst": 1, "sdRanges": [{"start": "0000f0", "end": "0000FF"}]}]}],
             "nfServiceList": {"x": service("namf-comm", "c2")}, "amfInfoList": {"x": {"amfRegionId": "02", "amfSetId": "001",
             "guamiList": [{"plmnId": {"mcc": "999", "mnc": "70", "nid": "00000000ABC"}, "amfId": "01f041"}]}, "y": {"amfRegionId": "03", "amfSetId": "002"}}},
            {"nfInstanceId": "c", "nfType": "SMF", "nfStatus": "REGISTERED", "sNssais": null}]}))
        .unwrap();
        let mut text = String::new();
        for (name, value) in query {
            text.push_str(name);
            text.push('=');
            super::super::canonical::encode(value, false, &mut text);
            text.push('&');
        }
        weigh(&mut answer, &text);
        (answer.nf_instances.into_iter().map(|it| it.nf_instance_id).collect(), answer.ignored_query_params)
    }

    #[test]
    fn d1_what_the_nrf_leaves_out_of_account_is_weighed_here() {
        for (name, value, expected) in [
            ("target-nf-type", "SMF", &["c"][..]),
            ("target-nf-instance-id", "A", &["a"]),
            ("target-nf-fqdn", "A.example", &["a"]),
            ("target-nf-set-id", "s2", &["b"]),
            ("target-nf-service-set-id", "l1", &["a"]),
            ("service-names", "namf-comm,namf-mt", &["a", "b"]),
            ("requester-nf-type", "SMF", &["a", "b", "c"]),
            ("requester-nf-type", "PCF", &["b", "c"]),
            ("amf-region-id", "02", &["b"]),
            ("amf-region-id", "03", &["b"]),
            ("amf-set-id", "001", &["a", "b"]),
            ("guami", r#"{"amfId":"010041","plmnId":{"mcc":"001","mnc":"01"}}"#, &["a"]),
            ("guami", r#"{"amfId":"01F041","plmnId":{"mcc":"999","mnc":"70","nid":"00000000abc"}}"#, &["b"]),
            ("guami", r#"{"amfId":"01f041","plmnId":{"mcc":"999","mnc":"70"}}"#, &[]),
            ("target-plmn-list", r#"[{"mcc":"001","mnc":"01"}]"#, &["a", "c"]),
            ("snssais", r#"[{"sd":"a08923","sst":1}]"#, &["a", "c"]),
            ("snssais", r#"[{"sd":"0000F7","sst":1},{"sst":7}]"#, &["b", "c"]),
            ("snssais", r#"[{"sst":1}]"#, &["c"]),
            ("required-features", "1", &["a", "b", "c"]),
        ] {
            let expected: Vec<String> = expected.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(left(&[name], &[(name, value)]), (expected, Vec::new()), "{name} {value}");
            assert_eq!(left(&[], &[(name, value)]).0.len(), 3, "{name} {value}");
        }
    }

    #[test]
    fn d1_what_cannot_be_weighed_is_said() {
        for (name, value) in [("dnn", "internet"), ("snssais", "1"), ("guami", "x")] {
            assert_eq!(
                left(&[name], &[(name, value)]),
                (["a", "b", "c"].map(str::to_owned).into(), vec![name.to_owned()])
            );
        }
        // Nobody asked for it.
        assert_eq!(left(&["dnn"], &[]).1, [""; 0]);
    }
}
