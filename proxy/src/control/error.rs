/// Why the daemon does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no such pool.
    #[error("there is no pool {0}; `pinion endpoints` lists them")]
    NoPool(String),
    /// There is no such service.
    #[error("there is no service {0}; `pinion services` lists them")]
    NoService(String),
    /// There is no such service that speaks PFCP.
    #[error("there is no PFCP service {0}; `pinion services` lists them")]
    NoFrontEnd(String),
    /// There is no such service that speaks GTPv2-C.
    #[error("there is no GTPv2-C service {0}; `pinion services` lists them")]
    NoGtpc(String),
    /// No SCP runs.
    #[error("no SCP runs: the configuration has no `sbi`")]
    NoSbi,
    /// There is no such service that speaks NGAP.
    #[error("there is no NGAP service {0}; `pinion services` lists them")]
    NoNgap(String),
    /// Sessions of a service are listed elsewhere.
    #[error("service {0} speaks NGAP; `pinion sessions n2 --service {0}` lists its UEs")]
    SpeaksNgap(String),
    /// Sessions of a service are listed elsewhere.
    #[error("service {0} speaks GTPv2-C; `pinion sessions gtpc --service {0}` lists its sessions")]
    SpeaksGtpc(String),
    /// Sessions of a service are listed elsewhere.
    #[error("service {0} speaks PFCP; `pinion sessions n4 --service {0}` lists its sessions")]
    SpeaksPfcp(String),
    /// There is no such endpoint.
    #[error("there is no endpoint {0}; `pinion endpoints` lists them")]
    NoEndpoint(String),
    /// There is neither such an endpoint nor such a producer of SBI.
    #[error("there is no endpoint and no producer of SBI {0}; `pinion endpoints` and `pinion stats` list them")]
    NoProducer(String),
    /// What a producer of SBI has is its clients' to end.
    #[error("{0} is a producer of SBI, whose resources end when their clients end them; leave the deadline out")]
    NoDeadline(String),
    /// Several pools have an endpoint of this name.
    #[error("several pools have an endpoint {name}: {}; say POOL/{name}", pools.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// The pools.
        pools: Vec<String>,
    },
    /// A weight out of range.
    #[error("{0} is no weight; give a number from 0 to 65535")]
    Weight(u32),
    /// A cursor that no page gave.
    #[error("{0} is no cursor of a page; leave it out to begin at the first")]
    Cursor(String),
    /// A key that cannot be read.
    #[error(
        "{0} is no key; give an address, address:port, tag:NUMBER, teid:NUMBER, seid:NUMBER, ue:NUMBER@GNB, \
         amf-ue-ngap-id:NUMBER, tmsi:SET-POINTER-NUMBER, guami:MCC-MNC-REGION-SET-POINTER or http://AUTHORITY/PATH"
    )]
    Key(String),
    /// There is no pinned tunnel of this TEID.
    #[error(
        "no tunnel with TEID {0:#010x} is pinned; `pinion sessions` lists them (one that was placed by hashing has no filters)"
    )]
    NoTunnel(u32),
    /// Several services have a tunnel of this TEID.
    #[error("several services have a tunnel with TEID {teid:#010x}: {}; say which by its name", services.join(", "))]
    Tunnels {
        /// The TEID.
        teid: u32,
        /// The services.
        services: Vec<String>,
    },
    /// A filter that makes no sense.
    #[error("{0}")]
    Filter(String),
    /// The new configuration is refused; the old one stays in force.
    #[error("{0}")]
    Config(String),
    /// The kernel refuses.
    #[error("the packet path's tables cannot be read or written: {0}")]
    Maps(String),
}
