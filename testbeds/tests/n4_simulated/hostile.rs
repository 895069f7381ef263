//! Bytes that nobody meant.

use testbeds::n4::{Datagram, Machine as _, Smf, SmfConfig, Upf, Wire, Wish};
use testbeds::packets::gtpu::Gtpu;

use super::common::{BEYOND, NOW, packet, pair, radio, session, smf_config, upf_config};

/// A machine takes whatever comes, and still serves those who mean it.
#[test]
fn no_bytes_stop_a_machine() {
    let (log, user_plane) = spoken();
    bolero::check!().with_type::<Vec<(u16, u16, u8)>>().for_each(|changes| {
        // Its sequence numbers are others than those of what was said.
        let (mut smf, mut upf) = pair(SmfConfig { seed: 2, ..smf_config(1) }, upf_config(9));
        for (which, at, value) in changes {
            let said = &log[usize::from(*which) % log.len()];
            let bytes = changed(&said.bytes, *at, *value);
            let to: &mut dyn testbeds::n4::Machine = if said.to == upf.socket() { &mut upf } else { &mut smf };
            to.receive(said.from, &bytes, NOW);
            for packet in &user_plane {
                upf.uplink(radio(), &changed(packet, *at, *value), NOW);
                upf.downlink(&changed(packet, *at, *value), NOW);
            }
        }
        smf.take();
        upf.take();
        still_serves(&mut smf, &mut upf);
    });
}

fn still_serves(smf: &mut Smf, upf: &mut Upf) {
    smf.associate(upf.socket(), NOW);
    let wish = Wish { ue: None, ..Wish::default() };
    session(smf, upf, &mut Wire::perfect(), &wish);
}

fn changed(bytes: &[u8], at: u16, value: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len();
    bytes[usize::from(at) % length] = value;
    // Every fourth is cut, too.
    bytes.truncate(if at.is_multiple_of(4) { usize::from(at) % length } else { length });
    bytes
}

/// All that is said in the life of a session, and packets of its user.
fn spoken() -> (Vec<Datagram>, Vec<Vec<u8>>) {
    let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
    let mut wire = Wire::perfect().logged();
    smf.associate(upf.socket(), NOW);
    let wish = Wish { ue: None, urr: true, endpoint: true, ..Wish::default() };
    let seid = session(&mut smf, &mut upf, &mut wire, &wish);
    let ue = smf.session(seid).unwrap().ue.unwrap();
    let (bearer, teid) = upf.session_of(ue).map(|(seid, bearer)| (seid, bearer.tunnel().unwrap().teid)).unwrap();
    upf.report_usage(bearer, NOW);
    upf.report_path_failure([203, 0, 113, 1].into(), NOW);
    smf.confirm(seid, NOW);
    smf.query(seid, NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    smf.delete(seid, NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    let up = Gtpu::data(teid, &packet(ue, BEYOND)).bytes();
    let disowned = Gtpu::error_indication(0x8000_0001, [203, 0, 113, 1]).bytes();
    (wire.log().to_vec(), vec![up, disowned, packet(BEYOND, ue)])
}
