//! Every header: what is printed is read again as the same, and no bytes make a parser panic.

use std::string::ToString;
use std::vec::Vec;

use super::*;

/// A value of each header that has much to it.
const WHOLE: &[(Header, &str)] = &[
    (Header::AccessScope, "nhss-ims-uecm nhss-ims-uecm:authorize:invoke"),
    (Header::AccessToken, "Bearer mF_9.B5f-4.1JqM=="),
    (Header::AlternateChfId, "nfinst=54804518-4191-46b3-955c-ac631f953ed8; primary"),
    (Header::Authorization, "Digest a=\"b\\\"c\", d=e"),
    (
        Header::Binding,
        "bl=nf-instance; nfinst=a; servname=b; new=\"c;d\"; scope=callback; recoverytime=\"Tue, 04 Feb 2020 08:49:37 GMT\"; nr=https://a/b,c; group=true; guami=%7B%7D; no-redundancy=true, bl=nf-set; nfset=s; nr=\"a:;b\"",
    ),
    (Header::Callback, "Nudm_SDM_Notification; apiversion=2"),
    (Header::ClientCredentials, "eyJ0eXAi.eyJpc3Mi.dBjftJeZ"),
    (
        Header::ConsumerInfo,
        "service=a-b; apiversion=(1 2); supportedfeatures=0f; acceptencoding=\"gzip;q=0.5, br\"; callback-uri-prefix=\"/a\"; intraPlmnCallbackRoot=\"http://a\"; x=y, service=c; apiversion=()",
    ),
    (Header::CorrelationInfo, "imsi-345012123123123; impu-sip%3Aa@b"),
    (Header::InterplmnPurpose, "ROAMING: abc"),
    (
        Header::Lci,
        "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Load-Metric: 25%; NF-Service-Instance: a; NF-Inst: 54804518-4191-46b3-955c-ac631f953ed8; S-NSSAI: %7B%7D & {}; DNN: d & e; Relative-Capacity: 20%, Timestamp: \"4 Feb 2020 08:49 EST\"; Load-Metric: 1%; SCP-FQDN: s",
    ),
    (Header::MaxForwardHops, "10; nodetype=scp"),
    (Header::MaxRspTime, "10000"),
    (Header::MessagePriority, "10"),
    (Header::NfPeerInfo, "srcinst=a; dstscp=b; new=c"),
    (Header::NotifAcceptedEncoding, "gzip;q=1.0, identity; q=0.5, *;q=0"),
    (
        Header::NrfUri,
        "nnrf-disc: \"https://a/v1/\"; oauth2-requested-services: nnrf-disc & nnrf-nfm; new: \"a;b\"",
    ),
    (Header::NrfUriCallback, "nnrf-nfm: \"https://a/v1/\""),
    (
        Header::Oci,
        "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Period-of-Validity: 75s; Overload-Reduction-Metric: 50%; Callback-Uri: https://a/1 & \"https://b/2;3\"; new: x",
    ),
    (Header::OriginatingNetworkId, "123-45-000007ed9d5; src: SEPP-sepp.example"),
    (Header::OtherAccessScopes, "nudm-ee nudm-pp"),
    (Header::ProducerId, "nfinst=54804518-4191-46b3-955c-ac631f953ed8; nfservinst=a; nfset=b; nfserviceset=c"),
    (Header::RequestInfo, "retrans=true; idempotency-key=a; new=\"b\""),
    (Header::ResponseInfo, "request-retransmitted=false; no-retry=true; nfinst=a"),
    (Header::RetryInfo, "no-retries"),
    (Header::RoutingBinding, "bl=nfservice-set; nfservset=a; backupnfinst=b"),
    (Header::SelectionInfo, "reselection=true; not-select-nfset=a, not-select-nfinst=b"),
    (Header::SenderTimestamp, "Sun, 04 Aug 2019 08:49:37.845 GMT"),
    (Header::Server, "SCP-scp1.operator.com"),
    (Header::SourceNfClientCredentials, "a.b.c"),
    (Header::TargetApiRoot, "https://[2001:db8::1]:8443/a/b/c"),
    (Header::TargetNfGroupId, "nfgid=\"group1\""),
    (Header::TargetNfId, "nfinst=54804518-4191-46b3-955c-ac631f953ed8; nfservinst=xyz"),
    (Header::UserAgent, "UDM-54804518 udm1.example"),
];

macro_rules! headers {
    ($($name:ident $(<$lifetime:lifetime>)?)*) => {
        /// Parses bytes as a header's value; whether they are one.
        fn parse(header: Header, bytes: &[u8]) -> bool {
            match header {
                $(<$name $(<$lifetime>)? as Value<'_>>::HEADER => {
                    let Ok(value) = $name::parse(bytes) else { return false };
                    let printed = value.to_string();
                    assert_eq!($name::parse(printed.as_bytes()).as_ref(), Ok(&value), "{header}: {printed}");
                    true
                })*
                _ => false,
            }
        }
    };
}

headers! {
    AccessScope<'_> AccessToken<'_> AlternateChfId<'_> ApiRoot<'_> Bindings<'_> Callback<'_> ClientCredentials<'_>
    ConsumerInfo<'_> CorrelationInfo<'_> Credentials<'_> InterplmnPurpose<'_> Lci<'_> MaxForwardHops<'_>
    MaxResponseTime MessagePriority NotifAcceptedEncoding<'_> NrfUri<'_> NrfUriCallback<'_> Oci<'_>
    OriginatingNetworkId<'_> OtherAccessScopes<'_> PeerInfo<'_> ProducerId<'_> RequestInfo<'_> ResponseInfo<'_>
    RetryInfo<'_> RoutingBinding<'_> SelectionInfo<'_> SenderTimestamp Server<'_> SourceCredentials<'_>
    TargetNfGroupId<'_> TargetNfId<'_> UserAgent<'_>
}

#[test]
fn whole_values_come_back() {
    for (header, text) in WHOLE {
        assert!(parse(*header, text.as_bytes()), "{header}: {text}");
    }
    let missing: Vec<_> = Header::ALL
        .iter()
        .filter(|header| **header != Header::Discovery && !WHOLE.iter().any(|(there, _)| there == *header))
        .collect();
    assert_eq!(missing, [&Header::Discovery; 0]);
}

#[test]
fn any_bytes() {
    bolero::check!().for_each(|bytes: &[u8]| {
        for header in Header::ALL {
            parse(*header, bytes);
        }
        for name in ["target-nf-type", "snssais", "limit", "pgw-ind", "service-names"] {
            let _ = Factor::parse(name, bytes);
        }
    });
}

#[test]
fn whole_values_with_changes() {
    bolero::check!().with_type::<(u8, Vec<(u8, u8, bool)>)>().for_each(|(which, changes)| {
        let (header, text) = WHOLE[usize::from(*which) % WHOLE.len()];
        let mut bytes = text.as_bytes().to_vec();
        for (place, byte, insert) in changes {
            let place = usize::from(*place) % bytes.len();
            if *insert { bytes.insert(place, *byte) } else { bytes[place] = *byte }
        }
        parse(header, &bytes);
    });
}

#[test]
fn errors_are_within_the_value() {
    for (header, text) in WHOLE {
        for cut in 0..text.len() {
            let value = &text.as_bytes()[..cut];
            if let (Header::Oci, Err(error)) = (header, Oci::parse(value)) {
                assert!(error.header() == *header && error.offset() <= cut, "{error}");
            }
            if let (Header::Binding, Err(error)) = (header, Bindings::parse(value)) {
                assert!(error.header() == *header && error.offset() <= cut, "{error}");
            }
        }
    }
}
