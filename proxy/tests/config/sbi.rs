//! The SCP: what its section means, and what is wrong with it.

use std::time::Duration;

use pinion::config::model::{Sbi, SbiTls};
use pinion::config::{Host, parse};
use pinion_scp::api_root::ApiRoot;
use pinion_scp::authorization::Policy;
use pinion_scp::discovery::Found;
use pinion_scp::nrf::{NrfSettings, PlmnId, Registration, SearchResult};
use pinion_scp::settings::{
    Identities, Limits, Matching, Overload, Plmn, Redirection, Redirects, Retries, Settings, Targets, Timeouts,
    When,
};

use crate::{config, mistakes, mistakes_here};

const LEAST: &str = "sbi: {fqdn: scp.example, listeners: [{address: 192.0.2.14, port: 7777}]}";

fn sbi(text: &str) -> Sbi {
    config(text).sbi.unwrap()
}

/// The smallest section with more in it.
fn with(more: &str) -> String {
    LEAST.replace("port: 7777}]", &format!("port: 7777}}], {more}"))
}

fn root(text: &str) -> ApiRoot {
    ApiRoot::parse(text).unwrap()
}

#[test]
fn certificates_name_instances_where_they_must() {
    let sbi = sbi(&with(
        "tls: {clients: a.pem, authorities: b.pem, client_instances: told, producer_instances: required, \
         relays: [scp2.example]}",
    ));
    let relays = vec!["scp2.example".to_owned()];
    let expected = Identities { clients: Matching::Told, producers: Matching::Required, relays };
    assert_eq!(sbi.settings.identities, expected);
}

#[test]
fn what_is_left_out() {
    let config = config(LEAST);
    assert!(config.services.is_empty() && !config.steers());
    let sbi = config.sbi.unwrap();
    let authorities = ["scp.example:7777", "192.0.2.14:7777"].map(|it| it.parse().unwrap());
    assert_eq!(sbi.settings, Settings::new("scp.example", authorities.into()));
    assert_eq!((sbi.tls, sbi.dns_servers, sbi.access_log), (None, Vec::new(), None));
}

#[test]
fn listeners_have_the_ports_of_their_schemes() {
    let text = "sbi: {fqdn: scp.example, tls: {certificate: a.pem, key: a.key, clients: b.pem}, authorities: [other:1], \
                listeners: [{address: 192.0.2.14}, {address: '2001:db8::14', tls: true}]}";
    let sbi = sbi(text);
    let sockets: Vec<_> = sbi.listeners.iter().map(|it| (it.socket.to_string(), it.tls)).collect();
    assert_eq!(sockets, [("192.0.2.14:80".to_owned(), false), ("[2001:db8::14]:443".to_owned(), true)]);
    let names: Vec<_> = sbi.settings.identity.authorities.iter().map(http::uri::Authority::as_str).collect();
    let expected = [
        "scp.example:80",
        "192.0.2.14:80",
        "scp.example",
        "192.0.2.14",
        "scp.example:443",
        "[2001:db8::14]:443",
        "[2001:db8::14]",
        "other:1",
    ];
    assert_eq!(names, expected);
    let tls =
        SbiTls { pair: Some(("a.pem".into(), "a.key".into())), authorities: None, clients: Some("b.pem".into()) };
    assert_eq!(sbi.tls, Some(tls));
    let more = self::sbi(&with("access_log: /a/b, dns_servers: ['192.0.2.53:53', '[2001:db8::53]:53']"));
    assert_eq!(more.access_log, Some("/a/b".into()));
    let servers = ["192.0.2.53:53", "[2001:db8::53]:53"].map(|it| it.parse().unwrap());
    assert_eq!(more.dns_servers, servers);
}

#[test]
fn all_that_the_core_goes_by_can_be_said() {
    let settings = sbi(&with(
        "nf_instance_id: 4947A69A-f61b-4bc1-b9da-47c9c5d14b64, prefix: /1/2, plmns: ['001-01'], sepp: 'http://sepp:1', \
         next_hops: [{targets: all, api_root: 'http://a:1'}, {targets: {services: [nudm-sdm]}, api_root: 'http://b:2', delegate: true}], \
         forward_hops: 5, redirects: follow, \
         redirections: [{targets: {plmns: ['310-41']}, api_root: 'http://scp2:1/p', when: draining, permanent: true}], statuses: {msg_loop_detected: 508, max_scp_hops_reached: 500}, \
         timeouts: {connect: 1s, response: 2s, attempt: 1s, names: 3s}, retries: {attempts: 4, budget: 0, probation: 5s, final_answers: true}, \
         limits: {connections: 1, streams: 2, headers: 1024, requests: 3, kept: 4096, pins: 9}, overload: {hot: 90, exempt: 3}",
    ))
    .settings;
    assert_eq!(settings.identity.instance.as_deref(), Some("4947a69a-f61b-4bc1-b9da-47c9c5d14b64"));
    assert_eq!((settings.identity.prefix.as_str(), settings.forward_hops), ("/1/2", Some(5)));
    assert_eq!((settings.plmns[0].mcc.as_str(), settings.plmns[0].mnc.as_str()), ("001", "001"));
    assert_eq!(settings.sepp, Some(root("http://sepp:1")));
    let [first, second] = &settings.next_hops[..] else { panic!("{settings:?}") };
    assert_eq!((&first.targets, first.delegate), (&Targets::All, false));
    assert_eq!((&second.targets, second.delegate), (&Targets::Services(vec!["nudm-sdm".into()]), true));
    assert_eq!(settings.redirects, Redirects::Follow);
    let redirection = Redirection {
        targets: Targets::Plmns(vec![Plmn { mcc: "310".into(), mnc: "041".into() }]),
        api_root: root("http://scp2:1/p"),
        when: When::Draining,
        permanent: true,
    };
    assert_eq!(settings.redirections, [redirection]);
    assert_eq!((settings.statuses.looped.as_u16(), settings.statuses.hops.as_u16()), (508, 500));
    let seconds = Duration::from_secs;
    let timeouts = Timeouts {
        connect: seconds(1),
        response: seconds(2),
        attempt: seconds(1),
        names: seconds(3),
        ..Timeouts::default()
    };
    assert_eq!(settings.timeouts, timeouts);
    assert_eq!(
        settings.retries,
        Retries { attempts: 4, budget: 0, probation: seconds(5), final_answers: true, ..Retries::default() }
    );
    let limits = Limits {
        connections: 1,
        streams: 2,
        headers: 1024,
        requests: 3,
        kept: 4096,
        pins: 9,
        ..Limits::default()
    };
    assert_eq!(settings.limits, limits);
    assert_eq!(settings.overload, Overload { hot: 90, exempt: 3 });
}

#[test]
fn producers_are_where_their_profiles_say() {
    let settings = sbi(&with(
        "tls: {authorities: a.pem}, producers: [{nf_instance_id: 8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b, nf_type: UDM, nf_set_ids: [s1], \
         capacity: 7, nf_services: [{service_name: nudm-sdm, versions: [v1, v2], api_root: 'http://192.0.2.1:8000/x', priority: 3}, \
         {service_name: nudm-uecm, api_root: 'https://udm.example', capacity: 9, service_instance_id: u, nf_service_set_ids: [t]}, \
         {service_name: nudm-ee, api_root: 'http://[2001:db8::1]'}]}]",
    ))
    .settings;
    let answer = SearchResult { nf_instances: settings.discovery.producers, ..SearchResult::default() };
    let found = Found::new(&answer);
    let seen: Vec<_> = found
        .candidates
        .iter()
        .map(|it| (it.producer.api_root.to_string(), it.producer.priority, it.producer.capacity))
        .collect();
    let expected =
        [("http://192.0.2.1:8000/x", 3, 7), ("https://udm.example:443", 0, 9), ("http://[2001:db8::1]:80", 0, 7)];
    assert_eq!(seen, expected.map(|(root, priority, capacity)| (root.to_owned(), priority, capacity)));
    let first = &found.candidates[0];
    assert!(first.has_version("v2") && !first.has_version("v3") && !found.candidates[1].has_version("v2"));
    assert_eq!(first.producer.service_instance.as_deref(), Some("nudm-sdm-1"));
    assert_eq!(found.candidates[1].producer.service_sets, ["t"]);
}

#[test]
fn producers_may_take_notifications_alone() {
    let settings = sbi(&with(
        "producers: [{nf_instance_id: 8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b, nf_type: LMF, nf_service_persistence: true, nf_services: [], \
         default_notification_subscriptions: [{notification_type: N1_MESSAGES, n1_message_class: LPP, versions: [v2], \
         callback_uri: 'http://192.0.2.1/n1?x=1'}, {notification_type: N2_INFORMATION, n2_information_class: NRPPA, callback_uri: 'http://a/b'}]}]",
    ))
    .settings;
    let [profile] = &settings.discovery.producers[..] else { panic!("one producer") };
    assert_eq!(profile.nf_service_persistence, Some(true));
    let expected = serde_json::json!([
        {"notificationType": "N1_MESSAGES", "n1MessageClass": "LPP", "versions": ["v2"], "callbackUri": "http://192.0.2.1/n1?x=1"},
        {"notificationType": "N2_INFORMATION", "n2InformationClass": "NRPPA", "callbackUri": "http://a/b"}
    ]);
    assert_eq!(serde_json::to_value(&profile.default_notification_subscriptions).unwrap(), expected);
}

#[test]
fn the_nrf_is_told_where_it_listens() {
    let settings = sbi(&with(
        "prefix: /p, plmns: ['001-01'], tls: {certificate: a.pem, key: a.key}, nrf: {api_roots: ['http://nrf:1', 'http://nrf:2'], \
         timeout: 1s, named: false, subscription: 1h, registration: {scp_domains: [core], remote_plmns: ['310-410'], capacity: 7}}, \
         discovery: {entries: 5, stale: 1m, requester_nf_type: AMF, locality: here}, authorization: {tokens: never, entries: 3}",
    ))
    .settings;
    let nrf = settings.nrf.unwrap();
    let plmn = |mcc: &str, mnc: &str| PlmnId { mcc: mcc.into(), mnc: mnc.into() };
    let registration = Registration {
        ports: [("http".to_owned(), 7777)].into(),
        addresses: vec![[192, 0, 2, 14].into()],
        domains: vec!["core".into()],
        remote_plmns: vec![plmn("310", "410")],
        plmns: vec![plmn("001", "01")],
        capacity: Some(7),
        ..Registration::default()
    };
    let expected = NrfSettings {
        timeout: Duration::from_secs(1),
        named: false,
        registration: Some(registration),
        notify: Some(root("http://192.0.2.14:7777/p")),
        subscription: Duration::from_secs(3600),
        ..NrfSettings::new(vec![root("http://nrf:1"), root("http://nrf:2")])
    };
    assert_eq!(nrf, expected);
    let discovery = &settings.discovery;
    assert_eq!((discovery.entries, discovery.stale), (5, Duration::from_secs(60)));
    assert_eq!((discovery.requester.as_str(), discovery.locality.as_deref()), ("AMF", Some("here")));
    assert_eq!((settings.authorization.tokens, settings.authorization.entries), (Policy::Never, 3));
}

/// Over TLS an SCP is known by its name (TS 29.500 6.10.1).
#[test]
fn the_nrf_tells_at_the_first_listener() {
    let told = |listener: &str| {
        let tls = "tls: {certificate: a.pem, key: a.key}, nrf: {api_roots: ['http://nrf']}";
        let text = format!("sbi: {{fqdn: scp.example, prefix: /p, listeners: [{{{listener}}}], {tls}}}");
        sbi(&text).settings.nrf.unwrap().notify.unwrap().to_string()
    };
    assert_eq!(told("address: '2001:db8::14', port: 7777"), "http://[2001:db8::14]:7777/p");
    assert_eq!(told("address: 192.0.2.14, tls: true"), "https://scp.example:443/p");
}

#[test]
fn mistakes_are_named() {
    let cases = [
        ("prefix: scp", "scp is no prefix of paths; give one that begins with `/`"),
        ("nf_instance_id: scp-1", "scp-1 is no NF instance; give a UUID"),
        ("sepp: '192.0.2.1:8000'", "is no apiRoot; give one such as http://192.0.2.61:8000"),
        ("sepp: 'https://sepp'", "https://sepp is met by TLS"),
        (
            "producers: [{nf_instance_id: 8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b, nf_type: UDM, nf_services: []}]",
            "serves nothing",
        ),
        (
            "producers: [{nf_instance_id: 8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b, nf_type: UDM, nf_services: [], \
             default_notification_subscriptions: [{notification_type: A, callback_uri: /a}]}]",
            "/a is no callback URI; give one such as http://192.0.2.61:8000/callbacks/n1",
        ),
        ("nrf: {api_roots: []}", "no NRF; give the apiRoot of one at least"),
        ("nrf: {api_roots: ['https://nrf']}", "https://nrf is met by TLS"),
        (
            "nrf: {api_roots: ['http://nrf'], registration: {capacity: 65536}}",
            "65536 is no number; give one from 0 to 65535",
        ),
        ("discovery: {requester_nf_type: amf}", "amf is no NF type"),
        ("authorization: {tokens: no}", "is no choice of access tokens"),
        ("overload: {hot: 0}", "give 1 to 100"),
        ("overload: {exempt: 32}", "32 is no priority of messages"),
        ("plmns: ['00101']", "00101 is no PLMN; give MCC and MNC"),
        ("next_hops: [{targets: some, api_root: 'http://a'}]", "some is no choice of targets"),
        ("next_hops: [{targets: {}, api_root: 'http://a'}]", "give one of them"),
        (
            "redirections: [{targets: {domain: a.example, plmns: ['001-01']}, api_root: 'http://a'}]",
            "give one of them",
        ),
        (
            "redirections: [{targets: all, api_root: 'http://scp.example:7777'}]",
            "http://scp.example:7777 is this SCP itself; give another",
        ),
        (
            "authorities: [scp.example], redirections: [{targets: all, api_root: 'http://SCP.example:80'}]",
            "http://SCP.example:80 is this SCP itself; give another",
        ),
        ("redirections: [{targets: all, api_root: 'http://a', when: never}]", "never is no time of redirections"),
        ("forward_hops: 100", "100 is no number of SCPs; give one from 0 to 99"),
        ("statuses: {msg_loop_detected: 200}", "200 is no status; give one from 400 to 599"),
        ("timeouts: {connect: 25h}", "`connect` of 25h is out of range"),
        ("timeouts: {ping: 59s}", "`ping` of 59s is out of range; give 1m to 24h"),
        ("timeouts: {attempt: 20s}", "`attempt` of 20s is more than `response` of 15s"),
        ("limits: {stream_window: 1048576, connection_window: 65536}", "`stream_window` of 1048576 is more than"),
        ("tls: {certificate: a.pem}", "`certificate` without its `key`"),
        (
            "tls: {client_instances: some}",
            "some is no choice of what certificates must name; give off, told or required",
        ),
        ("tls: {client_instances: told}", "that nobody shows; give `clients`"),
        ("tls: {producer_instances: required}", "that nobody shows; give `authorities`"),
        (
            "tls: {clients: a.pem, client_instances: required}",
            "nobody shows a certificate at 192.0.2.14:7777; give it `tls: true`, or leave it out",
        ),
        ("limit: {}", "unknown key `limit`; did you mean `limits`?"),
    ];
    for (more, expected) in cases {
        let said = mistakes(&with(more));
        assert!(said.len() == 1 && said[0].contains(expected), "{more}: {said:?}");
    }
    let twice = LEAST.replace("]}", ", {address: 192.0.2.14, port: 7777}]}");
    assert!(mistakes(&twice)[0].contains("192.0.2.14:7777 is already at line 1"), "{:?}", mistakes(&twice));
    let none = "sbi: {fqdn: scp.example, listeners: []}";
    assert!(mistakes(none)[0].contains("no listener; give one at least"));
    let secret = LEAST.replace("7777", "7777, tls: true");
    assert!(mistakes(&secret)[0].contains("there is no certificate"));
    let steered = format!(
        "{LEAST}\nservices: [{{name: udm, protocol: tcp, port: 7777, addresses: [192.0.2.14], endpoints: [{{name: a, \
         addresses: [10.0.0.1]}}]}}]"
    );
    assert!(mistakes(&steered)[0].contains("192.0.2.14:7777 is service udm's"), "{:?}", mistakes(&steered));
}

#[test]
fn one_of_services_and_sbi_is_needed() {
    assert!(mistakes("metrics: 127.0.0.1:9090")[0].contains("neither `services` nor `sbi`"));
    let host = Host { addresses: vec!["198.51.100.1".parse().unwrap()], ..Host::default() };
    assert_eq!(mistakes_here(LEAST, &host), [""; 0]);
    let warnings = parse(LEAST.as_bytes(), &host).unwrap().warnings;
    assert!(warnings[0].what().contains("192.0.2.14 is no address of this host"), "{warnings:?}");
}
