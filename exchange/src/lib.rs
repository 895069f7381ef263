//! What front ends share that ask and answer over UDP, as PFCP (TS 29.244 6.4) and GTPv2-C (TS 29.274 7.6) do: requests
//! of peers are done once and answered alike, requests of our own are numbered and sent until they are answered, and a new
//! session gets one endpoint of many. What of it outlives the process is kept in one format. No I/O, no clock.

#![forbid(unsafe_code)]

#[cfg(feature = "damage")]
pub mod damage;
pub mod inbound;
pub mod kept;
pub mod outbound;
pub mod placement;
pub mod random;
