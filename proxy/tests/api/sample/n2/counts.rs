//! What a front end counted.

use pinion_n2::Counts;

/// Each thing so often that it is told from the others.
pub(crate) fn counts() -> Counts {
    Counts {
        uplink: 301,
        downlink: 302,
        sent: 303,
        malformed: 304,
        other_protocol: 305,
        unexpected: 306,
        undeliverable: 307,
        error_indications: 308,
        mismatches: 309,
        pinned: 310,
        released: 311,
        moved: 312,
        reset: 313,
        refused: 314,
        steered: 315,
        rerouted: 316,
        setup_failures: 317,
        unanswered: 318,
        throttled: 319,
        foreign: 320,
    }
}
