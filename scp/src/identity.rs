//! Whether clients are the NF instances that they say they are, by the certificates that they show (TS 33.310 6.1.3c,
//! TS 33.501 13.3.1, 13.3.8).

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use pinion_protocols::sbi::{ClientCredentials, PeerInfo, PeerKind, UserAgent, Value as _, is_uuid};
use serde::Deserialize;

use crate::call::{Call, Peer};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::names::{CLIENT_CREDENTIALS, DISCOVERY_REQUESTER, NF_PEER_INFO};
use crate::problem::Problem;
use crate::settings::{Identities, Matching};
use crate::tls;

/// The names of a client's certificate, where it speaks for those alone; none where it may speak for anybody.
#[must_use]
pub fn own_names<'a>(peer: &'a Peer, identities: &Identities) -> Option<&'a [String]> {
    let any = identities.clients == Matching::Off || peer.holder.is_none() || relays(peer, identities);
    (!any).then_some(&*peer.names)
}

/// Refuses a request whose client says that it is another than its certificate says.
///
/// # Errors
/// A [`Problem`] that names the header that says so, or that there is no certificate that would say anything.
pub fn check(call: &mut Call) -> Result<(), Failure> {
    let origin = &call.context.origin;
    let identities = &origin.prepared.settings.identities;
    if identities.clients == Matching::Off {
        return Ok(());
    }
    judge(&origin.peer, identities, call.headers()).map_err(Failure::from)
}

/// The consumer that client credentials are of (TS 29.500 5.2.3.2.11). Whether they are genuine is the NRF's to see, and the
/// producer's.
#[must_use]
pub fn asserted(credentials: &HeaderValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let credentials = ClientCredentials::parse(credentials.as_bytes()).ok()?;
    serde_json::from_slice::<Claims>(&credentials.0.claims()?).ok().map(|it| it.sub)
}

fn judge(peer: &Peer, identities: &Identities, headers: &HeaderMap) -> Result<(), Problem> {
    let required = identities.clients == Matching::Required;
    if peer.holder.is_none() {
        return if required { Err(wrong("there is no certificate of the client's")) } else { Ok(()) };
    }
    if relays(peer, identities) {
        return Ok(());
    }
    for Says { header, cause, told } in &SAYS {
        for value in headers.get_all(header) {
            if let Some(instance) = told(value)
                && !tls::instances(&peer.names).any(|it| it.eq_ignore_ascii_case(&instance))
            {
                let reason = format!("the client's certificate does not name NF instance {instance}");
                return Err(Problem { cause: *cause, ..wrong("the client is not who it says") }
                    .about(format!("header {header}"), reason));
            }
        }
    }
    if required && tls::instances(&peer.names).next().is_none() {
        return Err(wrong("the client's certificate names no NF instance"));
    }
    Ok(())
}

/// Whether a client is one that speaks for others.
fn relays(peer: &Peer, identities: &Identities) -> bool {
    let mut relays = identities.relays.iter();
    relays.any(|relay| peer.names.iter().any(|name| name.eq_ignore_ascii_case(relay)))
}

fn wrong(detail: &'static str) -> Problem {
    Problem::new(Cause::NfInstanceMismatch).detail(detail)
}

/// A header that says which NF instance a client is.
struct Says {
    header: HeaderName,
    cause: Cause,
    told: fn(&HeaderValue) -> Option<Cow<'_, str>>,
}

static SAYS: [Says; 4] = [
    Says {
        header: CLIENT_CREDENTIALS,
        cause: Cause::CcaVerificationFailure,
        // What cannot be read here may be read elsewhere, and is nobody's.
        told: |value| Some(asserted(value).unwrap_or_default().into()),
    },
    Says {
        header: DISCOVERY_REQUESTER,
        cause: Cause::NfInstanceMismatch,
        told: |value| Some(String::from_utf8_lossy(value.as_bytes().trim_ascii())),
    },
    Says {
        header: NF_PEER_INFO,
        cause: Cause::NfInstanceMismatch,
        told: |value| PeerInfo::parse(value.as_bytes()).ok()?.get(PeerKind::SourceInstance).map(Cow::from),
    },
    Says { header: header::USER_AGENT, cause: Cause::NfInstanceMismatch, told: of_agent },
];

/// The NF instance of `AMF-54804518-4191-46b3-955c-ac631f953ed8 amf1.example`; behind the type may also be a name.
fn of_agent(value: &HeaderValue) -> Option<Cow<'_, str>> {
    let agent = UserAgent::parse(value.as_bytes()).ok()?;
    let first = agent.detail.split_ascii_whitespace().next()?;
    is_uuid(first).then_some(Cow::from(first))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const OWN: &str = "54804518-4191-46b3-955c-ac631f953ed8";
    const OTHER: &str = "54804518-4191-46b3-955c-ac631f953ed9";

    fn peer(names: &[&str]) -> Peer {
        let names: Arc<[String]> = names.iter().map(|&it| it.to_owned()).collect();
        let address = ([192, 0, 2, 1], 1).into();
        Peer { address, tls: true, names, holder: Some("x".into()) }
    }

    fn verdict(clients: Matching, peer: &Peer, headers: &[(&'static str, &str)]) -> Option<(Cause, String)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let identities = Identities { clients, relays: vec!["scp2.example".to_owned()], ..Identities::default() };
        let problem = judge(peer, &identities, &map).err()?;
        let param = problem.invalid_params.first().map(|it| it.param.to_string()).unwrap_or_default();
        Some((problem.cause, param))
    }

    #[test]
    fn a3_each_header_that_says_who_a_client_is_must_say_what_its_certificate_does() {
        let amf = peer(&["amf.example", &format!("URN:uuid:{}", OWN.to_uppercase())]);
        // {"alg":"none"}, and {"sub": OWN} and {"sub": OTHER}.
        let own = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI1NDgwNDUxOC00MTkxLTQ2YjMtOTU1Yy1hYzYzMWY5NTNlZDgifQ.AA";
        let other = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI1NDgwNDUxOC00MTkxLTQ2YjMtOTU1Yy1hYzYzMWY5NTNlZDkifQ.AA";
        let instance = Cause::NfInstanceMismatch;
        for (header, right, wrong, cause) in [
            ("3gpp-sbi-client-credentials", own.to_owned(), other.to_owned(), Cause::CcaVerificationFailure),
            ("3gpp-sbi-client-credentials", own.to_owned(), "x.y".to_owned(), Cause::CcaVerificationFailure),
            ("3gpp-sbi-discovery-requester-nf-instance-id", OWN.to_owned(), OTHER.to_owned(), instance),
            (
                "3gpp-sbi-nf-peer-info",
                format!("srcinst={OWN}; dstinst={OTHER}"),
                format!("dstinst={OWN}; srcinst={OTHER}"),
                instance,
            ),
            ("user-agent", format!("AMF-{OWN} amf.example"), format!("AMF-{OTHER}"), instance),
        ] {
            for policy in [Matching::Told, Matching::Required] {
                assert_eq!(verdict(policy, &amf, &[(header, &right)]), None, "{header}");
                let refused = Some((cause, format!("header {header}")));
                assert_eq!(verdict(policy, &amf, &[(header, &wrong)]), refused);
                assert_eq!(
                    verdict(policy, &amf, &[(header, &right), (header, &wrong)]),
                    refused,
                    "of several lines"
                );
            }
        }
    }

    #[test]
    fn a3_who_says_nothing_and_who_shows_nothing() {
        let named = peer(&["amf.example"]);
        let nobody = Peer { holder: None, ..peer(&[]) };
        let says = [("user-agent", format!("AMF-{OWN}"))].map(|(name, value)| (name, value.leak() as &str));
        let refused = Some((Cause::NfInstanceMismatch, String::new()));
        assert_eq!(verdict(Matching::Told, &named, &[("user-agent", "AMF-amf.example")]), None);
        assert_eq!(verdict(Matching::Required, &named, &[]), refused);
        assert_eq!(verdict(Matching::Told, &nobody, &says), None, "there is nothing to match");
        assert_eq!(verdict(Matching::Required, &nobody, &says), refused);
        assert_eq!(verdict(Matching::Required, &peer(&["SCP2.example"]), &says), None, "it speaks for others");
    }
}
