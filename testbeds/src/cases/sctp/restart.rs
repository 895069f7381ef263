//! INIT inside an association (RFC 9260 5.2.2), and after its end.

use pinion_steering::{Reason, State};

use super::{AMF, CT, OWN, PORT, ST, acked, answer, back, established, init, pinned, placed, request};
use crate::cases::places::{B, C, C1};
use crate::cases::{Act, Case, Key, own, to, towards, transmits};
use crate::packets::sctp::{
    abort, cookie_ack, cookie_echo, data, init_ack as init_ack_chunk, shutdown, shutdown_ack, shutdown_complete,
};
use crate::packets::{End, sctp};

/// The tags of the restarted association.
const CT2: u32 = 0xc11e_0002;
const ST2: u32 = 0x5e5e_0002;

const OTHER: End = (B, 38412);

pub(super) fn cases() -> Vec<Case> {
    let again = request(0, &[init(CT2)]);
    let (ack, ack_out) = acked(CT2, ST2);
    let echo = request(ST2, &[cookie_echo(&[0xc0; 180])]);
    let cookie = answer(CT2, &[cookie_ack()]);
    let peer = || Key::Peer("n2", PORT, vec![C, C1]);
    let old = request(ST, &[data(b"old")]);
    let restarted = Case::new("restarted")
        .after(&established(CT, ST))
        .act(Act::Reload(crate::cases::reload::moved()))
        .send(&again, pinned(&again))
        .flow(peer(), to("n2", "a", State::Established).tag(CT))
        .send(&ack, ack_out)
        .send(&old, pinned(&old))
        .send(&echo, pinned(&echo))
        .flow(peer(), to("n2", "a", State::Established).tag(CT))
        .send(&cookie, back(&cookie));
    let to_b = transmits(Reason::Placed, &towards(&again, OTHER));
    let from_b = sctp(OTHER, super::GNB, CT2, &[init_ack_chunk(ST2, &[])]);
    let shut = established(CT, ST)
        .send(&request(ST, &[shutdown()]), pinned(&request(ST, &[shutdown()])))
        .send(&answer(CT, &[shutdown_ack()]), back(&answer(CT, &[shutdown_ack()])))
        .send(&request(ST, &[shutdown_complete()]), pinned(&request(ST, &[shutdown_complete()])));
    vec![
        Case::new("restart: an INIT goes to the pinned endpoint, though it drains and the algorithm says another")
            .after(&established(CT, ST))
            .act(Act::Reload(crate::cases::reload::moved()))
            .send(&again, pinned(&again)),
        Case::new("restart: the old pin holds until the COOKIE ACK, and ends with it")
            .after(&restarted)
            .flow(peer(), to("n2", "a", State::Established).tag(CT2))
            .flow(Key::Association("n2", PORT, ST2), to("n2", "a", State::Established).tag(CT2))
            .flow(Key::Association("n2", PORT, ST), to("n2", "a", State::Closed).tag(CT))
            .flow(Key::Reply("n2", "a", PORT, CT), own("n2", State::Closed).tag(ST))
            .flows(5),
        Case::new("restart: an INIT goes to another endpoint when the pinned one is down")
            .after(&established(CT, ST))
            .act(Act::Reload(crate::cases::reload::failed()))
            .send(&again, to_b.clone())
            .flow(peer(), to("n2", "b", State::Opening).tag(CT2))
            .send(&from_b, transmits(Reason::Replied, &crate::cases::replied(&from_b, AMF)))
            .flow(Key::Association("n2", PORT, ST2), to("n2", "b", State::Acked).tag(CT2)),
        Case::new("an INIT retransmitted with its tag goes to another endpoint when the first one is down")
            .send(&request(0, &[init(CT)]), placed(&request(0, &[init(CT)])))
            .act(Act::Reload(crate::cases::reload::failed()))
            .send(&request(0, &[init(CT)]), transmits(Reason::Placed, &towards(&request(0, &[init(CT)]), OTHER)))
            .flow(peer(), to("n2", "b", State::Opening).tag(CT))
            .flow(Key::Reply("n2", "b", PORT, CT), own("n2", State::Opening)),
        Case::new("restart: an INIT with the tag of before goes to another endpoint when the pinned one is down")
            .after(&established(CT, ST))
            .act(Act::Reload(crate::cases::reload::failed()))
            .send(&request(0, &[init(CT)]), transmits(Reason::Placed, &towards(&request(0, &[init(CT)]), OTHER)))
            .flow(peer(), to("n2", "b", State::Opening).tag(CT)),
        Case::new("an INIT after an ABORT is placed anew")
            .after(&established(CT, ST))
            .send(&request(ST, &[abort()]), pinned(&request(ST, &[abort()])))
            .act(Act::Reload(crate::cases::reload::moved()))
            .send(&again, to_b.clone()),
        Case::new("an INIT after a shutdown is placed anew")
            .after(&shut)
            .act(Act::Reload(crate::cases::reload::moved()))
            .send(&again, to_b),
        Case::new("an INIT after a shutdown, with the tag of before")
            .after(&shut)
            .send(&request(0, &[init(CT)]), placed(&request(0, &[init(CT)])))
            .flow(Key::Reply("n2", "a", PORT, CT), own("n2", State::Opening)),
        Case::new(
            "an INIT after a shutdown, retransmitted, goes where it was placed, whatever the algorithm says",
        )
        .after(&shut)
        .send(&again, transmits(Reason::Placed, &towards(&again, OWN)))
        .act(Act::Reload(crate::cases::reload::moved()))
        .send(&again, pinned(&again))
        .flow(Key::Reply("n2", "a", PORT, CT2), own("n2", State::Opening)),
    ]
}
