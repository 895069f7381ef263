//! Whom a binding allows when its URI is not reached, in order (TS 29.500 6.12.1).

use std::borrow::Cow;

use pinion_protocols::sbi::{Binding, BindingLevel, BindingParameter, decode};

use crate::discovery::parameter;
use crate::producer::Query;

use super::Pin;

/// What is asked of discovery, one after the other; nothing where the binding says that nobody else has the resource.
/// `callback`: it leads back to a consumer, of whom only a service that is named is meant (6.12.4).
pub(super) fn of_binding(binding: &Binding<'_>, callback: bool) -> Vec<Query> {
    if binding.no_redundancy {
        return Vec::new();
    }
    let get = |parameter| binding.get(parameter).map(|it| decode(it).unwrap_or(Cow::Borrowed(it)));
    let [instance, set, service_set, service, amf, nf] = [
        BindingParameter::NfInstance,
        BindingParameter::NfSet,
        BindingParameter::ServiceSet,
        BindingParameter::ServiceInstance,
        BindingParameter::BackupAmf,
        BindingParameter::BackupNf,
    ]
    .map(get);
    let [instance, set, service_set, service] = [&instance, &set, &service_set, &service].map(|it| it.as_deref());
    let backups = || [&amf, &nf].into_iter().filter_map(|it| it.as_deref());
    let mut steps = Vec::new();
    let preferred = match binding.level {
        BindingLevel::ServiceInstance => service.and_then(|it| one_service(it, instance, service_set)),
        BindingLevel::ServiceSet => service_set.map(in_service_set),
        BindingLevel::NfInstance => instance.map(in_instance),
        BindingLevel::NfSet => set.map(in_set),
        BindingLevel::Other(_) => None,
    };
    steps.extend(preferred);
    steps.extend(service_set.map(in_service_set));
    steps.extend(instance.map(in_instance));
    steps.extend(
        backups()
            .flat_map(|it| service_set.map(|set| Query { service_set: Some(set.to_owned()), ..in_instance(it) })),
    );
    steps.extend(backups().map(in_instance));
    if let Some(set) = set {
        let others = Query { not_nf_instance: instance.map(str::to_owned), ..in_set(set) };
        steps.extend(service_set.map(|it| Query { service_set: Some(it.to_owned()), ..others.clone() }));
        steps.push(others);
    }
    for step in &mut steps {
        step.factors.extend(
            get(BindingParameter::Service).filter(|_| callback).map(|it| (parameter::SERVICES, it.into_owned())),
        );
    }
    distinct(steps)
}

/// Who has a resource of which there is no binding: the service instance that made it, and, where that declares it, the others
/// of its NF instance and the members of its sets (6.12.1).
pub(super) fn of_declared(pin: &Pin) -> Vec<Query> {
    let instance = pin.nf_instance.as_deref();
    let mut steps = Vec::new();
    steps.extend(pin.service_instance.as_deref().and_then(|it| one_service(it, instance, None)));
    steps.extend(instance.filter(|_| pin.persistent).map(in_instance));
    steps.extend(pin.service_sets.iter().map(|it| in_service_set(it)));
    steps.extend(pin.nf_sets.iter().map(|it| in_set(it)));
    distinct(steps)
}

fn in_instance(instance: &str) -> Query {
    Query { nf_instance: Some(instance.to_owned()), ..by(parameter::INSTANCE, instance) }
}

fn in_set(set: &str) -> Query {
    by(parameter::SET, set)
}

fn in_service_set(set: &str) -> Query {
    Query { service_set: Some(set.to_owned()), ..by(parameter::SERVICE_SET, set) }
}

/// One service instance; nothing where neither an instance nor a set says whose it is.
fn one_service(service: &str, instance: Option<&str>, service_set: Option<&str>) -> Option<Query> {
    let within = instance.map(in_instance).or_else(|| service_set.map(in_service_set))?;
    Some(Query { service_instance: Some(service.to_owned()), ..within })
}

fn by(factor: &'static str, value: &str) -> Query {
    Query { factors: vec![(factor, value.to_owned())], ..Query::default() }
}

fn distinct(steps: Vec<Query>) -> Vec<Query> {
    let mut kept: Vec<Query> = Vec::with_capacity(steps.len());
    for step in steps {
        if !kept.contains(&step) {
            kept.push(step);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use pinion_protocols::sbi::{RoutingBinding, Value as _};

    use super::*;

    fn steps(text: &str) -> Vec<String> {
        let RoutingBinding(binding) = RoutingBinding::parse(text.as_bytes()).unwrap();
        let mut all = Vec::new();
        for step in of_binding(&binding, true) {
            let mut words: Vec<_> = step.factors.iter().map(|(name, value)| format!("{name}={value}")).collect();
            words.extend(step.not_nf_instance.map(|it| format!("not {it}")));
            words.extend(step.service_instance.map(|it| format!("service {it}")));
            let factor = step.factors.first().map(|(name, _)| *name);
            words.extend(
                step.service_set.filter(|_| factor != Some(parameter::SERVICE_SET)).map(|it| format!("like {it}")),
            );
            all.push(words.join(" "));
        }
        all
    }

    /// The list of TS 29.500 6.12.1, all of it.
    #[test]
    fn b2_everything_a_binding_names_is_asked_for_in_order() {
        let service_set = "set1.sndummy.nfi54804518-4191-46b3-955c-ac631f953ed8.5gc.mnc012.mcc345";
        let set = "set1.amfset.5gc.mnc012.mcc345";
        let text = format!(
            "bl=nfservice-instance; nfservinst=s1; nfinst=a; nfserviceset={service_set}; nfset={set}; backupamfinst=b"
        );
        assert_eq!(
            steps(&text),
            [
                "target-nf-instance-id=a service s1".to_owned(),
                format!("target-nf-service-set-id={service_set}"),
                "target-nf-instance-id=a".to_owned(),
                format!("target-nf-instance-id=b like {service_set}"),
                "target-nf-instance-id=b".to_owned(),
                format!("target-nf-set-id={set} not a like {service_set}"),
                format!("target-nf-set-id={set} not a"),
            ]
        );
    }

    #[test]
    fn b2_the_level_is_first_and_no_redundancy_forbids_all() {
        let [level, rest] =
            steps("bl=nf-set; nfset=x; nfinst=a").try_into().map(|[a, b, _]: [String; 3]| [a, b]).unwrap();
        assert_eq!([level, rest], ["target-nf-set-id=x", "target-nf-instance-id=a"]);
        assert!(steps("bl=nf-set; nfset=x; no-redundancy=true").is_empty());
    }

    /// TS 29.500 5.2.3.1: what a token cannot have is percent-encoded.
    #[test]
    fn b1_percent_encoding_is_undone() {
        assert_eq!(
            steps("bl=nfservice-instance; nfservinst=a%2F1; nfinst=i%20j"),
            ["target-nf-instance-id=i j service a/1", "target-nf-instance-id=i j"]
        );
    }

    #[test]
    fn b4_a_service_that_is_named_is_looked_for() {
        assert_eq!(
            steps("bl=nf-instance; nfinst=a; servname=namf-callback"),
            ["target-nf-instance-id=a service-names=namf-callback"]
        );
    }
}
