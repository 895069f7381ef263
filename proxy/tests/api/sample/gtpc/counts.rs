//! What a front end counted.

use pinion_gtpc::Counts;

/// Each thing so often that it is told from the others.
pub(crate) fn counts() -> Counts {
    Counts {
        requests: 201,
        answers: 202,
        sent: 203,
        malformed: 204,
        unknown: 205,
        unexpected: 206,
        unasked: 207,
        retransmitted: 208,
        repeated: 209,
        unanswered: 210,
        refusals: 211,
        not_found: 212,
        created: 213,
        deleted: 214,
        moved: 215,
        forsaken: 216,
        lost: 217,
        endpoint_losses: 218,
    }
}
