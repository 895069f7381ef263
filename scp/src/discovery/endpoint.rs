//! Where a service instance is (TS 29.510 6.1.6.2.3, TS 29.501 4.4.1).

use std::net::IpAddr;

use crate::api_root::ApiRoot;
use crate::nrf::{IpEndPoint, NfProfile, NfService};

/// The API root of a service instance; none where its profile does not say where it is. TLS needs a name; in cleartext an
/// address is as good, and needs no look-up. What the service says goes before what its NF instance does.
pub(super) fn api_root(profile: &NfProfile, service: &NfService) -> Option<ApiRoot> {
    let address = |point: &IpEndPoint| {
        point
            .ipv4_address
            .map(IpAddr::V4)
            .or(point.ipv6_address.map(IpAddr::V6))
            .map(|address| (address, point.port))
    };
    let point = service.ip_end_points.iter().find_map(address);
    let port = point.map_or_else(|| service.ip_end_points.first().and_then(|point| point.port), |(_, port)| port);
    let named = [&service.fqdn, &profile.fqdn].into_iter().flatten().next();
    let addressed = point.map(|(address, _)| address).or_else(|| own_address(profile)).map(host);
    let host = if service.scheme.eq_ignore_ascii_case("https") {
        named.cloned().or(addressed)
    } else if point.is_none() && service.fqdn.is_some() {
        named.cloned()
    } else {
        addressed.or_else(|| named.cloned())
    }?;
    root(&service.scheme, &host, port, service.api_prefix.as_deref().unwrap_or_default())
}

/// Where an NF instance itself is: at its own address, and where a service of it is there too, at that one's port.
pub(super) fn of_instance(profile: &NfProfile) -> Option<ApiRoot> {
    let services: Vec<ApiRoot> = profile.services().filter_map(|service| api_root(profile, service)).collect();
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
        api_root(&profile, &service).map(|root| root.to_string())
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
