//! Who of those that were found may answer a call.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::HeaderMap;
use pinion_protocols::sbi::{SelectionAction, SelectionInfo, Value as _, decode};

use crate::advice::SELECTION_INFO;
use crate::cause::Cause;
use crate::discovery::{Candidate, Factors, Found};
use crate::failure::Failure;
use crate::problem::Problem;
use crate::producer::{Producer, Query};

/// Those who may answer; none where a plan's step wants others. `holders` have, or had, the resources that it wants, and
/// `selection` are the headers where there is 3gpp-Sbi-Selection-Info among them.
///
/// # Errors
/// Nobody serves the API, its version, or with the features that are required.
pub(super) fn eligible<'a>(
    found: &'a Found,
    factors: &Factors,
    query: &Query,
    holders: &[Arc<Producer>],
    selection: Option<&HeaderMap>,
) -> Result<Vec<&'a Arc<Producer>>, Failure> {
    let all = if factors.is_callback() { receivers(found, factors, query)? } else { servers(found, factors)? };
    let excluded = selection.map(Excluded::read).unwrap_or_default();
    Ok(all.into_iter().filter(|it| query.admits(it, holders) && !excluded.has(it)).collect())
}

/// Who takes a callback: who registered for such notifications, or the service that it is for, or the NF itself. A binding to
/// a service instance or to a set of them is to a service, named or not (TS 29.500 6.12.4).
fn receivers<'a>(found: &'a Found, factors: &Factors, query: &Query) -> Result<Vec<&'a Arc<Producer>>, Failure> {
    let of_service = query.service_instance.is_some() || query.service_set.is_some();
    let receivers: Vec<_> = match (factors.notification(), factors.service()) {
        (Some(notification), _) => {
            found.listeners.iter().filter(|it| it.takes(notification)).map(|it| &it.producer).collect()
        }
        (None, Some(service)) => {
            found.candidates.iter().filter(|it| it.serves(service)).map(|it| &it.receiver).collect()
        }
        (None, None) if of_service => found.candidates.iter().map(|it| &it.receiver).collect(),
        (None, None) => found.instances.iter().collect(),
    };
    if receivers.is_empty() { Err(nobody("nobody is registered for such notifications")) } else { Ok(receivers) }
}

/// Who serves the API in its version and with its features.
fn servers<'a>(found: &'a Found, factors: &Factors) -> Result<Vec<&'a Arc<Producer>>, Failure> {
    let (service, version, features) = (factors.service(), factors.version(), factors.required_features());
    let serving = || found.candidates.iter().filter(|it| service.is_none_or(|service| it.serves(service)));
    let current = |it: &&Candidate| version.is_none_or(|version| it.has_version(version));
    let able = serving().filter(current).filter(|it| it.has_features(features));
    let able: Vec<_> = able.map(|it| &it.producer).collect();
    if !able.is_empty() {
        return Ok(able);
    }
    if serving().next().is_none() {
        let why = found.nobody.as_deref().cloned().unwrap_or_default();
        return Err(why.problem("the NRF knows nobody who serves it").into());
    }
    if let (Some(version), None) = (version, serving().find(current)) {
        let others: BTreeSet<&str> = serving().flat_map(Candidate::versions).collect();
        let others = others.into_iter().collect::<Vec<_>>().join(", ");
        let detail = format!("nobody serves version {version} of the API, but {others}");
        return Err(Problem::new(Cause::InvalidApi).detail(detail).into());
    }
    Err(nobody("nobody has the features that are required"))
}

fn nobody(why: &'static str) -> Failure {
    Problem::new(Cause::NfDiscoveryFailure).detail(why).into()
}

/// Who is not to be selected: 3gpp-Sbi-Selection-Info (TS 29.500 5.2.3.3.10). One that cannot be read excludes nobody.
#[derive(Debug, Default)]
struct Excluded {
    all: Vec<Vec<(Action, String)>>,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    ServiceInstance,
    ServiceSet,
    NfInstance,
    NfSet,
}

impl Excluded {
    fn read(headers: &HeaderMap) -> Self {
        let criterion = |(action, value): &(SelectionAction<'_>, &str)| {
            let action = match action {
                SelectionAction::NotServiceInstance => Action::ServiceInstance,
                SelectionAction::NotServiceSet => Action::ServiceSet,
                SelectionAction::NotNfInstance => Action::NfInstance,
                SelectionAction::NotNfSet => Action::NfSet,
                SelectionAction::Other(_) => return None,
            };
            Some((action, decode(value)?.into_owned()))
        };
        let mut all = Vec::new();
        for value in headers.get_all(SELECTION_INFO) {
            let Ok(info) = SelectionInfo::parse(value.as_bytes()) else { continue };
            all.extend(info.0.iter().map(|element| element.criteria.iter().filter_map(criterion).collect()));
        }
        Self { all }
    }

    /// Whether one is among them. A service instance is named together with its NF instance.
    fn has(&self, producer: &Producer) -> bool {
        let is = |(action, value): &(Action, String)| match action {
            Action::ServiceInstance => producer.service_instance.as_ref() == Some(value),
            Action::ServiceSet => producer.service_sets.contains(value),
            Action::NfInstance => producer.nf_instance.eq_ignore_ascii_case(value),
            Action::NfSet => producer.nf_sets.contains(value),
        };
        self.all.iter().any(|element| {
            let service = element.iter().any(|(action, _)| matches!(action, Action::ServiceInstance));
            if service { element.iter().all(is) } else { element.iter().any(is) }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found() -> Found {
        let service = |id: &str, features: &str| {
            json!({"serviceInstanceId": id, "serviceName": "nudm-sdm", "scheme": "http", "nfServiceStatus": "REGISTERED",
                "versions": [{"apiVersionInUri": "v2"}], "supportedFeatures": features, "nfServiceSetIdList": [format!("set-{id}")]})
        };
        let answer = json!({"nfInstances": [
            {"nfInstanceId": "i", "nfType": "UDM", "nfStatus": "REGISTERED", "fqdn": "i", "nfSetIdList": ["s"],
             "nfServices": [service("1", "1"), service("2", "3")]},
            {"nfInstanceId": "j", "nfType": "UDM", "nfStatus": "REGISTERED", "fqdn": "j", "nfServices": [service("1", "0")]}]});
        Found::new(&serde_json::from_value(answer).unwrap())
    }

    fn select(path: &str, headers: &[(&'static str, &'static str)], query: &Query) -> Result<Vec<String>, Cause> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let factors = Factors::read(&map, path, &[], "SCP", true).unwrap();
        let found = found();
        let name =
            |it: &Arc<Producer>| format!("{}/{}", it.nf_instance, it.service_instance.as_deref().unwrap_or(""));
        match eligible(&found, &factors, query, &[], Some(&map)) {
            Ok(all) => Ok(all.into_iter().map(name).collect()),
            Err(Failure::Problem(problem)) => Err(problem.cause),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn d2_the_version_must_match_the_uri() {
        let all = Ok(["i/1", "i/2", "j/1"].map(str::to_owned).into());
        assert_eq!(select("/nudm-sdm/v2/a", &[], &Query::default()), all);
        assert_eq!(select("/nudm-sdm/v1/a", &[], &Query::default()), Err(Cause::InvalidApi));
        assert_eq!(select("/nudm-uecm/v2/a", &[], &Query::default()), Err(Cause::NfDiscoveryFailure));
    }

    #[test]
    fn d1_the_first_service_name_is_the_requested_one() {
        let header = "3gpp-sbi-discovery-service-names";
        let count = |names| select("/nudm-sdm/v2/a", &[(header, names)], &Query::default()).map(|it| it.len());
        assert_eq!(count("nudm-sdm,nudm-uecm"), Ok(3));
        assert_eq!(count("nudm-uecm,nudm-sdm"), Err(Cause::NfDiscoveryFailure));
    }

    #[test]
    fn d3_required_features() {
        let header = "3gpp-sbi-discovery-required-features";
        let with = |features| select("/nudm-sdm/v2/a", &[(header, features)], &Query::default());
        assert_eq!(with("2"), Ok(vec!["i/2".to_owned()]));
        assert_eq!(with("1,8"), Ok(["i/1", "i/2"].map(str::to_owned).into()));
        assert_eq!(with("4"), Err(Cause::NfDiscoveryFailure));
    }

    #[test]
    fn b2_what_a_step_of_a_plan_wants() {
        let with = |query: &Query| select("/nudm-sdm/v2/a", &[], query).unwrap();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(with(&Query { nf_instance: some("I"), ..Query::default() }), ["i/1", "i/2"]);
        assert_eq!(with(&Query { not_nf_instance: some("i"), ..Query::default() }), ["j/1"]);
        assert_eq!(with(&Query { service_instance: some("2"), ..Query::default() }), ["i/2"]);
        assert_eq!(with(&Query { service_set: some("set-1"), ..Query::default() }), ["i/1", "j/1"]);
        assert_eq!(with(&Query { service_set: some("x"), ..Query::default() }), [""; 0]);
    }

    #[test]
    fn f8_who_is_not_to_be_selected() {
        let header = "3gpp-sbi-selection-info";
        let without = |info| select("/nudm-sdm/v2/a", &[(header, info)], &Query::default()).unwrap();
        assert_eq!(without("not-select-nfset=s"), ["j/1"]);
        assert_eq!(without("reselection=true; not-select-nfinst=j"), ["i/1", "i/2"]);
        assert_eq!(without("not-select-nfservinst=1; not-select-nfinst=i"), ["i/2", "j/1"]);
        assert_eq!(without("not-select-nfserviceset=set-1, not-select-nfserviceset=set-2"), [""; 0]);
        assert_eq!(without("nonsense"), ["i/1", "i/2", "j/1"]);
    }
}
