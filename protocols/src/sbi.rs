//! Headers of the service based interface (TS 29.500 5.2.3, Rel-18): each a typed value that is parsed from the header's bytes
//! and printed back.
//!
//! A value borrows the bytes that it was parsed from. Parameters that this release does not define are carried. Where printed
//! examples of the specification and its grammar differ, both are read and the grammar is printed. A header that came on several
//! lines and is a list is read after its lines were joined by a comma (RFC 9110 5.3).
//!
//! ```
//! use pinion_protocols::sbi::{ApiRoot, Value};
//!
//! let root = ApiRoot::parse(b"https://example.com/a/b/c")?;
//! assert_eq!((root.authority, root.prefix), ("example.com", "/a/b/c"));
//! assert_eq!(root.to_string(), "https://example.com/a/b/c");
//! # Ok::<(), pinion_protocols::sbi::Error>(())
//! ```

mod access;
mod agent;
mod api_root;
mod binding;
mod callback;
mod consumer;
mod control;
mod correlation;
mod cursor;
mod discovery;
mod encoding;
mod error;
mod header;
mod identity;
mod information;
mod json;
mod limits;
mod listed;
mod named;
mod network;
mod nrf_uri;
mod peer;
mod percent;
mod scope;
mod time;
mod token;
mod uuid;

#[cfg(test)]
mod tests;

pub use access::{AccessScope, AccessToken, ClientCredentials, Credentials, OtherAccessScopes, SourceCredentials};
pub use agent::{Server, UserAgent};
pub use api_root::{ApiRoot, Scheme};
pub use binding::{Binding, BindingLevel, BindingParameter, BindingScope, Bindings, RoutingBinding};
pub use callback::Callback;
pub use consumer::{ConsumerInfo, ConsumerService};
pub use control::{Lci, LoadControl, Oci, OverloadControl};
pub use correlation::{Correlation, CorrelationInfo, CorrelationKind};
pub use discovery::{DISCOVERY_PREFIX, Factor, FactorKind};
pub use encoding::{Encoding, NotifAcceptedEncoding};
pub use error::Error;
pub use header::Header;
pub use identity::{AlternateChfId, ChfRole, ProducerId, TargetNfGroupId, TargetNfId};
pub use information::{
    RequestInfo, RequestParameter, ResponseInfo, ResponseParameter, RetryInfo, SelectionAction, SelectionElement,
    SelectionInfo,
};
pub use limits::{MaxForwardHops, MaxResponseTime, MessagePriority, NodeType};
pub use network::{InterplmnPurpose, OriginatingNetworkId, Purpose, SourceKind};
pub use nrf_uri::{NrfUri, NrfUriCallback};
pub use peer::{PeerInfo, PeerKind};
pub use percent::{Percent, decode};
pub use scope::{Scope, ScopeEntity};
pub use time::{SenderTimestamp, Timestamp};
pub use token::{Jwt, is_token};
pub use uuid::is_uuid;

/// A parameter that this release does not define: its name and its value as they came, quotes and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair<'a> {
    /// Name.
    pub name: &'a str,
    /// Value.
    pub value: &'a str,
}

/// A header's value.
pub trait Value<'a>: Sized + core::fmt::Display {
    /// Whose value it is.
    const HEADER: Header;

    /// Reads a whole value. Offsets in errors count from its first byte.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    fn parse(value: &'a [u8]) -> Result<Self, Error>;
}
