//! The way to a target: straight, through another SCP, or through the SEPP to another network (TS 29.500 6.10.2.4, 6.1.4.3.3).

use crate::api_root::ApiRoot;
use crate::call::Call;
use crate::failure::Failure;
use crate::producer::{Hop, Target};
use crate::settings::{Plmn, Settings, Targets};

/// Replaces a producer that is not reached straight by the next hop to it.
///
/// # Errors
/// None; as a layer wants it.
pub fn route(call: &mut Call) -> Result<(), Failure> {
    let settings = &call.context.origin.prepared.settings;
    if let Some(target) = &mut call.target
        && target.hop == Hop::Producer
        && let Some((hop, next)) = next(settings, target)
    {
        target.onward = Some(std::mem::replace(&mut target.api_root, next.clone()));
        target.hop = hop;
    }
    Ok(())
}

fn next<'a>(settings: &'a Settings, target: &Target) -> Option<(Hop, &'a ApiRoot)> {
    if settings.sepp.is_none() && settings.next_hops.is_empty() {
        return None;
    }
    let host = target.api_root.host();
    if let Some(sepp) = &settings.sepp
        && let Some(plmn) = plmn(host)
        && !settings.plmns.is_empty()
        && !settings.plmns.contains(&plmn)
    {
        return Some((Hop::Sepp, sepp));
    }
    let service = target.producer.as_ref().map(|it| it.service.as_str());
    let next = settings.next_hops.iter().find(|next| match &next.targets {
        Targets::All => true,
        Targets::Domain(domain) => within(host, domain),
        Targets::Services(services) => services.iter().any(|it| Some(it.as_str()) == service),
        Targets::Plmns(plmns) => plmn(host).is_some_and(|it| plmns.contains(&it)),
    })?;
    Some((Hop::Scp, &next.api_root))
}

/// Whether a host is of a domain, or is its name.
pub(crate) fn within(host: &str, domain: &str) -> bool {
    let [host, domain] = [host, domain].map(relative);
    let Some(at) = host.len().checked_sub(domain.len()) else { return false };
    host.get(at..).is_some_and(|it| it.eq_ignore_ascii_case(domain))
        && (at == 0 || host.get(..at).is_some_and(|it| it.ends_with('.')))
}

/// A name without the root of all names, which may be written behind it (RFC 1034 3.1).
fn relative(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// The network of a name, `...mnc<MNC>.mcc<MCC>.3gppnetwork.org` (TS 23.003 28.2).
pub(crate) fn plmn(host: &str) -> Option<Plmn> {
    let host = relative(host).to_ascii_lowercase();
    let mut labels = host.strip_suffix(".3gppnetwork.org")?.rsplit('.');
    let digits = |label: &str, kind: &str| {
        label
            .strip_prefix(kind)
            .filter(|it| it.len() == 3 && it.bytes().all(|it| it.is_ascii_digit()))
            .map(str::to_owned)
    };
    let mcc = digits(labels.next()?, "mcc")?;
    let mnc = digits(labels.next()?, "mnc")?;
    Some(Plmn { mcc, mnc })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_read_from_a_name() {
        let of = |host| plmn(host).map(|it| (it.mcc, it.mnc));
        assert_eq!(of("udm1.5gc.mnc012.mcc345.3gppnetwork.org"), Some(("345".to_owned(), "012".to_owned())));
        assert_eq!(of("UDM.5GC.MNC012.MCC345.3GPPNETWORK.ORG"), Some(("345".to_owned(), "012".to_owned())));
        assert_eq!(of("mnc012.mcc345.3gppnetwork.org.example"), None);
        assert_eq!(of("udm.5gc.mnc12.mcc345.3gppnetwork.org"), None);
        assert_eq!(of("10.0.0.1"), None);
        // The root of all names may be written (RFC 1034 3.1).
        assert_eq!(of("udm.5gc.mnc012.mcc345.3gppnetwork.org."), Some(("345".to_owned(), "012".to_owned())));
        assert_eq!(of("udm.5gc.mnc012.mcc345.3gppnetwork.org.."), None);
    }

    #[test]
    fn domains_end_at_labels() {
        assert!(within("a.Example.org", "example.org"));
        assert!(within("example.org", "example.org"));
        assert!(within("a.example.org.", "example.org") && within("a.example.org", "example.org."));
        assert!(!within("badexample.org", "example.org"));
        assert!(!within("org", "example.org"));
    }
}
