//! Names of headers (TS 29.500 5.2.3).

use http::{HeaderMap, HeaderName};

/// 3gpp-Sbi-Target-apiRoot.
pub const TARGET_API_ROOT: HeaderName = HeaderName::from_static("3gpp-sbi-target-apiroot");
/// 3gpp-Sbi-Max-Forward-Hops.
pub const MAX_FORWARD_HOPS: HeaderName = HeaderName::from_static("3gpp-sbi-max-forward-hops");
/// 3gpp-Sbi-Routing-Binding.
pub const ROUTING_BINDING: HeaderName = HeaderName::from_static("3gpp-sbi-routing-binding");
/// 3gpp-Sbi-Binding.
pub const BINDING: HeaderName = HeaderName::from_static("3gpp-sbi-binding");
/// 3gpp-Sbi-Producer-Id.
pub const PRODUCER_ID: HeaderName = HeaderName::from_static("3gpp-sbi-producer-id");
/// 3gpp-Sbi-Sender-Timestamp.
pub const SENDER_TIMESTAMP: HeaderName = HeaderName::from_static("3gpp-sbi-sender-timestamp");
/// 3gpp-Sbi-Max-Rsp-Time.
pub const MAX_RSP_TIME: HeaderName = HeaderName::from_static("3gpp-sbi-max-rsp-time");
/// 3gpp-Sbi-Oci.
pub const OCI: HeaderName = HeaderName::from_static("3gpp-sbi-oci");
/// 3gpp-Sbi-Lci.
pub const LCI: HeaderName = HeaderName::from_static("3gpp-sbi-lci");
/// 3gpp-Sbi-Response-Info.
pub const RESPONSE_INFO: HeaderName = HeaderName::from_static("3gpp-sbi-response-info");
/// 3gpp-Sbi-Target-Nf-Id.
pub const TARGET_NF_ID: HeaderName = HeaderName::from_static("3gpp-sbi-target-nf-id");
/// 3gpp-Sbi-Discovery-service-names.
pub const DISCOVERY_SERVICE_NAMES: HeaderName = HeaderName::from_static("3gpp-sbi-discovery-service-names");
/// 3gpp-Sbi-Discovery-target-plmn-list.
pub const DISCOVERY_TARGET_PLMNS: HeaderName = HeaderName::from_static("3gpp-sbi-discovery-target-plmn-list");
/// 3gpp-Sbi-Callback.
pub const CALLBACK: HeaderName = HeaderName::from_static("3gpp-sbi-callback");
/// 3gpp-Sbi-Nrf-Uri.
pub const NRF_URI: HeaderName = HeaderName::from_static("3gpp-sbi-nrf-uri");
/// 3gpp-Sbi-Access-Scope.
pub const ACCESS_SCOPE: HeaderName = HeaderName::from_static("3gpp-sbi-access-scope");
/// 3gpp-Sbi-Access-Token.
pub const ACCESS_TOKEN: HeaderName = HeaderName::from_static("3gpp-sbi-access-token");
/// 3gpp-Sbi-Client-Credentials.
pub const CLIENT_CREDENTIALS: HeaderName = HeaderName::from_static("3gpp-sbi-client-credentials");
/// 3gpp-Sbi-NF-Peer-Info.
pub const NF_PEER_INFO: HeaderName = HeaderName::from_static("3gpp-sbi-nf-peer-info");
/// 3gpp-Sbi-Discovery-requester-nf-instance-id.
pub const DISCOVERY_REQUESTER: HeaderName = HeaderName::from_static("3gpp-sbi-discovery-requester-nf-instance-id");
/// 3gpp-Sbi-Discovery-requester-plmn-list.
pub const DISCOVERY_REQUESTER_PLMNS: HeaderName =
    HeaderName::from_static("3gpp-sbi-discovery-requester-plmn-list");
/// 3gpp-Sbi-Correlation-Info.
pub const CORRELATION_INFO: HeaderName = HeaderName::from_static("3gpp-sbi-correlation-info");

/// 3gpp-Sbi-Discovery-target-nf-instance-id.
pub const DISCOVERY_INSTANCE: HeaderName = HeaderName::from_static("3gpp-sbi-discovery-target-nf-instance-id");

/// Whether a header is there. Of the few that a message has it is found sooner than a name so long is hashed.
#[must_use]
pub fn has(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.keys().any(|it| it == name)
}

/// What is after `3gpp-sbi-discovery-` in names of sets.
pub const SETS: [&str; 3] = ["target-nf-set-id", "target-nf-service-set-id", "amf-set-id"];
