//! The NRF as it is written, and what is asked of it (TS 29.510).

use crate::config::model::SbiTokens;
use crate::config::read::{List, choice, record};
use crate::config::scalar::sbi::{Fqdn, Label, Many, Network, NfType, Rank, Root};
use crate::config::scalar::{Span, Truth};

record! {
    /// The NRF, and how this SCP is known to it.
    Nrf = "nrf" {
        /// The NRF instances of a set: any of them answers for all, the one that answered last is asked first.
        required api_roots: List<Root>,
        /// How long one of them may take to answer, 10ms to 24h. Left out: 3s.
        optional timeout: Span,
        /// Whether clients may name another NRF by 3gpp-Sbi-Nrf-Uri. Left out: true.
        optional named: Truth,
        /// Where the NRF tells of changes (NFStatusNotify): an apiRoot of this SCP. Left out: its first listener, over TLS by its FQDN.
        optional notify: Root,
        /// How long subscriptions to changes are asked for, 1m to 168h. Left out: 24h.
        optional subscription: Span,
        /// How it registers. Left out: it does not.
        optional registration: Registration,
    }
}

record! {
    /// What the NRF is told (NFProfile and ScpInfo, TS 29.510 6.1.6.2.2, 6.1.6.2.65).
    Registration = "registration" {
        /// The SCP domains that it belongs to (scpDomains). Left out: none.
        optional scp_domains: List<Label>,
        /// Domains of names that it leads to (addressDomains). Left out: none in particular.
        optional address_domains: List<Fqdn>,
        /// The NF sets that it serves (servedNfSetIdList). Left out: all.
        optional served_nf_set_ids: List<Label>,
        /// Other networks that it leads to, MCC-MNC (remotePlmnList). Left out: none.
        optional remote_plmns: List<Network>,
        /// Where it stands. Left out: nowhere in particular.
        optional locality: Label,
        /// Its priority among SCPs, the lowest first. Left out: it says none.
        optional priority: Rank,
        /// Its share among SCPs of its priority. Left out: it says none.
        optional capacity: Rank,
    }
}

record! {
    /// What is remembered of discovery.
    Discovery = "discovery" {
        /// Searches. Left out: 10000.
        optional entries: Many,
        /// How long an answer holds that does not say so, 10ms to 24h. Left out: 30s.
        optional validity: Span,
        /// How long an answer that does not hold any more serves while the NRF is away, 10ms to 24h. Left out: 30m.
        optional stale: Span,
        /// How long one request waits for a new answer while there is an old one for the others, 10ms to 24h. Left out: 200ms.
        optional patience: Span,
        /// How long an NRF that did not answer is not asked what there is an old answer to or a producer of the configuration, and
        /// no access token is got where the NRF denied it or a producer took not even a new one, 10ms to 24h. Left out: 1s.
        optional pause: Span,
        /// The NF type that the NRF is told where a client does not say its own. Left out: SCP.
        optional requester_nf_type: NfType,
        /// Where it stands: producers there come first, where a client prefers none. Left out: nowhere in particular.
        optional locality: Label,
    }
}

record! {
    /// When clients get access tokens (TS 29.500 6.10.11).
    Authorization = "authorization" {
        /// When a request gets one that came without. Left out: needed.
        optional tokens: SbiTokens,
        /// Tokens that are kept. Left out: 100000.
        optional entries: Many,
        /// Whether clients get tokens that were got for them, in 3gpp-Sbi-Access-Token. Left out: true.
        optional returned: Truth,
    }
}

choice! {
    pub SbiTokens = "choice of access tokens", "never, needed or always" {
        /// What clients bring is passed on.
        "never" => SbiTokens::Never,
        /// Where the client asks for one, or its producer does.
        "needed" => SbiTokens::Needed,
        /// Always, but for callbacks.
        "always" => SbiTokens::Always,
    }
}
