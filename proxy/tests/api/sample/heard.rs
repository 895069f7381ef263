//! The sample's services that are listened to.

use pinion::control::{Heard, HeardService};
use pinion_loader::Copies;
use pinion_n2::observe::Counts;

pub(crate) fn heard() -> Heard {
    let counts = Counts {
        packets: 880,
        messages: 871,
        repeated: 2,
        missing: 3,
        unjoined: 4,
        malformed: 1,
        met: 60,
        displaced: 5,
        silent: 6,
    };
    let service = HeardService { service: "amf".into(), associations: 8, ues: 41, counts };
    Heard { copies: Copies { made: 900, lost: 7 }, services: vec![service] }
}
