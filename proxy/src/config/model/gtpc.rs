//! GTPv2-C services, which Pinion itself speaks: one SGW or PGW to each client (TS 29.274).

use std::time::Duration;

/// How GTPv2-C is spoken for the SGWs or PGWs of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gtpc {
    /// From one Echo Request to an endpoint to the next, 1 s to 1 h (TS 29.274 7.1.1).
    pub echo: Duration,
    /// T3-RESPONSE: until a request is sent again, 100 ms to 1 min (TS 29.274 7.6).
    pub t3: Duration,
    /// N3-REQUESTS: how often a request is sent in all, 1 to 20 (TS 29.274 7.6).
    pub n3: u8,
    /// The most sessions, 1 to 16,777,216.
    pub sessions: u32,
    /// The most clients whose restart counters are remembered, 1 to 65,535.
    pub clients: u32,
}
