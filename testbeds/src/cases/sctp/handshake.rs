//! The handshake and steady traffic, on any path.

use pinion_steering::{Reason, State};

use super::{
    AMF, AMF1, CT, GNB, GNB1, OWN, OWN1, PORT, ST, acked, answer, back, established, half, init, init_ack,
    init_ack_out, pinned, placed, request,
};
use crate::cases::places::{A, A6, A61, B, C, C1, C6, C61, D, S, S1, S6, S61};
use crate::cases::{Act, Case, Key, drops, own, passes, replied, to, towards, transmits};
use crate::packets::sctp::{
    address, asconf, asconf_ack, cookie, cookie_ack, cookie_echo, data, error, heartbeat, heartbeat_ack,
    init as init_chunk, init_ack as init_ack_chunk, sack,
};
use crate::packets::{Frame, sctp};

pub(super) fn cases() -> Vec<Case> {
    [opening(), steady(), paths(), v6(), clients(), repeated()].concat()
}

fn association(state: State) -> (Key, crate::cases::At) {
    (Key::Association("n2", PORT, ST), to("n2", "a", state).tag(CT))
}

fn reply(state: State, tag: u32) -> (Key, crate::cases::At) {
    (Key::Reply("n2", "a", PORT, CT), own("n2", state).tag(tag))
}

fn peer(state: State) -> (Key, crate::cases::At) {
    (Key::Peer("n2", PORT, vec![C, C1]), to("n2", "a", state).tag(CT))
}

trait Holds {
    fn holds(self, flow: (Key, crate::cases::At)) -> Case;
}

impl Holds for Case {
    fn holds(self, (key, at): (Key, crate::cases::At)) -> Case {
        self.flow(key, at)
    }
}

fn opening() -> Vec<Case> {
    let first = request(0, &[init(CT)]);
    let echo = request(ST, &[cookie_echo(&[0xc0; 180]), data(b"NGSetup")]);
    vec![
        Case::new("SCTP: an INIT is placed, and pinned by tag and by client")
            .send(&first, placed(&first))
            .holds(reply(State::Opening, 0))
            .holds(peer(State::Opening))
            .flows(2),
        Case::new("SCTP: an INIT ACK pins the server's tag before it leaves")
            .after(&half(CT, ST))
            .holds(association(State::Acked))
            .holds(reply(State::Acked, ST))
            .holds(peer(State::Opening))
            .flows(3),
        Case::new("SCTP: a COOKIE ECHO with DATA")
            .after(&half(CT, ST))
            .send(&echo, pinned(&echo))
            .holds(association(State::Echoed))
            .holds(reply(State::Echoed, ST)),
        Case::new("SCTP: a COOKIE ACK establishes")
            .after(&established(CT, ST))
            .holds(association(State::Established))
            .holds(reply(State::Established, ST))
            .holds(peer(State::Established))
            .flows(3),
        Case::new("SCTP: a service without an endpoint that is up drops the INIT")
            .send(&first.clone().to(S, 38417), drops(Reason::NoEndpoint))
            .flows(0),
        Case::new("SCTP: an INIT whose hop count ends here pins nothing")
            .send(&first.clone().ttl(1), drops(Reason::TtlExpired))
            .flows(0),
        Case::new("SCTP: an INIT ACK whose hop count ends here pins nothing")
            .send(&first, placed(&first))
            .send(&answer(CT, &[init_ack(ST)]).ttl(1), drops(Reason::TtlExpired))
            .no_flow(Key::Association("n2", PORT, ST))
            .holds(reply(State::Opening, 0)),
        Case::new("SCTP: an INIT ACK to nobody's INIT passes, and is not rewritten")
            .send(&answer(CT, &[init_ack(ST)]), passes(Reason::ReplyWithoutPin))
            .flows(0),
    ]
}

fn steady() -> Vec<Case> {
    let to_server = |name, frame: Frame| {
        let expect = pinned(&frame);
        Case::new(name).after(&established(CT, ST)).send(&frame, expect).holds(association(State::Established))
    };
    let to_client = |name, frame: Frame| {
        let expect = back(&frame);
        Case::new(name).after(&established(CT, ST)).send(&frame, expect).holds(reply(State::Established, ST))
    };
    vec![
        to_server("SCTP: DATA to the server", request(ST, &[data(b"UplinkNASTransport")])),
        to_server("SCTP: DATA of 1,400 bytes, bundled", request(ST, &[sack(), data(&[7; 1372])])),
        to_server("SCTP: SACK to the server", request(ST, &[sack()])),
        to_server("SCTP: ERROR ends nothing", request(ST, &[error()])),
        to_server("SCTP: HEARTBEAT's information is not touched", request(ST, &[heartbeat(&[10, 0, 101, 2])])),
        to_server(
            "SCTP: an ASCONF of the client goes on: its addresses are its own",
            request(ST, &[asconf(C, D)]),
        ),
        to_client("SCTP: DATA to the client", answer(CT, &[data(b"DownlinkNASTransport")])),
        to_client("SCTP: SACK to the client", answer(CT, &[sack()])),
        to_client("SCTP: HEARTBEAT ACK to the client", answer(CT, &[heartbeat_ack(&[10, 0, 101, 2])])),
        to_client("SCTP: ERROR to the client ends nothing", answer(CT, &[error()])),
        Case::new("SCTP: an ASCONF of the endpoint would tell its addresses")
            .after(&established(CT, ST))
            .send(&answer(CT, &[asconf(A, B)]), drops(Reason::AddressChange))
            .send(&answer(CT, &[asconf_ack()]), drops(Reason::AddressChange)),
        Case::new("SCTP: when it was last seen moves with the clock, both ways")
            .after(&established(CT, ST))
            .act(Act::Wait(9))
            .send(&request(ST, &[heartbeat(b"x")]), pinned(&request(ST, &[heartbeat(b"x")])))
            .holds(association(State::Established))
            .send(&answer(CT, &[heartbeat_ack(b"x")]), back(&answer(CT, &[heartbeat_ack(b"x")])))
            .holds(reply(State::Established, ST)),
    ]
}

fn paths() -> Vec<Case> {
    let beat = sctp(GNB1, AMF1, ST, &[heartbeat(b"path 1")]);
    let echo = sctp(OWN1, GNB1, CT, &[heartbeat_ack(b"path 1")]);
    let crossed = sctp(GNB1, AMF, ST, &[data(b"from path 1 to path 0")]);
    let crossed_back = sctp(OWN1, GNB, CT, &[data(b"from path 1 to path 0")]);
    let other = sctp(OWN1, GNB, CT, &[init_ack(ST)]);
    let other_out = replied(&sctp(OWN1, GNB, CT, &[init_ack_out(ST)]), AMF1);
    let unlisted = sctp((D, PORT), AMF1, ST, &[data(b"from an address that INIT did not list")]);
    vec![
        Case::new("SCTP: a second path needs no pins of its own")
            .after(&established(CT, ST))
            .send(&beat, transmits(Reason::Pinned, &towards(&beat, OWN1)))
            .send(&echo, transmits(Reason::Replied, &replied(&echo, AMF1)))
            .flows(3),
        Case::new("SCTP: from the client's path 1 to the service's path 0, and back crosswise")
            .after(&established(CT, ST))
            .send(&crossed, pinned(&crossed))
            .send(&crossed_back, transmits(Reason::Replied, &replied(&crossed_back, AMF1))),
        Case::new("SCTP: the tag tells the association, not the client's address")
            .after(&established(CT, ST))
            .send(&unlisted, transmits(Reason::Pinned, &towards(&unlisted, OWN1))),
        Case::new("SCTP: an endpoint answers an INIT from its other path")
            .send(&request(0, &[init(CT)]), placed(&request(0, &[init(CT)])))
            .send(&other, transmits(Reason::Replied, &other_out))
            .holds(association(State::Acked)),
        Case::new("SCTP: an INIT on path 1 goes to path 1 of the endpoint").send(
            &sctp(GNB1, AMF1, 0, &[init(CT)]),
            transmits(Reason::Placed, &towards(&sctp(GNB1, AMF1, 0, &[init(CT)]), OWN1)),
        ),
    ]
}

fn v6() -> Vec<Case> {
    let (gnb, amf, own6) = ((C6, PORT), (S6, 38412), (A6, 38412));
    let first = sctp(gnb, amf, 0, &[init_chunk(CT, &[address(C6), address(C61)])]);
    let ack = |own: [_; 2]| init_ack_chunk(ST, &[address(own[0]), cookie(60), address(own[1])]);
    let sent = sctp(own6, gnb, CT, &[ack([A6, A61])]);
    let out = replied(&sctp(own6, gnb, CT, &[ack([S6, S61])]), amf);
    let half = Case::new("half")
        .send(&first, transmits(Reason::Placed, &towards(&first, own6)))
        .send(&sent, transmits(Reason::Replied, &out));
    let echo = sctp(gnb, amf, ST, &[cookie_echo(b"cook")]);
    let cookie_ack = sctp(own6, gnb, CT, &[cookie_ack()]);
    let second = sctp((C61, PORT), (S61, 38412), ST, &[data(b"path 1")]);
    vec![
        Case::new("SCTP: IPv6, the handshake").after(&half).flows(3),
        Case::new("SCTP: IPv6, steady on path 1")
            .after(&half)
            .send(&echo, transmits(Reason::Pinned, &towards(&echo, own6)))
            .send(&cookie_ack, transmits(Reason::Replied, &replied(&cookie_ack, amf)))
            .send(&second, transmits(Reason::Pinned, &towards(&second, (A61, 38412))))
            .flow(Key::Association("n26", PORT, ST), to("n26", "a", State::Established).tag(CT)),
    ]
}

fn clients() -> Vec<Case> {
    let (dt, st) = (0xd11e_0002, 0x5e5e_0002);
    let other = |tag, chunk| sctp((D, PORT), AMF, tag, &[chunk]);
    let first = other(0, init_chunk(dt, &[]));
    let sent = sctp(OWN, (D, PORT), dt, &[init_ack_chunk(st, &[cookie(8)])]);
    let (to_c, to_d) = (request(ST, &[data(b"c")]), other(st, data(b"d")));
    let from = |to, tag| sctp(OWN, to, tag, &[data(b"down")]);
    let both = Case::new("both")
        .after(&established(CT, ST))
        .send(&first, placed(&first))
        .send(&sent, back(&sent))
        .send(&to_c, pinned(&to_c))
        .send(&to_d, pinned(&to_d))
        .send(&from(GNB, CT), back(&from(GNB, CT)))
        .send(&from((D, PORT), dt), back(&from((D, PORT), dt)));
    vec![
        Case::new("SCTP: two clients with one port are two associations").after(&both).flows(6),
        Case::new("SCTP: two clients with one port and one tag collide at INIT")
            .send(&request(0, &[init(CT)]), placed(&request(0, &[init(CT)])))
            .send(&other(0, init_chunk(CT, &[])), drops(Reason::Collision))
            .holds(reply(State::Opening, 0))
            .flows(2),
        Case::new("SCTP: one server tag for two clients with one port collides at INIT ACK; another one does not")
            .after(&established(CT, ST))
            .send(&first, placed(&first))
            .send(&sctp(OWN, (D, PORT), dt, &[init_ack_chunk(ST, &[cookie(8)])]), drops(Reason::Collision))
            .holds(association(State::Established))
            .send(&first, pinned(&first))
            .send(&sent, back(&sent))
            .flow(Key::Association("n2", PORT, st), to("n2", "a", State::Acked).tag(dt)),
        Case::new("SCTP: one client's tag on two ports is two associations")
            .send(&request(0, &[init(CT)]), placed(&request(0, &[init(CT)])))
            .send(&sctp((C, 9488), AMF, 0, &[init(CT)]), placed(&sctp((C, 9488), AMF, 0, &[init(CT)])))
            .flows(4),
    ]
}

fn repeated() -> Vec<Case> {
    let first = request(0, &[init(CT)]);
    let second = sctp(GNB1, AMF1, 0, &[init(CT)]);
    let to_path_1 = transmits(Reason::Pinned, &towards(&second, OWN1));
    let (late, late_out) = acked(CT, 0x5e5e_0003);
    let echo = request(ST, &[cookie_echo(&[0xc0; 180])]);
    let (again, again_out) = acked(CT, ST);
    vec![
        Case::new("SCTP: a retransmitted INIT goes to the same endpoint")
            .send(&first, placed(&first))
            .send(&first, pinned(&first))
            .flows(2),
        Case::new("SCTP: an INIT retransmitted on path 1 goes to the same endpoint, of two that it might go to")
            .send(&first, placed(&first))
            .act(Act::Reload(crate::cases::reload::moved()))
            .send(&second, to_path_1)
            .holds(reply(State::Opening, 0))
            .flows(2),
        Case::new("SCTP: of two INIT ACKs the client takes up the first")
            .after(&half(CT, ST))
            .send(&first, pinned(&first))
            .send(&late, late_out)
            .holds(reply(State::Acked, 0x5e5e_0003))
            .send(&echo, pinned(&echo))
            .holds(reply(State::Echoed, ST))
            .holds(association(State::Echoed)),
        Case::new("SCTP: an INIT ACK that comes twice is sent on twice")
            .after(&half(CT, ST))
            .send(&again, again_out.clone())
            .flows(3),
        Case::new("SCTP: a retransmitted INIT of an established association does not set it back")
            .after(&established(CT, ST))
            .send(&first, pinned(&first))
            .holds(reply(State::Established, ST))
            .holds(peer(State::Established))
            .send(&again, again_out)
            .holds(association(State::Established))
            .holds(reply(State::Established, ST)),
        Case::new("SCTP: an INIT of an endpoint passes")
            .send(&sctp(OWN, GNB, 0, &[init_chunk(9, &[address(A)])]), passes(Reason::ReplyWithoutPin))
            .flows(0),
        Case::new("SCTP: a packet between strangers passes")
            .send(&sctp(GNB, (D, 38412), 9, &[data(b"x")]), passes(Reason::NotOurs))
            .send(&sctp(GNB, (S1, 38499), 9, &[data(b"x")]), passes(Reason::NotOurs)),
    ]
}
