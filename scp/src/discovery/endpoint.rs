//! Where a service instance is (TS 29.510 6.1.6.2.3, TS 29.501 4.4.1).

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::api_root::ApiRoot;
use crate::nrf::{NfProfile, NfService};

/// The API roots of a service instance, one for each of its end points; none where its profile does not say where it is. TLS
/// needs a name; in cleartext an address is as good, and needs no look-up. What the service says goes before what its NF
/// instance does; IPv6 is used where there is no IPv4.
pub(super) fn api_roots(profile: &NfProfile, service: &NfService) -> Vec<ApiRoot> {
    let port = service.ip_end_points.first().and_then(|point| point.port);
    let named = service.fqdn.clone().or_else(|| profile.fqdn.clone());
    let elsewhere = |own: Option<String>| own.map(|host| (host, port)).into_iter().collect::<Vec<_>>();
    let addressed = addressed(service);
    let at = match named {
        Some(name) if service.scheme.eq_ignore_ascii_case("https") => {
            let ports = service.ip_end_points.iter().map(|point| point.port).collect::<BTreeSet<_>>();
            if ports.is_empty() {
                vec![(name, None)]
            } else {
                ports.into_iter().map(|port| (name.clone(), port)).collect()
            }
        }
        _ if !addressed.is_empty() => addressed,
        Some(name) if service.fqdn.is_some() => elsewhere(Some(name)),
        named => elsewhere(own_address(profile).map(host).or(named)),
    };
    let prefix = service.api_prefix.as_deref().unwrap_or_default();
    at.into_iter().filter_map(|(host, port)| root(&service.scheme, &host, port, prefix)).collect()
}

/// End points with an address, those of IPv4 where there are any.
fn addressed(service: &NfService) -> Vec<(String, Option<u16>)> {
    let points = &service.ip_end_points;
    let v4 = points.iter().filter_map(|point| Some((host(point.ipv4_address?.into()), point.port)));
    let v4: BTreeSet<_> = v4.collect();
    let v6 = points.iter().filter_map(|point| Some((host(point.ipv6_address?.into()), point.port)));
    if v4.is_empty() { v6.collect::<BTreeSet<_>>().into_iter().collect() } else { v4.into_iter().collect() }
}

/// Where an NF instance itself is: at its own address, and where a service of it is there too, at that one's port.
pub(super) fn of_instance(profile: &NfProfile) -> Option<ApiRoot> {
    let services: Vec<ApiRoot> = profile.services().flat_map(|service| api_roots(profile, service)).collect();
    let own = own_address(profile).map(host);
    let hosts: Vec<&str> = own.iter().chain(&profile.fqdn).map(String::as_str).collect();
    let at_own = |root: &&ApiRoot| hosts.is_empty() || hosts.contains(&root.authority.host());
    if let Some(root) = services.iter().find(at_own) {
        return Some(ApiRoot::new(root.transport, root.authority.clone()));
    }
    let scheme = services.first().map_or("https", |root| root.transport.scheme());
    let named = profile.fqdn.clone();
    let at = if scheme == "https" { named.or(own) } else { own.or(named) };
    root(scheme, &at?, None, "")
}

fn own_address(profile: &NfProfile) -> Option<IpAddr> {
    let first = profile.ipv4_addresses.first().copied().map(IpAddr::V4);
    first.or_else(|| profile.ipv6_addresses.first().copied().map(IpAddr::V6))
}

fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn root(scheme: &str, host: &str, port: Option<u16>, prefix: &str) -> Option<ApiRoot> {
    let scheme = scheme.to_ascii_lowercase();
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let slash = if prefix.is_empty() || prefix.starts_with('/') { "" } else { "/" };
    ApiRoot::parse(&format!("{scheme}://{host}{port}{slash}{prefix}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b4_where_an_nf_instance_itself_is() {
        let service = |at: &str| {
            format!(
                r#""nfServices":[{{"serviceInstanceId":"1","serviceName":"a","scheme":"http","nfServiceStatus":"REGISTERED",
                "apiPrefix":"/x","ipEndPoints":[{at}]}}]"#
            )
        };
        let here = r#"{"ipv4Address":"192.0.2.1","port":7777}"#;
        for (own, service, root) in [
            (r#""ipv4Addresses":["192.0.2.1"]"#, service(here), Some("http://192.0.2.1:7777")),
            (r#""ipv4Addresses":["192.0.2.2"]"#, service(here), Some("http://192.0.2.2")),
            (r#""locality":"x""#, service(here), Some("http://192.0.2.1:7777")),
            (
                r#""fqdn":"nf.example","ipv4Addresses":["192.0.2.2"]"#,
                r#""nfServices":[]"#.to_owned(),
                Some("https://nf.example"),
            ),
            (r#""locality":"x""#, r#""nfServices":[]"#.to_owned(), None),
        ] {
            let text = format!(r#"{{"nfInstanceId":"","nfType":"","nfStatus":"",{own},{service}}}"#);
            let profile = serde_json::from_str(&text).unwrap();
            assert_eq!(of_instance(&profile).map(|root| root.to_string()).as_deref(), root, "{text}");
        }
    }

    fn at(profile: &str, service: &str) -> Option<String> {
        let parsed =
            |text: &str, more: &str| format!("{{{text}{}{more}}}", if text.is_empty() { "" } else { "," });
        let profile = parsed(profile, r#""nfInstanceId":"","nfType":"","nfStatus":"""#);
        let service = parsed(service, r#""serviceInstanceId":"","serviceName":"","nfServiceStatus":"""#);
        let (profile, service) =
            (serde_json::from_str(&profile).unwrap(), serde_json::from_str(&service).unwrap());
        let roots: Vec<_> = api_roots(&profile, &service).iter().map(ToString::to_string).collect();
        (!roots.is_empty()).then(|| roots.join(" "))
    }

    #[test]
    fn where_a_service_is() {
        let own = r#""fqdn":"nf.example","ipv4Addresses":["192.0.2.9"]"#;
        for (profile, service, root) in [
            (
                own,
                r#""scheme":"https","fqdn":"s.example","ipEndPoints":[{"ipv4Address":"192.0.2.1","port":8443}]"#,
                Some("https://s.example:8443"),
            ),
            (
                own,
                r#""scheme":"http","fqdn":"s.example","ipEndPoints":[{"ipv4Address":"192.0.2.1","port":8080}],"apiPrefix":"a/b""#,
                Some("http://192.0.2.1:8080/a/b"),
            ),
            (
                own,
                r#""scheme":"http","ipEndPoints":[{"ipv4Address":"192.0.2.2"},{"ipv4Address":"192.0.2.1","port":81},{"ipv6Address":"2001:db8::1"}]"#,
                Some("http://192.0.2.1:81 http://192.0.2.2"),
            ),
            (
                own,
                r#""scheme":"https","ipEndPoints":[{"ipv4Address":"192.0.2.2","port":443},{"ipv4Address":"192.0.2.1","port":8443}]"#,
                Some("https://nf.example:443 https://nf.example:8443"),
            ),
            (
                own,
                r#""scheme":"http","ipEndPoints":[{"ipv6Address":"2001:db8::1"}],"apiPrefix":"/a""#,
                Some("http://[2001:db8::1]/a"),
            ),
            (
                own,
                r#""scheme":"http","fqdn":"s.example","ipEndPoints":[{"port":81}]"#,
                Some("http://s.example:81"),
            ),
            (own, r#""scheme":"http""#, Some("http://192.0.2.9")),
            (own, r#""scheme":"https""#, Some("https://nf.example")),
            (r#""ipv6Addresses":["2001:db8::2"]"#, r#""scheme":"https""#, Some("https://[2001:db8::2]")),
            ("", r#""scheme":"http""#, None),
            (own, r#""scheme":"ftp""#, None),
            ("", r#""scheme":"http","fqdn":"a b""#, None),
        ] {
            assert_eq!(at(profile, service).as_deref(), root, "{service}");
        }
    }
}
