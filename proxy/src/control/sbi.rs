//! What there is to see of the SCP (TS 29.500 6.10).

use std::time::Duration;

/// How it goes with the SCP; counts are since it began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SbiStats {
    /// Its FQDN.
    pub fqdn: String,
    /// Its NF instance.
    pub nf_instance: String,
    /// Responses by status, in ascending order.
    pub statuses: Vec<(u16, u64)>,
    /// Answers of its own by cause (TS 29.500 table 5.2.7.2-1 and 6.10).
    pub causes: Vec<(String, u64)>,
    /// Requests whose client did not wait for the response.
    pub cancelled: u64,
    /// Responses by the time that they took: up to each of [`pinion_scp::account::BOUNDS`], and beyond the last; each
    /// once.
    pub times: Vec<u64>,
    /// All these times together.
    pub spent: Duration,
    /// Lines that the access log lacks, as it was too slow.
    pub unlogged: u64,
    /// Requests that are worked on.
    pub working: u64,
    /// Requests that wait for that.
    pub waiting: u64,
    /// Connections of clients.
    pub client_connections: u64,
    /// Connections to producers and others.
    pub producer_connections: u64,
    /// Resources that are pinned.
    pub resources: u64,
    /// Searches that are remembered.
    pub searches: u64,
    /// Attempts beside the first of each request.
    pub retries: u64,
    /// What was done for each service, in the order of their names.
    pub services: Vec<SbiService>,
    /// What happened beside answers.
    pub events: Vec<SbiEvent>,
    /// The time that NRFs took to answer searches, or not to.
    pub searched: Duration,
    /// Producers and others that were asked or are known, in the order of their types and places.
    pub producers: Vec<SbiProducer>,
}

/// What the SCP did for a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SbiService {
    /// As `nudm-sdm`; `notification`, `other`.
    pub service: String,
    /// The type of the NFs that serve it, as `UDM`; empty where its name does not tell.
    pub nf_type: String,
    /// Responses by the class of their status: 1xx to 5xx.
    pub classes: [u64; 5],
    /// Answers of the SCP's own by cause.
    pub causes: Vec<(String, u64)>,
    /// The times of all responses together.
    pub spent: Duration,
}

/// Something that happened in the SCP ([`pinion_scp::tally::Event`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SbiEvent {
    /// What: `search`, `token`, `dial`, `retry`, `pin`, `overload`, `client` or `redirect`.
    pub kind: String,
    /// What came of it.
    pub outcome: String,
    /// How often.
    pub count: u64,
}

/// Somebody whom the SCP asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SbiProducer {
    /// Where it is.
    pub api_root: String,
    /// The type of its NF, as `UDM`, where it is known.
    pub nf_type: Option<String>,
    /// Its NF instance, where it is known.
    pub nf_instance: Option<String>,
    /// Services that it is known to have, in the order of their names.
    pub services: Vec<String>,
    /// How it is.
    pub state: SbiState,
    /// Resources that are pinned to it.
    pub resources: u64,
    /// Connections to it that are open.
    pub connections: u64,
    /// Attempts that it answered, whatever it said.
    pub answered: u64,
    /// Attempts that it did not answer.
    pub failed: u64,
}

/// How a producer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SbiState {
    /// Nobody asked it yet.
    #[default]
    Unknown,
    /// It answered last.
    Up,
    /// It did not answer last.
    Failing,
    /// It failed too often in a row, and is asked only where there is nobody else.
    Avoided,
    /// It was asked to drain, and gets nothing new.
    Draining,
}

/// Which resources are asked for; a part that is `None` lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SbiFilter {
    /// At the producer with this authority, such as `192.0.2.61:8000`.
    pub producer: Option<String>,
    /// At this NF instance.
    pub nf_instance: Option<String>,
}

/// A page of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SbiPage {
    /// The resources.
    pub resources: Vec<SbiResource>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// A resource that is pinned to its producer (TS 29.500 6.12).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SbiResource {
    /// The authority that its producer gave for it, and its path.
    pub resource: String,
    /// Whom to ask.
    pub api_root: String,
    /// The NF instance there, where it is known.
    pub nf_instance: Option<String>,
    /// What its producer said of others that have it: 3gpp-Sbi-Binding.
    pub binding: Option<String>,
    /// Sets of NFs that it belongs to.
    pub nf_sets: Vec<String>,
    /// Sets of NF services that it belongs to.
    pub nf_service_sets: Vec<String>,
}
