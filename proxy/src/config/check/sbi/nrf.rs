//! The NRF, what is asked of it, and what it is told.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use pinion_scp::api_root::ApiRoot;
use pinion_scp::nrf::{self, NrfSettings, PlmnId};
use pinion_scp::settings::Settings;

use super::bounds::{TIMES, set};
use super::transport;
use crate::config::check::span;
use crate::config::mistake::Wrong;
use crate::config::model::{SbiListener, SbiTokens};
use crate::config::read::{Field, List};
use crate::config::scalar::Span;
use crate::config::scalar::sbi::{Label, Network, Rank};
use crate::config::written::{Nrf, Registration, Sbi};

const SUBSCRIPTIONS: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(168 * 3600);

/// Puts it into the settings.
pub(super) fn into(sbi: &Sbi, listeners: &[SbiListener], settings: &mut Settings, wrong: &mut Wrong) {
    settings.nrf = sbi.nrf.value.as_ref().map(|nrf| meaning(nrf, sbi, listeners, wrong));
    if let Some(given) = &sbi.discovery.value {
        let discovery = &mut settings.discovery;
        set(&mut discovery.entries, &given.entries);
        let mut time = |name: &str, time: &mut Duration, field: &Field<Span>| {
            *time = span(name, field, *time, TIMES, wrong);
        };
        time("validity", &mut discovery.validity, &given.validity);
        time("stale", &mut discovery.stale, &given.stale);
        time("patience", &mut discovery.patience, &given.patience);
        time("pause", &mut discovery.pause, &given.pause);
        if let Some(requester) = &given.requester_nf_type.value {
            discovery.requester.clone_from(&requester.0);
        }
        discovery.locality = given.locality.value.as_ref().map(|label| label.0.clone());
    }
    if let Some(given) = &sbi.authorization.value {
        let authorization = &mut settings.authorization;
        authorization.tokens = given.tokens.or(SbiTokens::default()).into();
        authorization.returned = given.returned.value.as_ref().map_or(authorization.returned, |it| it.0);
        set(&mut authorization.entries, &given.entries);
    }
}

fn meaning(nrf: &Nrf, sbi: &Sbi, listeners: &[SbiListener], wrong: &mut Wrong) -> NrfSettings {
    if let Some((at, roots)) = nrf.api_roots.given()
        && roots.0.is_empty()
    {
        wrong.mistake(at, "no NRF; give the apiRoot of one at least");
    }
    let usual = NrfSettings::new(nrf.api_roots.values().map(|root| root.0.clone()).collect());
    NrfSettings {
        timeout: span("timeout", &nrf.timeout, usual.timeout, TIMES, wrong),
        named: nrf.named.value.as_ref().map_or(usual.named, |it| it.0),
        registration: nrf.registration.value.as_ref().map(|it| registration(it, sbi, listeners)),
        notify: super::root(&nrf.notify).or_else(|| own(sbi, listeners)),
        subscription: span("subscription", &nrf.subscription, usual.subscription, SUBSCRIPTIONS, wrong),
        ..usual
    }
}

/// Where the first listener is: over TLS by the SCP's name (TS 29.500 6.10.1).
fn own(sbi: &Sbi, listeners: &[SbiListener]) -> Option<ApiRoot> {
    let SbiListener { socket, tls } = listeners.first()?;
    let prefix = sbi.prefix.value.as_ref().map(|prefix| prefix.0.as_str()).unwrap_or_default();
    let place = match tls {
        true => format!("{}:{}", sbi.fqdn.value.as_ref()?.0, socket.port()),
        false => socket.to_string(),
    };
    ApiRoot::parse(&format!("{}://{place}{prefix}", transport(*tls).scheme())).ok()
}

fn registration(given: &Registration, sbi: &Sbi, listeners: &[SbiListener]) -> nrf::Registration {
    let mut addresses: Vec<_> = listeners.iter().map(|listener| listener.socket.ip()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let ports = listeners.iter().rev().map(|it| (transport(it.tls).scheme().to_owned(), it.socket.port()));
    nrf::Registration {
        instance: String::new(),
        // Of several of a scheme, the first.
        ports: ports.collect::<BTreeMap<_, _>>(),
        addresses,
        domains: labels(&given.scp_domains),
        address_domains: given.address_domains.values().map(|fqdn| fqdn.0.clone()).collect(),
        served_sets: labels(&given.served_nf_set_ids),
        remote_plmns: networks(&given.remote_plmns),
        plmns: networks(&sbi.plmns),
        locality: given.locality.value.as_ref().map(|label| label.0.clone()),
        priority: rank(&given.priority),
        capacity: rank(&given.capacity),
    }
}

pub(super) fn rank(field: &Field<Rank>) -> Option<u16> {
    field.value.as_ref().map(|rank| rank.0)
}

pub(super) fn labels(field: &Field<List<Label>>) -> Vec<String> {
    field.values().map(|label| label.0.clone()).collect()
}

fn networks(field: &Field<List<Network>>) -> Vec<PlmnId> {
    field.values().map(|network| network.0.clone()).collect()
}
