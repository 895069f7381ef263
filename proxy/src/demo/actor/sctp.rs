//! What gNBs and AMFs have in common: a multi-homed SCTP endpoint whose timers are those of one site, not of the
//! internet, so that a cut path and a dead peer are noticed while somebody watches.

use std::time::Duration;

use pinion_protocols::ip::protocol;
use pinion_protocols::sctp::endpoint::{Config, Datagram, Endpoint, Time};
use pinion_transport::link::Packet;

/// An endpoint. No two may have the same role and number.
pub(super) fn endpoint(role: u8, number: u8) -> Endpoint {
    let config = Config {
        rto_initial: Duration::from_millis(200),
        rto_min: Duration::from_millis(150),
        rto_max: Duration::from_millis(400),
        path_max_retransmissions: 2,
        association_max_retransmissions: 4,
        max_init_retransmissions: 30,
        heartbeat_interval: Some(Duration::from_millis(500)),
        sack_delay: Duration::from_millis(20),
        ..Config::default()
    };
    Endpoint::new(config, seed(role, number))
}

/// The same, for associations that are to outlast a busy machine and everything else that happens.
pub(super) fn patient(role: u8, number: u8) -> Endpoint {
    let config = Config {
        rto_initial: Duration::from_millis(500),
        rto_min: Duration::from_millis(300),
        rto_max: Duration::from_secs(1),
        association_max_retransmissions: 200,
        max_init_retransmissions: 60,
        heartbeat_interval: Some(Duration::from_secs(1)),
        sack_delay: Duration::from_millis(20),
        outbound_streams: 64,
        ..Config::default()
    };
    Endpoint::new(config, seed(role, number))
}

fn seed(role: u8, number: u8) -> [u8; 32] {
    let mut seed = [0x5a; 32];
    seed[0] = role;
    seed[1] = number;
    seed
}

/// Gives the endpoint a packet.
pub(super) fn receive(endpoint: &mut Endpoint, now: Time, packet: Packet) {
    let Packet { source, destination, payload, .. } = packet;
    endpoint.receive(now, &Datagram { source, destination, bytes: payload });
}

/// The endpoint's next packet.
pub(super) fn poll(endpoint: &mut Endpoint, now: Time) -> Option<Packet> {
    let sent = endpoint.poll_transmit(now)?;
    let packet = Packet::new(sent.source, sent.destination, protocol::SCTP, sent.bytes);
    Some(Packet { fragment: sent.fragment, ..packet })
}
