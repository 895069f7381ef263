//! Producers beside those that the NRF knows: their profiles (TS 29.510 6.1.6.2.2).

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use pinion_scp::api_root::Transport;
use pinion_scp::nrf::{self, IpEndPoint, NfProfile, REGISTERED, ServiceVersion};

use super::nrf::{labels, rank};
use crate::config::mistake::{Place, Wrong};
use crate::config::read::Field;
use crate::config::scalar::sbi::Label;
use crate::config::written::{DefaultSubscription, NfService, Producer, Sbi};

/// What the producers mean: each NF instance once, each serving something.
pub(super) fn model(sbi: &Sbi, wrong: &mut Wrong) -> Vec<NfProfile> {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for (at, instance) in sbi.producers.values().filter_map(|producer| producer.nf_instance_id.given()) {
        if let Some(other) = seen.insert(&instance.0, at) {
            let what = format!("NF instance {} is already at line {}; give each its own", instance.0, other.line);
            wrong.mistake(at, what);
        }
    }
    sbi.producers.values().map(|producer| one(producer, wrong)).collect()
}

fn one(producer: &Producer, wrong: &mut Wrong) -> NfProfile {
    if let Some((at, services)) = producer.nf_services.given()
        && services.0.is_empty()
        && producer.default_notification_subscriptions.values().next().is_none()
    {
        wrong.mistake(at, "a producer that serves nothing; give one service, or subscription, at least");
    }
    let mut seen = HashSet::new();
    for (at, instance) in producer.nf_services.values().filter_map(|service| service.service_instance_id.given()) {
        if !seen.insert(&instance.0) {
            wrong.mistake(at, format!("service instance {} is already there; give each its own", instance.0));
        }
    }
    NfProfile {
        nf_instance_id: producer.nf_instance_id.value.as_ref().map(|it| it.0.clone()).unwrap_or_default(),
        nf_type: producer.nf_type.value.as_ref().map(|it| it.0.clone()).unwrap_or_default(),
        nf_status: REGISTERED.to_owned(),
        nf_set_id_list: labels(&producer.nf_set_ids),
        nf_service_persistence: producer.nf_service_persistence.value.as_ref().map(|it| it.0),
        default_notification_subscriptions: producer
            .default_notification_subscriptions
            .values()
            .filter_map(subscription)
            .collect(),
        locality: producer.locality.value.as_ref().map(|label| label.0.clone()),
        priority: rank(&producer.priority),
        capacity: rank(&producer.capacity),
        nf_services: (1..).zip(producer.nf_services.values()).filter_map(serves).collect(),
        ..NfProfile::default()
    }
}

/// `None` only after a mistake.
fn subscription(given: &DefaultSubscription) -> Option<nrf::DefaultSubscription> {
    let label = |field: &Field<Label>| field.value.as_ref().map(|label| label.0.clone());
    Some(nrf::DefaultSubscription {
        notification_type: given.notification_type.value.as_ref()?.0.clone(),
        callback_uri: given.callback_uri.value.as_ref()?.0.clone(),
        n1_message_class: label(&given.n1_message_class),
        n2_information_class: label(&given.n2_information_class),
        versions: given.versions.values().map(|version| version.0.clone()).collect(),
        ..nrf::DefaultSubscription::default()
    })
}

/// `None` only after a mistake.
fn serves((number, service): (usize, &NfService)) -> Option<nrf::NfService> {
    let name = service.service_name.value.as_ref()?.0.clone();
    let root = super::root(&service.api_root)?;
    let (transport, host) = (root.transport, root.host());
    let address: Option<IpAddr> = host.parse().ok();
    let port = Some(root.port());
    let place = match address {
        Some(IpAddr::V4(v4)) => IpEndPoint { ipv4_address: Some(v4), port, ..IpEndPoint::default() },
        Some(IpAddr::V6(v6)) => IpEndPoint { ipv6_address: Some(v6), port, ..IpEndPoint::default() },
        None => IpEndPoint { port, ..IpEndPoint::default() },
    };
    let versions: Vec<&str> = service.versions.values().map(|version| version.0.as_str()).collect();
    let versions = if versions.is_empty() { vec!["v1"] } else { versions };
    let version =
        |version: &str| ServiceVersion { api_version_in_uri: version.to_owned(), ..ServiceVersion::default() };
    let prefix = root.prefix().to_owned();
    // TLS is met by name, and by an address where there is no name.
    let by_name = address.is_none() || transport == Transport::Tls;
    let instance = service.service_instance_id.value.as_ref();
    Some(nrf::NfService {
        service_instance_id: instance.map_or_else(|| format!("{name}-{number}"), |label| label.0.clone()),
        versions: versions.into_iter().map(version).collect(),
        scheme: transport.scheme().to_owned(),
        nf_service_status: REGISTERED.to_owned(),
        fqdn: by_name.then(|| root.authority.host().to_owned()),
        ip_end_points: vec![place],
        api_prefix: (!prefix.is_empty()).then_some(prefix),
        priority: rank(&service.priority),
        capacity: rank(&service.capacity),
        nf_service_set_id_list: labels(&service.nf_service_set_ids),
        service_name: name,
        ..nrf::NfService::default()
    })
}
