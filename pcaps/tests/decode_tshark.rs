//! Every capture of the project and of the shared folder: what is decoded is what tshark shows, frame by frame and field by field.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use pinion_pcaps::capture;
use pinion_pcaps::decode::{Decoder, Value};

/// Values of the fields of one frame.
type Fields = BTreeMap<String, Vec<String>>;

/// Fields that must agree whatever else is in the frame.
const HEADERS: [&str; 11] = [
    "sctp.chunk_type",
    "sctp.verification_tag",
    "sctp.srcport",
    "sctp.dstport",
    "gtp.message",
    "gtp.teid",
    "gtpv2.message_type",
    "gtpv2.teid",
    "pfcp.version",
    "pfcp.msg_type",
    "pfcp.length",
];

const OTHERS: [&str; 202] = [
    "sctp.checksum",
    "sctp.chunk_flags",
    "sctp.chunk_length",
    "sctp.init_initiate_tag",
    "sctp.init_credit",
    "sctp.init_nr_out_streams",
    "sctp.init_nr_in_streams",
    "sctp.init_initial_tsn",
    "sctp.initack_initiate_tag",
    "sctp.initack_credit",
    "sctp.initack_nr_out_streams",
    "sctp.initack_nr_in_streams",
    "sctp.initack_initial_tsn",
    "sctp.data_e_bit",
    "sctp.data_b_bit",
    "sctp.data_u_bit",
    "sctp.data_i_bit",
    "sctp.data_tsn_raw",
    "sctp.data_sid",
    "sctp.data_ssn",
    "sctp.data_payload_proto_id",
    "sctp.data_reserved",
    "sctp.data_mid",
    "sctp.data_fsn",
    "sctp.sack_cumulative_tsn_ack_raw",
    "sctp.sack_a_rwnd",
    "sctp.sack_number_of_gap_blocks",
    "sctp.sack_number_of_duplicated_tsns",
    "sctp.sack_gap_block_start",
    "sctp.sack_gap_block_end",
    "sctp.sack_duplicate_tsn",
    "sctp.nr_sack_cumulative_tsn_ack",
    "sctp.nr_sack_a_rwnd",
    "sctp.nr_sack_number_of_gap_blocks",
    "sctp.nr_sack_number_of_nr_gap_blocks",
    "sctp.nr_sack_number_of_duplicated_tsns",
    "sctp.nr_sack_gap_block_start",
    "sctp.nr_sack_gap_block_end",
    "sctp.nr_sack_nr_gap_block_start",
    "sctp.nr_sack_nr_gap_block_end",
    "sctp.nr_sack_duplicate_tsn",
    "sctp.shutdown_cumulative_tsn_ack",
    "sctp.ecne_lowest_tsn",
    "sctp.cwr_lowest_tsn",
    "sctp.shutdown_complete_t_bit",
    "sctp.abort_t_bit",
    "sctp.forward_tsn_tsn",
    "sctp.forward_tsn_sid",
    "sctp.forward_tsn_ssn",
    "sctp.i_forward_tsn_tsn",
    "sctp.i_forward_tsn_sid",
    "sctp.i_forward_tsn_flags",
    "sctp.forward_tsn_mid",
    "sctp.parameter_type",
    "sctp.parameter_length",
    "sctp.parameter_ipv4_address",
    "sctp.parameter_ipv6_address",
    "sctp.parameter_cookie_preservative_incr",
    "sctp.parameter_hostname",
    "sctp.parameter_supported_address_type",
    "sctp.parameter_reconfig_request_sequence_number",
    "sctp.parameter_reconfig_response_sequence_number",
    "sctp.parameter_senders_last_assigned_tsn",
    "sctp.parameter_senders_next_tsn",
    "sctp.parameter_receivers_next_tsn",
    "sctp.parameter_reconfig_response_result",
    "sctp.parameter_reconfig_sid",
    "sctp.asconf_seq_nr_number",
    "sctp.asconf_ack_seq_nr_number",
    "sctp.correlation_id",
    "sctp.adaptation_layer_indication",
    "sctp.chunk_type_to_auth",
    "sctp.hmac_id",
    "sctp.shared_key_id",
    "sctp.supported_chunk_type",
    "sctp.cause_code",
    "sctp.cause_length",
    "sctp.cause_measure_of_staleness",
    "sctp.cause_tsn",
    "gtp.flags",
    "gtp.seq_number",
    "gtp.npdu_number",
    "gtp.length",
    "gtp.ext_hdr.next",
    "gtp.ext_hdr.length",
    "gtp.ext_hdr.udp_port",
    "gtp.ext_hdr.pdcp_sn",
    "gtp.ext_hdr.long_pdcp_sn",
    "gtp.ext_hdr.pdu_ses_con.pdu_type",
    "gtp.ext_hdr.pdu_ses_con.qos_flow_id",
    "gtp.ext_hdr.pdu_ses_cont.ppp",
    "gtp.ext_hdr.pdu_ses_cont.rqi",
    "gtp.ext_hdr.pdu_ses_cont.ppi",
    "gtp.recovery",
    "pfcp.seqno",
    "pfcp.fo_flag",
    "pfcp.mp_flag",
    "pfcp.s",
    "pfcp.seid",
    "pfcp.ie_type",
    "pfcp.ie_len",
    "pfcp.enterprise_id",
    "pfcp.cause",
    "pfcp.source_interface",
    "pfcp.dst_interface",
    "pfcp.flow_desc",
    "pfcp.precedence",
    "pfcp.offending_ie",
    "pfcp.metric",
    "pfcp.pdr_id",
    "pfcp.f_seid.ipv4",
    "pfcp.f_seid.ipv6",
    "pfcp.node_id_type",
    "pfcp.node_id_ipv4",
    "pfcp.node_id_ipv6",
    "pfcp.node_id_fqdn",
    "pfcp.far_id",
    "pfcp.urr_id",
    "pfcp.qer_id",
    "pfcp.bar_id",
    "pfcp.apply_action.drop",
    "pfcp.apply_action.forw",
    "pfcp.apply_action.buff",
    "pfcp.apply_action.nocp",
    "pfcp.apply_action.dupl",
    "pfcp.apply_action.ipma",
    "pfcp.apply_action.ipmd",
    "pfcp.apply_action.dfrt",
    "pfcp.apply_action.edrt",
    "pfcp.apply_action.bdpn",
    "pfcp.apply_action.ddpn",
    "pfcp.apply_action.fssm",
    "pfcp.apply_action.mbsu",
    "pfcp.report_type.dldr",
    "pfcp.report_type.usar",
    "pfcp.report_type.erir",
    "pfcp.report_type.upir",
    "pfcp.report_type.tmir",
    "pfcp.report_type.sesr",
    "pfcp.report_type.uisr",
    "pfcp.node_report_type.upfr",
    "pfcp.node_report_type.uprr",
    "pfcp.node_report_type.ckdr",
    "pfcp.node_report_type.gpqr",
    "pfcp.node_report_type.purr",
    "pfcp.node_report_type.pvsrurr",
    "pfcp.outer_hdr_creation.teid",
    "pfcp.outer_hdr_creation.ipv4",
    "pfcp.outer_hdr_creation.ipv6",
    "pfcp.outer_hdr_creation.port",
    "pfcp.out_hdr_desc",
    "pfcp.ue_ip_addr_ipv4",
    "pfcp.ue_ip_addr_ipv6",
    "pfcp.pdn_type",
    "pfcp.qfi_value",
    "pfcp.traffic_endpoint_id",
    "pfcp.f_teid_flags.ch",
    "pfcp.f_teid_flags.v4",
    "pfcp.f_teid_flags.v6",
    "pfcp.f_teid.teid",
    "pfcp.f_teid.ipv4_addr",
    "pfcp.f_teid.ipv6_addr",
    "gtpv2.flags",
    "gtpv2.msg_length",
    "gtpv2.seq",
    "gtpv2.ie_type",
    "gtpv2.ie_len",
    "gtpv2.instance",
    "gtpv2.cause",
    "gtpv2.rec",
    "gtpv2.apn",
    "gtpv2.ebi",
    "gtpv2.rat_type",
    "gtpv2.f_teid_interface_type",
    "gtpv2.f_teid_gre_key",
    "gtpv2.f_teid_ipv4",
    "gtpv2.f_teid_ipv6",
    "gtpv2.pdn_type",
    "gtpv2.pdn_addr_and_prefix.ipv4",
    "gtpv2.pdn_addr_and_prefix.ipv6",
    "e212.imsi",
    "diameter.length",
    "diameter.flags",
    "diameter.cmd.code",
    "diameter.applicationId",
    "diameter.hopbyhopid",
    "diameter.endtoendid",
    "diameter.Session-Id",
    "diameter.Origin-Host",
    "diameter.Origin-Realm",
    "diameter.Destination-Host",
    "diameter.Destination-Realm",
    "diameter.User-Name",
    "diameter.Result-Code",
    "ngap.NGAP_PDU",
    "ngap.procedureCode",
    "ngap.AMF_UE_NGAP_ID",
    "ngap.RAN_UE_NGAP_ID",
    "s1ap.S1AP_PDU",
    "s1ap.procedureCode",
    "s1ap.MME_UE_S1AP_ID",
    "s1ap.ENB_UE_S1AP_ID",
];

/// Fields of GTP-U elements that GTPv1-C and GTP' have too. Of those nothing is decoded but the header.
const ELEMENTS: [&str; 5] = ["gtp.length", "gtp.recovery", "gtp.teid_data", "gtp.gsn_ipv4", "gtp.ext_hdr_type"];

#[test]
fn every_capture_decodes_as_in_tshark() {
    if Command::new("tshark").arg("--version").output().is_err() {
        let _ = writeln!(std::io::stderr(), "\nskipped: tshark is not installed");
        return;
    }
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = capture::below(&room.join("captures"));
    assert!(!files.is_empty(), "no captures of the project");
    let shared = capture::below(&room.join("../../shared/pcaps"));
    if shared.is_empty() {
        let _ = writeln!(std::io::stderr(), "\nskipped: no captures in ../shared/pcaps");
    }
    files.extend(shared);
    let mut compared = 0_usize;
    let mut wrong = Vec::new();
    for file in files {
        let (expected, decoded) = (tshark(&file), pinion(&file));
        for (number, expected) in &expected {
            let nothing = Fields::new();
            let decoded = decoded.get(number).unwrap_or(&nothing);
            // frame.number and frame.protocols are always there.
            compared += expected.len() - 2;
            for difference in differences(expected, decoded) {
                wrong.push(format!("{}, frame {number}: {difference}", file.display()));
            }
        }
        for number in decoded.keys() {
            assert!(expected.contains_key(number), "{}: {number}", file.display());
        }
    }
    println!("{compared} fields compared");
    assert!(compared > 1_000, "only {compared} fields were compared");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where a frame differs from tshark's, and should not.
fn differences(expected: &Fields, decoded: &Fields) -> Vec<String> {
    let broken = decoded.contains_key("error");
    let mut differences = Vec::new();
    for &name in HEADERS.iter().chain(&OTHERS).chain(&ELEMENTS) {
        if excepted(name, expected, decoded) {
            continue;
        }
        let (expected, decoded) = (values(expected, name), values(decoded, name));
        // Of a packet that is not whole, tshark shows single fields of a value that is cut.
        let agree = match broken && !HEADERS.contains(&name) {
            true => expected.starts_with(decoded),
            false => expected == decoded,
        };
        if !agree {
            differences.push(format!("{name}: tshark {expected:?}, decoded {decoded:?}"));
        }
    }
    differences
}

/// Where tshark 4.0 is not followed.
fn excepted(name: &str, expected: &Fields, decoded: &Fields) -> bool {
    let protocols = values(expected, "frame.protocols").join(",");
    // TS 29.281 4.4.2 has GTP-U on UDP alone; tshark sees GTP on TCP ports as well.
    let on_tcp = name.starts_with("gtp.") && protocols.contains("tcp:gtp");
    // Of GTPv1-C and GTP' only headers are decoded.
    let user_plane = ["1", "2", "26", "31", "254", "255"].map(str::to_owned);
    let control = protocols.contains("gtpprime")
        || values(expected, "gtp.message").iter().any(|kind| !user_plane.contains(kind));
    // It has nothing of an SCTP packet that ends in its header, as ICMP errors quote it: the ports are there.
    let header_cut = values(decoded, "sctp.verification_tag").is_empty();
    // It rounds the length of a chunk up in 16 bits, 65,533 and more to 0, and shows nothing of such a chunk.
    let lengths = values(decoded, "sctp.chunk_length");
    let rounded = lengths.iter().any(|length| length.parse::<u16>().unwrap() > 65_532);
    // It opens groups of some vendors.
    let vendors = values(expected, "pfcp.enterprise_id").iter().any(|vendor| vendor != "18681");
    // It shows the same names for parts of elements that are not looked into, PFD Contents and Downlink Data Service Information, the spare
    // bit of a QFI, and escapes what cannot be shown.
    let kinds = values(expected, "pfcp.ie_type");
    let escaped = values(decoded, name).iter().any(|value| value.chars().any(char::is_control));
    let has = |kind: &str| kinds.iter().any(|other| other == kind);
    let parts = match name {
        "pfcp.flow_desc" => escaped || has("61"),
        "pfcp.qfi_value" => {
            has("45") || values(expected, name).iter().any(|flow| flow.parse::<u8>().unwrap() > 63)
        }
        _ => false,
    };
    // Other protocols have subscribers too.
    let others = name == "e212.imsi" && !protocols.contains("gtpv2");
    // It looks into DATA that was sent before only once.
    let again = ["ngap", "s1ap"].iter().any(|ap| name.starts_with(ap) && !protocols.contains(ap));
    // It shows those of UE-S1AP-IDs and of the items of a reset twice.
    let within = values(expected, "s1ap.procedureCode").iter().any(|code| code == "14" || code == "23");
    let once = |fields| {
        let mut values = values(fields, name).to_vec();
        values.dedup();
        values
    };
    let twice = within && name.ends_with("_UE_S1AP_ID") && once(expected) == once(decoded);
    // It ends a message where something within a container is not what it expects, and looks into transfers of PDU sessions, which may name
    // procedures of their own.
    let (theirs, ours) = (values(expected, name), values(decoded, name));
    let ended = expected.contains_key("_ws.malformed") && ours.starts_with(theirs);
    let kinds = values(decoded, &name.replace("procedureCode", &pdu(name))).len();
    let mut rest = theirs.iter();
    let transfers = name.ends_with(".procedureCode")
        && kinds > 0
        && ours.len() >= kinds
        && ours.iter().all(|code| rest.any(|other| other == code));
    let application = ["ngap.", "s1ap."].iter().any(|ap| name.starts_with(ap)) && (ended || transfers);
    on_tcp
        || others
        || twice
        || application
        || again
        || vendors && name.starts_with("pfcp.")
        || parts
        || control && ELEMENTS.contains(&name)
        || header_cut && ["sctp.srcport", "sctp.dstport"].contains(&name)
        || rounded && name.starts_with("sctp.") && name != "sctp.verification_tag"
}

/// The field that says of which of three kinds a message is, beside its procedure's code.
fn pdu(name: &str) -> String {
    format!("{}_PDU", name.get(..4).unwrap().to_uppercase())
}

fn values<'a>(fields: &'a Fields, name: &str) -> &'a [String] {
    fields.get(name).map_or(&[], Vec::as_slice)
}

fn tshark(file: &Path) -> BTreeMap<u64, Fields> {
    let mut names = vec!["frame.number", "frame.protocols", "_ws.malformed"];
    names.extend(HEADERS.iter().chain(&OTHERS).chain(&ELEMENTS));
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(file).args(["-T", "fields", "-E", "occurrence=a"]);
    command.args(["-E", "aggregator=\u{1f}"]);
    for name in &names {
        command.args(["-e", name]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut frames = BTreeMap::new();
    for line in text.lines() {
        let mut fields = Fields::new();
        for (name, value) in names.iter().zip(line.split('\t')) {
            if !value.is_empty() {
                let values = value.split('\u{1f}').map(number).collect();
                fields.insert((*name).to_owned(), values);
            }
        }
        frames.insert(fields["frame.number"][0].parse().unwrap(), fields);
    }
    frames
}

/// Numbers as decimals, whatever base tshark likes.
fn number(text: &str) -> String {
    match text.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16)) {
        Some(Ok(number)) => number.to_string(),
        _ => text.to_owned(),
    }
}

fn pinion(file: &Path) -> BTreeMap<u64, Fields> {
    let mut frames: BTreeMap<u64, Fields> = BTreeMap::new();
    let mut capture = capture::open(file).unwrap();
    let mut decoder = Decoder::default();
    while let Some(frame) = capture.next().unwrap() {
        for message in decoder.decode(&frame) {
            let fields = frames.entry(frame.number).or_default();
            for (name, _) in message.fields() {
                let values = message.all(name).iter().map(Value::to_string);
                fields.entry((*name).to_owned()).or_default().extend(values);
            }
        }
    }
    frames
}
