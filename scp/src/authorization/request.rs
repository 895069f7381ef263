//! What a token is asked for with (TS 29.510 6.3.5.2.2, TS 33.501 13.4.1.3.2): on behalf of the consumer, never of this SCP.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use pinion_protocols::sbi::{AccessScope, NrfUri, Value as _};
use serde_json::{Map, Value};

use crate::api_root::ApiRoot;
use crate::call::Peer;
use crate::cause::Cause;
use crate::discovery::{Factors, encode, parameter};
use crate::identity::asserted;
use crate::names;
use crate::problem::Problem;
use crate::tls;

/// A request for a token. What is asked for with the same is the same token, and with anything else another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenRequest {
    /// Whose certificate was shown: whoever only says that it is another gets nothing of that other's.
    pub holder: Option<Arc<str>>,
    /// The assertion that the client shows, where its certificate does not say that it is the consumer itself: who shows
    /// another, or none, has the NRF judge that.
    pub assertion: Option<HeaderValue>,
    /// The NRF that the client names.
    pub nrf: Option<ApiRoot>,
    /// AccessTokenReq, in the order in which it is sent.
    pub members: Vec<(&'static str, String)>,
}

/// Why there is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing says which NF instance the consumer is.
    Consumer,
    /// Nothing says what type of NF that is, and the NRF wants to know: a token for a type of NF is for one of a type (TS 29.510
    /// 6.3.5.2.2).
    Kind,
    /// Nothing says what it wants to do.
    Scope,
}

impl TokenRequest {
    /// Reads it of a request's headers and factors. `factors` has the type of the requester only where the client said it.
    ///
    /// # Errors
    /// What is missing.
    pub fn read(headers: &HeaderMap, factors: &Factors, peer: &Peer, named: bool) -> Result<Self, Missing> {
        let consumer = factors
            .get("requester-nf-instance-id")
            .map(str::to_owned)
            .or_else(|| headers.get(names::CLIENT_CREDENTIALS).and_then(asserted))
            .ok_or(Missing::Consumer);
        let scope = scope(headers).or_else(|| factors.service().map(str::to_owned)).ok_or(Missing::Scope)?;
        let consumer = consumer?;
        let certified = tls::instances(&peer.names).any(|it| it.eq_ignore_ascii_case(&consumer));
        let mut assertion = headers.get(names::CLIENT_CREDENTIALS).filter(|_| !certified).cloned();
        if let Some(assertion) = &mut assertion {
            assertion.set_sensitive(true);
        }
        let mut members =
            vec![("grant_type", "client_credentials".to_owned()), ("nfInstanceId", consumer), ("scope", scope)];
        let mut add = |member, value: Option<String>| members.extend(value.map(|value| (member, value)));
        let text = |name: &str| factors.get(name).map(str::to_owned);
        // An SCP on the way is no consumer.
        add("nfType", text(parameter::REQUESTER_TYPE).filter(|kind| kind != "SCP" && !factors.is_untyped()));
        add("targetNfType", text(parameter::TARGET_TYPE));
        let (one, several) = networks(factors.get("requester-plmn-list"));
        add("requesterPlmn", one);
        add("requesterPlmnList", several);
        add("requesterSnssaiList", text("requester-snssais"));
        add("requesterFqdn", text("requester-nf-instance-fqdn"));
        add("requesterSnpnList", text("requester-snpn-list"));
        // A target of several networks is one token for each; the first is where the request goes.
        add("targetPlmn", first(factors.get("target-plmn-list")));
        add("targetSnssaiList", text("snssais"));
        add("targetNsiList", text("nsi-list"));
        add("targetNfSetId", text(parameter::SET));
        add("targetNfServiceSetId", text(parameter::SERVICE_SET));
        Ok(Self { holder: peer.holder.clone(), assertion, nrf: nrf(headers, named), members })
    }

    /// Whether it says what type of NF the consumer is.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        self.members.iter().any(|(name, _)| *name == "nfType")
    }

    /// How long it is, as far as clients say.
    pub(super) fn octets(&self) -> usize {
        let members = self.members.iter().map(|(_, value)| value.len());
        members
            .chain(self.assertion.as_ref().map(HeaderValue::len))
            .chain(self.holder.as_deref().map(str::len))
            .sum()
    }

    /// As a form (TS 29.510 6.3.5.2.2).
    #[must_use]
    pub fn form(&self) -> String {
        let mut form = String::with_capacity(256);
        for (name, value) in &self.members {
            if !form.is_empty() {
                form.push('&');
            }
            form.push_str(name);
            form.push('=');
            encode(value, false, &mut form);
        }
        form
    }

    /// As JSON, for `accessTokenRequest` of ProblemDetails (TS 29.571 5.2.4.1).
    #[must_use]
    pub fn json(&self) -> Map<String, Value> {
        let json = |text: &str| if text.starts_with(['[', '{']) { serde_json::from_str(text).ok() } else { None };
        let member = |(name, value): &(&str, String)| {
            ((*name).to_owned(), json(value).unwrap_or_else(|| Value::from(value.as_str())))
        };
        self.members.iter().map(member).collect()
    }
}

impl Missing {
    /// What the client is told (TS 29.500 6.10.11.2.2).
    #[must_use]
    pub fn problem(self) -> Problem {
        let header = match self {
            Self::Consumer => "header 3gpp-Sbi-Discovery-requester-nf-instance-id",
            Self::Kind => "header 3gpp-Sbi-Discovery-requester-nf-type",
            Self::Scope => "header 3gpp-Sbi-Access-Scope",
        };
        let problem =
            Problem::new(Cause::MissingAccessTokenInfo).detail("an access token cannot be asked for without it");
        problem.about(header, "it is missing")
    }
}

/// The scopes that the client names, in one order.
fn scope(headers: &HeaderMap) -> Option<String> {
    let scope = AccessScope::parse(headers.get(names::ACCESS_SCOPE)?.as_bytes()).ok()?;
    let mut scopes = scope.0;
    scopes.sort_unstable();
    scopes.dedup();
    Some(scopes.join(" "))
}

/// One network, or several: each has a member of its own.
fn networks(list: Option<&str>) -> (Option<String>, Option<String>) {
    let networks: Option<Vec<Value>> = list.and_then(|list| serde_json::from_str(list).ok());
    match networks.as_deref() {
        Some([one]) => (Some(one.to_string()), None),
        Some([_, _, ..]) => (None, list.map(str::to_owned)),
        Some([]) | None => (None, None),
    }
}

fn first(list: Option<&str>) -> Option<String> {
    let networks: Vec<Value> = serde_json::from_str(list?).ok()?;
    networks.first().map(Value::to_string)
}

/// The API root of the NRF that the client names for tokens.
fn nrf(headers: &HeaderMap, named: bool) -> Option<ApiRoot> {
    let uris = NrfUri::parse(headers.get(names::NRF_URI).filter(|_| named)?.as_bytes()).ok()?;
    let own = uris.access_token?.trim_end_matches('/');
    let own = own.strip_suffix("/token").unwrap_or(own);
    ApiRoot::parse(own.strip_suffix("/oauth2").unwrap_or(own).trim_end_matches('/')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<TokenRequest, Missing> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        let factors = Factors::read(&headers, "/nudm-sdm/v2/a", &[], "SCP", true).unwrap();
        let peer = Peer { address: ([127, 0, 0, 1], 1).into(), tls: false, names: Arc::default(), holder: None };
        TokenRequest::read(&headers, &factors, &peer, true)
    }

    const CONSUMER: (&str, &str) =
        ("3gpp-sbi-discovery-requester-nf-instance-id", "54804518-4191-46b3-955c-ac631f953ed8");

    #[test]
    fn a1_it_is_asked_for_on_behalf_of_the_consumer() {
        let request = read(&[
            CONSUMER,
            ("3gpp-sbi-discovery-requester-nf-type", "AMF"),
            ("3gpp-sbi-access-scope", "nudm-sdm:nssai:read nudm-sdm"),
            ("3gpp-sbi-discovery-requester-plmn-list", "[{\"mcc\":\"001\",\"mnc\":\"01\"}]"),
            (
                "3gpp-sbi-discovery-target-plmn-list",
                "[{\"mcc\":\"002\",\"mnc\":\"02\"},{\"mcc\":\"003\",\"mnc\":\"03\"}]",
            ),
            ("3gpp-sbi-discovery-target-nf-set-id", "set1.udmset.5gc.mnc012.mcc345"),
        ])
        .unwrap();
        assert_eq!(
            request.form(),
            "grant_type=client_credentials&nfInstanceId=54804518-4191-46b3-955c-ac631f953ed8&\
             scope=nudm-sdm%20nudm-sdm%3Anssai%3Aread&nfType=AMF&targetNfType=UDM&\
             requesterPlmn=%7B%22mcc%22%3A%22001%22%2C%22mnc%22%3A%2201%22%7D&\
             targetPlmn=%7B%22mcc%22%3A%22002%22%2C%22mnc%22%3A%2202%22%7D&targetNfSetId=set1.udmset.5gc.mnc012.mcc345"
        );
        assert_eq!(request.json()["targetPlmn"]["mcc"], "002");
    }

    #[test]
    fn a1_the_consumer_may_be_told_by_its_assertion() {
        // {"alg":"none"} and {"sub":"5480"}.
        let request =
            read(&[("3gpp-sbi-client-credentials", "eyJhbGciOiJub25lIn0.eyJzdWIiOiI1NDgwIn0.AA")]).unwrap();
        assert_eq!(request.members[1], ("nfInstanceId", "5480".to_owned()));
        assert_eq!(request.members[2], ("scope", "nudm-sdm".to_owned()));
    }

    #[test]
    fn a1_what_is_missing_is_named() {
        assert_eq!(read(&[]), Err(Missing::Consumer));
        let problem = Missing::Consumer.problem();
        assert_eq!(problem.cause, Cause::MissingAccessTokenInfo);
        assert_eq!(problem.invalid_params[0].param, "header 3gpp-Sbi-Discovery-requester-nf-instance-id");
    }

    #[test]
    fn a1_the_nrf_that_the_client_names() {
        let named = ("3gpp-sbi-nrf-uri", "nnrf-oauth2: \"https://nrf1.operator.com//oauth2/\"");
        assert_eq!(
            read(&[CONSUMER, named]).unwrap().nrf,
            Some(ApiRoot::parse("https://nrf1.operator.com").unwrap())
        );
    }
}
