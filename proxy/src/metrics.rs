//! What Prometheus reads: `/metrics` and `/ready` over HTTP.
//!
//! A metric belongs to the component that it measures: a component registers its own in the [`registry`] that it
//! is handed. What [`Control`](crate::control::Control) can tell is asked at each scrape ([`Snapshot`]) and kept
//! nowhere. `docs/metrics.md` lists all of them, and a test keeps that list true.
//!
//! A scrape is bounded: one page is made at a time, whole, before its first byte is sent, and a connection ends at
//! its deadline however slowly it is read ([`serve()`]). So nothing but its own connection waits for a slow scraper.

mod families;
mod format;
mod page;
mod serve;
mod snapshot;

pub use page::{Limits, Page, Readiness};
pub use serve::{connection, serve};
pub use snapshot::Snapshot;

use prometheus_client::registry::Registry;

/// An empty registry, under whose prefix `pinion` components register what they measure.
#[must_use]
pub fn registry() -> Registry {
    Registry::with_prefix("pinion")
}
