//! Names of discovery's query parameters that mean something here (TS 29.510 6.2.3.2.3.1).

/// An NF instance.
pub(crate) const INSTANCE: &str = "target-nf-instance-id";
/// An NF set.
pub(crate) const SET: &str = "target-nf-set-id";
/// An NF service set.
pub(crate) const SERVICE_SET: &str = "target-nf-service-set-id";
/// Services, that of the request first.
pub(crate) const SERVICES: &str = "service-names";
/// The type of NF that is looked for.
pub(crate) const TARGET_TYPE: &str = "target-nf-type";
/// The type of NF that looks for it.
pub(crate) const REQUESTER_TYPE: &str = "requester-nf-type";
