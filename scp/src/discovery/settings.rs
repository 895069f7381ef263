//! Bounds of what is remembered of discovery.

use std::time::Duration;

use crate::nrf::NfProfile;

/// How long, and how much.
#[derive(Clone, Debug, PartialEq)]
pub struct DiscoverySettings {
    /// Searches that are remembered; beyond, those that were not used for longest are forgotten.
    pub entries: usize,
    /// Octets of answers that are remembered, and of what was asked.
    pub octets: usize,
    /// For how long an answer holds that does not say so.
    pub validity: Duration,
    /// For how long an answer that does not hold any more still serves while the NRF does not answer.
    pub stale: Duration,
    /// How long one request waits for a new answer while there is one that does not hold any more. Others only wait
    /// where that has nobody. So long all wait where nothing is remembered and only those that are configured are known.
    pub patience: Duration,
    /// How long an NRF that did not answer is not asked again for what there is an old answer to or somebody who is configured,
    /// nor one that refused for the same. So long no access token is got where the NRF denied it, or a producer took not even a
    /// new one.
    pub pause: Duration,
    /// The NF type that the NRF is told where a client does not say its own.
    pub requester: String,
    /// Where this SCP stands: producers of the same locality come first, where a client prefers none.
    pub locality: Option<String>,
    /// Producers that are there whatever the NRF says.
    pub producers: Vec<NfProfile>,
}

impl Default for DiscoverySettings {
    fn default() -> Self {
        Self {
            entries: 10_000,
            octets: 256 * 1024 * 1024,
            validity: Duration::from_secs(30),
            stale: Duration::from_mins(30),
            patience: Duration::from_millis(200),
            pause: Duration::from_secs(1),
            requester: "SCP".to_owned(),
            locality: None,
            producers: Vec::new(),
        }
    }
}
