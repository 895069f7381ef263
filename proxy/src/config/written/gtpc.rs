//! GTPv2-C as it is written.

use crate::config::read::record;
use crate::config::scalar::Span;
use crate::config::scalar::gtpc::Clients;
use crate::config::scalar::pfcp::{Sessions, Tries};

record! {
    /// How GTPv2-C is spoken for the SGWs or PGWs.
    Gtpc = "gtpc" {
        /// From one Echo Request to an endpoint to the next, 1s to 1h. Left out: 1m.
        optional echo: Span,
        /// T3: until a request is sent again, 100ms to 1m. Left out: 3s.
        optional t3: Span,
        /// N3: how often a request is sent in all. Left out: 3.
        optional n3: Tries,
        /// The most sessions; beyond, a new one is refused. Left out: 1000000.
        optional sessions: Sessions,
        /// The most clients that are remembered; beyond, one without sessions is forgotten. Left out: 1024.
        optional clients: Clients,
    }
}
