//! Names of headers (TS 29.500 5.2.2, 5.2.3).

use core::fmt;

macro_rules! headers {
    ($($variant:ident $name:literal)*) => {
        /// A header of the service based interface.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Header {
            $(
                #[doc = concat!("`", $name, "`.")]
                $variant,
            )*
        }

        impl Header {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, as specifications write it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

headers! {
    AccessScope "3gpp-Sbi-Access-Scope"
    AccessToken "3gpp-Sbi-Access-Token"
    AlternateChfId "3gpp-Sbi-Alternate-Chf-Id"
    Authorization "Authorization"
    Binding "3gpp-Sbi-Binding"
    Callback "3gpp-Sbi-Callback"
    ClientCredentials "3gpp-Sbi-Client-Credentials"
    ConsumerInfo "3gpp-Sbi-Consumer-Info"
    CorrelationInfo "3gpp-Sbi-Correlation-Info"
    Discovery "3gpp-Sbi-Discovery-*"
    InterplmnPurpose "3gpp-Sbi-Interplmn-Purpose"
    Lci "3gpp-Sbi-Lci"
    MaxForwardHops "3gpp-Sbi-Max-Forward-Hops"
    MaxRspTime "3gpp-Sbi-Max-Rsp-Time"
    MessagePriority "3gpp-Sbi-Message-Priority"
    NfPeerInfo "3gpp-Sbi-NF-Peer-Info"
    NotifAcceptedEncoding "3gpp-Sbi-Notif-Accepted-Encoding"
    NrfUri "3gpp-Sbi-Nrf-Uri"
    NrfUriCallback "3gpp-Sbi-Nrf-Uri-Callback"
    Oci "3gpp-Sbi-Oci"
    OriginatingNetworkId "3gpp-Sbi-Originating-Network-Id"
    OtherAccessScopes "3gpp-Sbi-Other-Access-Scopes"
    ProducerId "3gpp-Sbi-Producer-Id"
    RequestInfo "3gpp-Sbi-Request-Info"
    ResponseInfo "3gpp-Sbi-Response-Info"
    RetryInfo "3gpp-Sbi-Retry-Info"
    RoutingBinding "3gpp-Sbi-Routing-Binding"
    SelectionInfo "3gpp-Sbi-Selection-Info"
    SenderTimestamp "3gpp-Sbi-Sender-Timestamp"
    Server "Server"
    SourceNfClientCredentials "3gpp-Sbi-Source-NF-Client-Credentials"
    TargetApiRoot "3gpp-Sbi-Target-apiRoot"
    TargetNfGroupId "3gpp-Sbi-Target-Nf-Group-Id"
    TargetNfId "3gpp-Sbi-Target-Nf-Id"
    UserAgent "User-Agent"
}

impl Header {
    /// The header of a name in any case; every discovery factor is [`Header::Discovery`].
    pub fn of(name: &str) -> Option<Self> {
        if super::Factor::parameter(name).is_some() {
            return Some(Self::Discovery);
        }
        Self::ALL.iter().copied().find(|header| header.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case() {
        assert_eq!(Header::of("3gpp-sbi-target-apiroot"), Some(Header::TargetApiRoot));
        assert_eq!(Header::of("3GPP-SBI-OCI"), Some(Header::Oci));
        assert_eq!(Header::of("3gpp-sbi-discovery-target-nf-type"), Some(Header::Discovery));
        assert_eq!((Header::of("3gpp-sbi-discovery-"), Header::of("x-other")), (None, None));
        for header in Header::ALL.iter().filter(|header| **header != Header::Discovery) {
            assert_eq!(Header::of(header.name()), Some(*header));
        }
    }
}
