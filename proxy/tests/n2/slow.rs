//! An AMF that takes nothing any more.

use pinion_protocols::ngap::{Message, Procedure};
use pinion_simulators::n2::messages::up;
use tokio::time::timeout;

use crate::core;
use crate::messages::{PATIENCE, next, send};

/// Octets of a NAS message.
const LONG: usize = 12_000;
/// The most messages that wait for a peer, and the most octets of them; and what SCTP itself keeps on both sides.
const WAITING: usize = 8_192;
const WAITING_BYTES: usize = 16 << 20;
const KEPT_BELOW: usize = 4 << 20;

/// UEs of the AMF are reset once as much waits for it as may; those of the other one feel nothing, before and after.
#[tokio::test(start_paused = true)]
async fn a_slow_amf_slows_no_other() {
    // SCTP counts what it keeps of a small message beside its octets.
    for (nas, most) in [(LONG, (WAITING_BYTES + KEPT_BELOW) / LONG), (40, WAITING + KEPT_BELOW / 104)] {
        let core = core().await;
        let slow = core.come(5, 0, 1).await;
        let here = core.come(6, 1, 1).await;
        let mut sent = 0;
        let reset = loop {
            assert!(sent < most, "more waits for it than may: {sent} messages of {nas} octets");
            for _ in 0..50 {
                send(&core.gnb, 3, up(slow, 5, &vec![0x7e; nas])).await;
                sent += 1;
            }
            core.talk(6, 1, 1, here).await;
            if core.host.shown().await.ues == 1 {
                break timeout(PATIENCE, next(&core.gnb)).await.unwrap();
            }
        };
        assert_eq!(Message::parse(&reset.1).unwrap().procedure(), Procedure::NgReset);
        core.talk(6, 1, 1, here).await;
        let counts = core.host.shown().await.counts;
        assert_eq!((counts.reset, core.amfs.len()), (1, 2));
    }
}
