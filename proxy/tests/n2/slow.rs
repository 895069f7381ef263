//! An AMF that takes nothing any more.

use bytes::Bytes;
use pinion_protocols::ngap::value::{AmfUeNgapId, RanUeNgapId};
use pinion_protocols::ngap::{Criticality, ElementType, Message, Outcome, Procedure};
use tokio::time::timeout;

use crate::core;
use crate::messages::{PATIENCE, message, next, send};

/// Octets of a NAS message.
const LONG: usize = 12_000;
/// The most messages that wait for a peer, and the most octets of them; and what SCTP itself keeps on both sides.
const WAITING: usize = 8_192;
const WAITING_BYTES: usize = 16 << 20;
const KEPT_BELOW: usize = 4 << 20;

fn uplink(amf: u64, ran: u32, nas: usize) -> Bytes {
    message(Outcome::Initiating, Procedure::UplinkNasTransport, |it| {
        it.add(ElementType::AmfUeNgapId, Criticality::Reject, &AmfUeNgapId(amf));
        it.add(ElementType::RanUeNgapId, Criticality::Reject, &RanUeNgapId(ran));
        it.element(ElementType::NasPdu, Criticality::Reject, |it| it.counted(&vec![0x7e; nas]));
    })
}

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
                send(&core.gnb, 3, uplink(slow, 5, nas)).await;
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
