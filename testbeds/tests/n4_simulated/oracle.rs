//! What the machines say, as Wireshark reads it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use pinion_pcaps::writer::Writer;
use testbeds::checksums::Judge;
use testbeds::n4::{Datagram, Machine as _, SmfConfig, Tunnel, Uplink, Wire, Wish};
use testbeds::need;
use testbeds::packets::gtpu::Gtpu;
use testbeds::packets::udp;

use super::common::{BEYOND, NOW, flawless, gnb, packet, radio, session, smf_config, upf_config};

#[test]
fn wireshark_reads_what_was_meant() {
    let judge = need!(Judge::find());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("n4.pcapng");
    write(&file, &everything());
    let filters: Vec<_> = MEANT.iter().map(|(filter, _)| *filter).collect();
    for ((filter, count), found) in MEANT.iter().zip(judge.counts(&file, &filters).unwrap()) {
        assert_eq!(found, *count, "{filter}");
    }
    assert_eq!(judge.wrong_checksums(&file).unwrap(), []);
}

/// Display filters, and how many frames they let through.
const MEANT: &[(&str, usize)] = &[
    ("_ws.malformed || _ws.expert.severity >= 0x600000", 0),
    ("pfcp", 50),
    // Associations: the SMF's, the same after its restart, the UPF's.
    ("pfcp.msg_type == 1 && pfcp.recovery_time_stamp && !pfcp.seid", 2),
    ("pfcp.msg_type == 5 && pfcp.recovery_time_stamp", 3),
    ("pfcp.msg_type == 5 && pfcp.node_id_ipv4 == 192.0.2.1 && pfcp.cp_function_features.bundl == 1", 2),
    ("pfcp.msg_type == 5 && pfcp.ie_type == 183 && pfcp.ie_type == 185", 1),
    ("pfcp.msg_type == 6 && pfcp.cause == 1 && pfcp.node_id_ipv4 == 192.0.2.1", 1),
    ("pfcp.msg_type == 6 && pfcp.cause == 1 && pfcp.node_id_ipv4 == 192.0.2.9", 2),
    ("pfcp.up_function_features.ftup == 1 && pfcp.up_function_features.empu == 1", 3),
    ("pfcp.up_function_features.ueip == 1 && pfcp.up_function_features.bundl == 0", 3),
    ("pfcp.msg_type == 6 && pfcp.asrsp_flags.flags.psrei == 1", 1),
    ("pfcp.msg_type == 7 && pfcp.assoc_rel_req.sarr == 1 && pfcp.ie_type == 112", 1),
    ("pfcp.msg_type == 9 && pfcp.node_id_ipv4 == 192.0.2.1", 1),
    ("pfcp.msg_type == 12 && pfcp.node_report_type.upfr == 1 && pfcp.ie_type == 103", 1),
    ("pfcp.msg_type == 14", 1),
    // Sessions: what is chosen by the UPF, and what by the SMF, which a second session cannot have.
    ("pfcp.msg_type == 50 && pfcp.seid == 0 && pfcp.f_seid.ipv4 == 192.0.2.1 && pfcp.out_hdr_desc == 0", 5),
    ("pfcp.msg_type == 50 && pfcp.f_teid_flags.ch == 1 && pfcp.ue_ip_address_flag.chv4 == 1", 3),
    ("pfcp.msg_type == 50 && pfcp.f_teid.teid == 0x7700 && pfcp.f_teid.ipv4_addr == 198.51.100.9", 2),
    ("pfcp.msg_type == 50 && pfcp.ue_ip_addr_ipv4 == 10.60.0.1 && pfcp.s_nssai_sst.sst == 1", 2),
    ("pfcp.msg_type == 50 && pfcp.apply_action.forw == 1 && pfcp.apply_action.nocp == 1", 5),
    ("pfcp.msg_type == 50 && pfcp.apn_dnn == \"internet\" && pfcp.qfi_value == 9", 5),
    ("pfcp.msg_type == 51 && pfcp.seid == 1 && pfcp.cause == 1 && pfcp.f_seid.ipv4 == 192.0.2.9", 1),
    ("pfcp.msg_type == 51 && pfcp.f_teid.ipv4_addr == 198.51.100.9 && pfcp.ue_ip_addr_ipv4 == 10.9.0.1", 1),
    ("pfcp.msg_type == 51 && pfcp.cause == 71 && pfcp.offending_ie == 21", 1),
    ("pfcp.msg_type == 52 && pfcp.outer_hdr_creation.teid == 0x80000001 && pfcp.dst_interface == 0", 1),
    ("pfcp.msg_type == 52 && pfcp.outer_hdr_creation.ipv4 == 203.0.113.1", 4),
    ("pfcp.msg_type == 53 && pfcp.usage_report_trigger.immer == 1 && pfcp.volume_measurement.tovol == 66", 1),
    ("pfcp.msg_type == 55 && pfcp.usage_report_trigger.term == 1 && pfcp.ur_seqn == 2", 1),
    // Tunnels said again: a rule's, a traffic endpoint's.
    ("pfcp.msg_type == 52 && pfcp.ie_type == 9 && pfcp.f_teid.teid == 2 && pfcp.ue_ip_addr_ipv4 == 10.9.0.2", 1),
    ("pfcp.msg_type == 50 && pfcp.ie_type == 127 && pfcp.ie_type == 131 && pfcp.f_teid_flags.ch == 1", 1),
    ("pfcp.msg_type == 51 && pfcp.ie_type == 128 && pfcp.f_teid.teid == 3 && pfcp.ue_ip_addr_ipv4 == 10.9.0.3", 1),
    ("pfcp.msg_type == 52 && pfcp.ie_type == 129 && pfcp.f_teid.teid == 3", 1),
    // Reports: 33 octets each way, packets that wait, a tunnel that the gNB does not know, a session that is over.
    (
        "pfcp.report_type.usar == 1 && pfcp.usage_report_trigger_flags.volth == 1 && pfcp.volume_measurement.ulvol == 33",
        1,
    ),
    ("pfcp.report_type.dldr == 1 && pfcp.pdr_id == 2", 1),
    ("pfcp.report_type.erir == 1 && pfcp.f_teid.teid == 0x80000001", 1),
    ("pfcp.report_type.usar == 1 && pfcp.srreq_flags.psdbu == 1 && pfcp.usage_report_trigger.term == 1", 1),
    ("pfcp.fo_flag == 1 && pfcp.msg_type == 52 && pfcp.msg_type == 54", 1),
    ("pfcp.fo_flag == 1 && pfcp.msg_type == 57", 1),
    // The user plane.
    ("gtp.message == 255 && gtp.teid == 1 && gtp.ext_hdr.pdu_ses_con.pdu_type == 1", 1),
    ("gtp.message == 255 && gtp.teid == 0x80000001 && gtp.ext_hdr.pdu_ses_con.qos_flow_id == 9", 1),
    ("gtp.message == 255 && gtp.ext_hdr.pdu_ses_con.pdu_type == 0 && ip.dst == 10.9.0.1", 1),
    ("gtp.message == 26 && gtp.teid_data == 0xdead && gtp.gsn_ipv4 == 198.51.100.9", 1),
    ("gtp.message == 2 && gtp.seq_number == 7", 1),
];

/// Every message that the machines have.
fn everything() -> Vec<Datagram> {
    let mut wire = Wire::perfect().logged();
    let mut upf_config = upf_config(9);
    upf_config.epfar = true;
    let smf_config = SmfConfig { bundle: Some(1400), ..smf_config(1) };
    let mut smf = testbeds::n4::Smf::new(smf_config);
    let mut upf = testbeds::n4::Upf::new(upf_config);
    macro_rules! run {
        () => {
            wire.run(&mut [&mut smf, &mut upf], Duration::from_secs(90))
        };
    }
    smf.associate(upf.socket(), NOW);
    run!();
    smf.heartbeat(upf.socket(), NOW);
    upf.heartbeat(NOW);
    run!();

    let chosen = Wish { ue: None, urr: true, ..Wish::default() };
    let seid = session(&mut smf, &mut upf, &mut wire, &chosen);
    let ue = smf.session(seid).unwrap().ue.unwrap();
    let (bearer, teid) = upf.session_of(ue).map(|(seid, bearer)| (seid, bearer.tunnel().unwrap().teid)).unwrap();
    let mut user_plane = Vec::new();
    let mut qos = Gtpu::data(teid, &packet(ue, BEYOND));
    qos.extensions = vec![(0x85, vec![0x10, 9])];
    let up = Datagram { from: radio(), to: SocketAddr::new([198, 51, 100, 9].into(), 2152), bytes: qos.bytes() };
    assert!(upf.uplink(radio(), &up.bytes, NOW).inner().is_some());
    user_plane.push(up);
    user_plane.push(upf.downlink(&packet(BEYOND, ue), NOW).unwrap());
    for message in [Gtpu::data(0xdead, &packet(ue, BEYOND)), Gtpu::echo_request(Some(7))] {
        let Uplink::Answer(answer) = upf.uplink(radio(), &message.bytes(), NOW) else { panic!("no answer") };
        user_plane.push(answer);
    }
    upf.report_usage(bearer, NOW);
    upf.report_downlink(bearer, NOW);
    upf.report_error(bearer, gnb(1), NOW);
    run!();
    smf.query(seid, NOW);
    smf.deactivate(seid, NOW);
    smf.delete(seid, NOW);
    run!();

    // Said again by a rule, and by a traffic endpoint.
    for endpoint in [false, true] {
        let chosen = Wish { ue: None, endpoint, ..Wish::default() };
        let seid = session(&mut smf, &mut upf, &mut wire, &chosen);
        smf.confirm(seid, NOW);
        run!();
    }

    let slice = Some(pinion_protocols::pfcp::SNssai { sst: 1, sd: [0, 0, 7] });
    let uplink = Some(Tunnel { teid: 0x7700, address: [198, 51, 100, 9].into() });
    let given = Wish { uplink, slice, urr: true, ..Wish::default() };
    let seid = session(&mut smf, &mut upf, &mut wire, &given);
    smf.establish(upf.socket(), &given, NOW);
    upf.report_path_failure([203, 0, 113, 1].into(), NOW);
    run!();
    upf.give_up(smf.session(seid).unwrap().up.unwrap().seid, NOW);
    run!();
    upf.release_gracefully(5, NOW);
    run!();
    smf.restart(0xe900_0000, true, NOW);
    run!();
    smf.delete_set(upf.socket(), NOW);
    run!();
    smf.release(upf.socket(), NOW);
    run!();
    upf.associate(smf.socket(), NOW);
    run!();
    flawless(&smf, &upf);
    [wire.log().to_vec(), user_plane].concat()
}

fn write(file: &Path, datagrams: &[Datagram]) {
    let mut writer = Writer::new(File::create(file).unwrap()).unwrap();
    for (second, Datagram { from, to, bytes }) in (1_790_000_000..).zip(datagrams) {
        let frame = udp((from.ip(), from.port()), (to.ip(), to.port()), bytes).bytes();
        writer.frame(Duration::from_secs(second), frame.len() as u32, &frame, None).unwrap();
    }
    writer.finish().unwrap();
}
