//! What a front end counted.

use pinion_n4::Counts;

/// Each thing so often that it is told from the others.
pub(crate) fn counts() -> Counts {
    Counts {
        requests: 101,
        answers: 102,
        sent: 103,
        malformed: 104,
        unknown: 105,
        unasked: 106,
        retransmitted: 107,
        repeated: 108,
        unanswered: 109,
        refusals: 110,
        refused: 111,
        established: 112,
        deleted: 113,
        restored: 114,
        lost: 115,
        forsaken: 116,
        upf_losses: 117,
        unlearned: 118,
    }
}
