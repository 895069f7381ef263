//! Packets that no capture at hand has: each chunk type, each way of wrapping, and what is wrong or cut.
//!
//! The packets were made by scapy 2.6 from the expressions beside them; `C` is an SCTP common header from port 1 to 2 with tag 0xdeadbeef,
//! `S` a packet with DATA and SACK, and `T(flags, type, teid, rest)` a GTP header in front of `rest`. What is shown was written by tshark
//! 4.0: `name=value`, several values with commas between them. Left out are ports, checksums, and the fields of a SACK whose counts go
//! beyond it or the length 0 of an extension header, of which Pinion shows none. The errors are Pinion's own.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use pinion_pcaps::capture::Frame;
use pinion_pcaps::decode::{Decoder, Message};
use pinion_pcaps::link::LinkType;

struct Vector {
    scapy: &'static str,
    packet: &'static str,
    shown: &'static str,
    error: &'static str,
}

#[rustfmt::skip]
const VECTORS: &[Vector] = &[
    Vector {
        scapy: "IP(proto=132)/Raw(C+b'\\x0b\\0\\0\\4'*3)",
        packet: "4500002c0001000040847c4b7f0000017f00000100010002deadbeef000000000b0000040b0000040b000004",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=11,11,11 sctp.chunk_flags=0,0,0 \
            sctp.chunk_length=4,4,4",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('000300150000000700010002000000126162636465000000'+'000300110000000800010003000000126600'))",
        packet: "4500004a0001000040847c2d7f0000017f00000100010002deadbeef0000000000030015000000070001000200000012\
            6162636465000000000300110000000800010003000000126600",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0,0 sctp.chunk_flags=3,3 \
            sctp.chunk_length=21,17 sctp.data_e_bit=1,1 sctp.data_b_bit=1,1 sctp.data_u_bit=0,0 \
            sctp.data_i_bit=0,0 sctp.data_tsn_raw=7,8 sctp.data_sid=1,1 sctp.data_ssn=2,3 \
            sctp.data_payload_proto_id=18,18",
        error: "S1AP PDU at offset 0: there is no kind 3,S1AP PDU at offset 0: there is no kind 3",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('4003001b'+'0000000700030000000000010000003c'+'0009400300000000'))",
        packet: "4500003c0001000040847c3b7f0000017f00000100010002deadbeef000000004003001b000000070003000000000001\
            0000003c0009400300000000",
        shown: "sctp.chunk_type=64 sctp.chunk_length=27 sctp.data_mid=1 sctp.data_payload_proto_id=60 \
            ngap.NGAP_PDU=0 ngap.procedureCode=9",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C[:2]+b'\\x96\\x0c'+C[4:]+bytes.fromhex('00030017'+'00000007000300003c000000'+'0009400300000000'))",
        packet: "450000380001000040847c3f7f0000017f0000010001960cdeadbeef000000000003001700000007000300003c000000\
            0009400300000000",
        shown: "sctp.chunk_type=0 sctp.data_payload_proto_id=1006632960 ngap.NGAP_PDU=0 ngap.procedureCode=9",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('0300001c00000063000013880002000100020003000500090000006'+'1'))",
        packet: "4500003c0001000040847c3b7f0000017f00000100010002deadbeef000000000300001c000000630000138800020001\
            000200030005000900000061",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=3 sctp.chunk_flags=0 sctp.chunk_length=28 \
            sctp.sack_cumulative_tsn_ack_raw=99 sctp.sack_a_rwnd=5000 sctp.sack_number_of_gap_blocks=2 \
            sctp.sack_number_of_duplicated_tsns=1 sctp.sack_gap_block_start=2,5 \
            sctp.sack_gap_block_end=3,9 sctp.sack_duplicate_tsn=97",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('10000020'+'00000063'+'00001388'+'0001'+'0001'+'0001'+'0000'+'00020003'+'00050009'+'00000061'))",
        packet: "450000400001000040847c377f0000017f00000100010002deadbeef0000000010000020000000630000138800010001\
            00010000000200030005000900000061",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=16 sctp.chunk_flags=0 sctp.chunk_length=32 \
            sctp.nr_sack_cumulative_tsn_ack=99 sctp.nr_sack_a_rwnd=5000 \
            sctp.nr_sack_number_of_gap_blocks=1 sctp.nr_sack_number_of_nr_gap_blocks=1 \
            sctp.nr_sack_number_of_duplicated_tsns=1 sctp.nr_sack_gap_block_start=2 \
            sctp.nr_sack_gap_block_end=3 sctp.nr_sack_nr_gap_block_start=5 \
            sctp.nr_sack_nr_gap_block_end=9 sctp.nr_sack_duplicate_tsn=97",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('81000020000000010000000200000000')+S[:16])",
        packet: "450000400001000040847c377f0000017f00000100010002deadbeef0000000081000020000000010000000200000000\
            00010002deadbeef127b1a56000b0015",
        shown: "sctp.verification_tag=3735928559,3735928559 sctp.chunk_type=129,0 sctp.chunk_flags=0,11 \
            sctp.chunk_length=32,21 sctp.pktdrop_bandwidth=1 sctp.pktdrop_queuesize=2 \
            sctp.pktdrop_truncated_length=0 sctp.pktdrop_reserved=0",
        error: "SCTP chunk at offset 12: 4 bytes of 21 in a chunk of type 0",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('090000100006000cfe00000801020304'))",
        packet: "450000300001000040847c477f0000017f00000100010002deadbeef00000000090000100006000cfe00000801020304",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=9,254 sctp.chunk_flags=0,0 \
            sctp.chunk_length=16,8 sctp.cause_code=6 sctp.cause_length=12",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('09000010000200'+'0c'+'0000000200050007'))",
        packet: "450000300001000040847c477f0000017f00000100010002deadbeef00000000090000100002000c0000000200050007",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=9 sctp.chunk_flags=0 sctp.chunk_length=16 \
            sctp.cause_code=2 sctp.cause_length=12 sctp.cause_nr_of_missing_parameters=2 \
            sctp.cause_missing_parameter_type=5,7",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('0601001c0008000c80010008000000010009000800000009'+'00030004'))",
        packet: "4500003c0001000040847c3b7f0000017f00000100010002deadbeef000000000601001c0008000c8001000800000001\
            000900080000000900030004",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=6 sctp.chunk_flags=1 sctp.chunk_length=28 \
            sctp.cause_code=8,9,3 sctp.cause_length=12,8,4 sctp.abort_t_bit=1 sctp.parameter_type=32769 \
            sctp.parameter_length=8 sctp.cause_tsn=9",
        error: "SCTP Measure of Staleness at offset 40: 0 bytes of 4",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('0200002c01020304000010000001000200000005'+'00050008c0000201'+'800700080a0b0c0d'+'000b0008612e6200'))",
        packet: "4500004c0001000040847c2b7f0000017f00000100010002deadbeef000000000200002c010203040000100000010002\
            0000000500050008c0000201800700080a0b0c0d000b0008612e6200",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=2 sctp.chunk_flags=0 sctp.chunk_length=44 \
            sctp.parameter_type=5,32775,11 sctp.parameter_length=8,8,8 \
            sctp.initack_initiate_tag=16909060 sctp.initack_credit=4096 sctp.initack_nr_out_streams=1 \
            sctp.initack_nr_in_streams=2 sctp.initack_initial_tsn=5 \
            sctp.parameter_ipv4_address=192.0.2.1 sctp.parameter_hostname=a.b",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('80000014'+'00000009'+'c003000c'+'00000003'+'00a00004'))",
        packet: "450000340001000040847c437f0000017f00000100010002deadbeef000000008000001400000009c003000c00000003\
            00a00004",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=128 sctp.chunk_flags=0 sctp.chunk_length=20 \
            sctp.cause_code=160 sctp.cause_length=4 sctp.parameter_type=49155 sctp.parameter_length=12 \
            sctp.asconf_ack_seq_nr_number=9 sctp.correlation_id=3",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('82000018'+'0011000c'+'00000001'+'00030000'+'000f0008'+'00000007'))",
        packet: "450000380001000040847c3f7f0000017f00000100010002deadbeef00000000820000180011000c0000000100030000\
            000f000800000007",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=130 sctp.chunk_flags=0 sctp.chunk_length=24 \
            sctp.parameter_type=17,15 sctp.parameter_length=12,8 \
            sctp.parameter_reconfig_request_sequence_number=1,7 \
            sctp.parameter_add_outgoing_streams_number=3 sctp.parameter_add_outgoing_streams_reserved=0",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('c00000100000000900010002'+'00030004'))",
        packet: "450000300001000040847c477f0000017f00000100010002deadbeef00000000c0000010000000090001000200030004",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=192 sctp.chunk_flags=0 sctp.chunk_length=16 \
            sctp.forward_tsn_tsn=9 sctp.forward_tsn_sid=1,3 sctp.forward_tsn_ssn=2,4",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('c20000100000000900010001'+'00000005'))",
        packet: "450000300001000040847c477f0000017f00000100010002deadbeef00000000c2000010000000090001000100000005",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=194 sctp.chunk_flags=0 sctp.chunk_length=16 \
            sctp.i_forward_tsn_tsn=9 sctp.i_forward_tsn_sid=1 sctp.i_forward_tsn_flags=1 \
            sctp.forward_tsn_mid=5",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('40030015000000090001000000000007'+'0000003c61000000'))",
        packet: "450000380001000040847c3f7f0000017f00000100010002deadbeef0000000040030015000000090001000000000007\
            0000003c61000000",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=64 sctp.chunk_flags=3 sctp.chunk_length=21 \
            sctp.data_e_bit=1 sctp.data_b_bit=1 sctp.data_u_bit=0 sctp.data_i_bit=0 sctp.data_tsn_raw=9 \
            sctp.data_sid=1 sctp.data_payload_proto_id=60 sctp.data_reserved=0 sctp.data_mid=7",
        error: "NGAP PDU at offset 0: there is no kind 3",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('40010015000000090001000000000007'+'0000000261000000'))",
        packet: "450000380001000040847c3f7f0000017f00000100010002deadbeef0000000040010015000000090001000000000007\
            0000000261000000",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=64 sctp.chunk_flags=1 sctp.chunk_length=21 \
            sctp.data_e_bit=1 sctp.data_b_bit=0 sctp.data_u_bit=0 sctp.data_i_bit=0 sctp.data_tsn_raw=9 \
            sctp.data_sid=1 sctp.data_reserved=0 sctp.data_mid=7 sctp.data_fsn=2",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('0c00000800000001'+'0d00000800000002'+'07000008'+'00000003'))",
        packet: "450000380001000040847c3f7f0000017f00000100010002deadbeef000000000c000008000000010d00000800000002\
            0700000800000003",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=12,13,7 sctp.chunk_flags=0,0,0 \
            sctp.chunk_length=8,8,8 sctp.ecne_lowest_tsn=1 sctp.cwr_lowest_tsn=2 \
            sctp.shutdown_cumulative_tsn_ack=3",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('ff0000080102030484000004'))",
        packet: "4500002c0001000040847c4b7f0000017f00000100010002deadbeef00000000ff0000080102030484000004",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=255,132 sctp.chunk_flags=0,0 \
            sctp.chunk_length=8,4",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C)",
        packet: "450000200001000040847c577f0000017f00000100010002deadbeef00000000",
        shown: "sctp.verification_tag=3735928559",
        error: "",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+b'\\x0b\\0\\0\\0\\x0b\\0\\0\\4')",
        packet: "450000280001000040847c4f7f0000017f00000100010002deadbeef000000000b0000000b000004",
        shown: "sctp.verification_tag=3735928559",
        error: "SCTP chunk length at offset 12: 0 in a chunk of type 11, less than 4",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+b'\\x0b\\0\\0\\x40\\x0b\\0\\0\\4')",
        packet: "450000280001000040847c4f7f0000017f00000100010002deadbeef000000000b0000400b000004",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=11 sctp.chunk_flags=0 sctp.chunk_length=64",
        error: "SCTP chunk at offset 12: 8 bytes of 64 in a chunk of type 11",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('000300ff000003e8000300040000003c6162'))",
        packet: "450000320001000040847c457f0000017f00000100010002deadbeef00000000000300ff000003e8000300040000003c\
            6162",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0 sctp.chunk_flags=3 sctp.chunk_length=255 \
            sctp.data_e_bit=1 sctp.data_b_bit=1 sctp.data_u_bit=0 sctp.data_i_bit=0 \
            sctp.data_tsn_raw=1000 sctp.data_sid=3 sctp.data_ssn=4 sctp.data_payload_proto_id=60",
        error: "SCTP chunk at offset 12: 18 bytes of 255 in a chunk of type 0",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('00030008000003e80b000004'))",
        packet: "4500002c0001000040847c4b7f0000017f00000100010002deadbeef0000000000030008000003e80b000004",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0,11 sctp.chunk_flags=3,0 \
            sctp.chunk_length=8,4",
        error: "SCTP Stream Identifier at offset 20: 0 bytes of 2",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('030000100000006300001388000200000b000004'))",
        packet: "450000340001000040847c437f0000017f00000100010002deadbeef0000000003000010000000630000138800020000\
            0b000004",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=3 sctp.chunk_flags=0 sctp.chunk_length=16",
        error: "SCTP Gap Ack Blocks at offset 28: 0 bytes of 8",
    },
    Vector {
        scapy: "IP(proto=132)/Raw(C+bytes.fromhex('040000040b000004'))",
        packet: "450000280001000040847c4f7f0000017f00000100010002deadbeef00000000040000040b000004",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=4 sctp.chunk_flags=0 sctp.chunk_length=4",
        error: "SCTP Heartbeat Information at offset 16: 0 bytes of 4",
    },
    Vector {
        scapy: "IP()/UDP(sport=9899,dport=9899)/Raw(S)",
        packet: "450000600001000040117c8a7f0000017f00000126ab26ab004ca39400010002deadbeef127b1a56000b0015000003e8\
            000300040000003c61626364650000000300002000000063000013880002000200020003000500090000006100000062",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0,3 sctp.chunk_length=21,32 \
            sctp.data_tsn_raw=1000 sctp.sack_duplicate_tsn=97,98",
        error: "NGAP PDU at offset 0: there is no kind 3",
    },
    Vector {
        scapy: "IPv6()/IPv6ExtHdrDestOpt()/IPv6ExtHdrFragment(nh=132)/Raw(S)",
        packet: "6000000000543c4000000000000000000000000000000001000000000000000000000000000000012c00010400000000\
            840000000000000000010002deadbeef127b1a56000b0015000003e8000300040000003c616263646500000003000020\
            00000063000013880002000200020003000500090000006100000062",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0,3 sctp.chunk_length=21,32 \
            sctp.data_tsn_raw=1000 sctp.sack_duplicate_tsn=97,98",
        error: "NGAP PDU at offset 0: there is no kind 3",
    },
    Vector {
        scapy: "IP()/GRE()/IP(proto=132)/Raw(S)",
        packet: "4500007000010000402f7c5c7f0000017f00000100000800450000580001000040847c1f7f0000017f00000100010002\
            deadbeef127b1a56000b0015000003e8000300040000003c616263646500000003000020000000630000138800020002\
            00020003000500090000006100000062",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0,3 sctp.chunk_length=21,32 \
            sctp.data_tsn_raw=1000 sctp.sack_duplicate_tsn=97,98",
        error: "NGAP PDU at offset 0: there is no kind 3",
    },
    Vector {
        scapy: "IP()/AH(nh=132,payloadlen=4,icv=b'123456789012')/Raw(S)",
        packet: "450000700001000040337c587f0000017f00000184040000000000010000000031323334353637383930313200010002\
            deadbeef127b1a56000b0015000003e8000300040000003c616263646500000003000020000000630000138800020002\
            00020003000500090000006100000062",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0,3 sctp.chunk_length=21,32 \
            sctp.data_tsn_raw=1000 sctp.sack_duplicate_tsn=97,98",
        error: "NGAP PDU at offset 0: there is no kind 3",
    },
    Vector {
        scapy: "IP()/ICMP(type=3,code=2)/Raw(bytes(IP(proto=132)/Raw(S))[:36])",
        packet: "450000400001000040017cba7f0000017f0000010302326c00000000450000580001000040847c1f7f0000017f000001\
            00010002deadbeef127b1a56000b0015",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0 sctp.chunk_length=21",
        error: "SCTP chunk at offset 12: 4 bytes of 21 in a chunk of type 0",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(T(0x30,255,7,bytes(IP(proto=132)/Raw(S))))",
        packet: "4500007c0001000040117c6e7f0000017f000001086808680068ae8430ff005800000007450000580001000040847c1f\
            7f0000017f00000100010002deadbeef127b1a56000b0015000003e8000300040000003c616263646500000003000020\
            00000063000013880002000200020003000500090000006100000062",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0,3 sctp.chunk_length=21,32 \
            sctp.data_tsn_raw=1000 sctp.sack_duplicate_tsn=97,98 gtp.flags=48 gtp.message=255 \
            gtp.length=88 gtp.teid=7",
        error: "NGAP PDU at offset 0: there is no kind 3",
    },
    Vector {
        scapy: "IP()/UDP(sport=40000,dport=2152)/Raw(T(0x36,255,7,bytes.fromhex('00090085'+'01004900')+bytes(IP()/UDP(sport=2152,dport=2152)/Raw(T(0x30,254,8,b'')))))",
        packet: "450000500001000040117c9a7f0000017f0000019c400868003cd92e36ff002c00000007000900850100490045000024\
            0001000040117cc67f0000017f000001086808680010bff530fe000000000008",
        shown: "gtp.flags=54,48 gtp.message=255,254 gtp.length=44,0 gtp.teid=7,8 gtp.seq_number=9 \
            gtp.ext_hdr.next=133,0 gtp.ext_hdr.length=1 gtp.ext_hdr.pdu_ses_con.pdu_type=0 \
            gtp.ext_hdr.pdu_ses_cont.ppp=0 gtp.ext_hdr.pdu_ses_cont.rqi=1 \
            gtp.ext_hdr.pdu_ses_con.qos_flow_id=9",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(T(0x34,255,7,bytes.fromhex('00000085'+'0200c16000000000'+'00')))",
        packet: "450000310001000040117cb97f0000017f00000108680868001df7e834ff000d00000007000000850200c16000000000\
            00",
        shown: "gtp.flags=52 gtp.message=255 gtp.length=13 gtp.teid=7 gtp.ext_hdr.next=133,0 \
            gtp.ext_hdr.length=2 gtp.ext_hdr.pdu_ses_con.pdu_type=0 gtp.ext_hdr.pdu_ses_cont.ppp=1 \
            gtp.ext_hdr.pdu_ses_cont.rqi=1 gtp.ext_hdr.pdu_ses_con.qos_flow_id=1 \
            gtp.ext_hdr.pdu_ses_cont.ppi=3",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(T(0x35,255,7,bytes.fromhex('000005c0'+'010123'+'40'+'01'+'1234'+'82'+'02'+'000203000000'+'00')))",
        packet: "450000380001000040117cb27f0000017f000001086808680024572135ff001400000007000005c00101234001123482\
            0200020300000000",
        shown: "gtp.flags=53 gtp.message=255 gtp.length=20 gtp.teid=7 gtp.ext_hdr.next=192,64,130,0 \
            gtp.ext_hdr.length=1,1,2 gtp.npdu_number=5 gtp.ext_hdr.pdcp_sn=291 gtp.ext_hdr.udp_port=4660 \
            gtp.ext_hdr.long_pdcp_sn=515",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(T(0x30,255,7,bytes(Ether(dst='02:00:00:00:00:01',src='02:00:00:00:00:02')/IP(proto=132)/Raw(S))))",
        packet: "4500008a0001000040117c607f0000017f000001086808680076a25730ff006600000007020000000001020000000002\
            0800450000580001000040847c1f7f0000017f00000100010002deadbeef127b1a56000b0015000003e8000300040000\
            003c61626364650000000300002000000063000013880002000200020003000500090000006100000062",
        shown: "sctp.verification_tag=3735928559 sctp.chunk_type=0,3 sctp.chunk_length=21,32 \
            sctp.data_tsn_raw=1000 sctp.sack_duplicate_tsn=97,98 gtp.flags=48 gtp.message=255 \
            gtp.length=102 gtp.teid=7",
        error: "NGAP PDU at offset 0: there is no kind 3",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(T(0x32,26,0,bytes.fromhex('00010000'+'10abcdef01'+'850004c0000207')))",
        packet: "450000340001000040117cb67f0000017f0000010868086800201c85321a0010000000000001000010abcdef01850004\
            c0000207",
        shown: "gtp.flags=50 gtp.message=26 gtp.length=16 gtp.teid=0 gtp.seq_number=1 \
            gtp.teid_data=2882400001 gtp.gsn_ipv4=192.0.2.7",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(T(0x32,31,0,bytes.fromhex('00010000'+'8d0285c0')))",
        packet: "4500002c0001000040117cbe7f0000017f000001086808680018ac00321f000800000000000100008d0285c0",
        shown: "gtp.flags=50 gtp.message=31 gtp.length=8 gtp.teid=0 gtp.seq_number=1 \
            gtp.ext_hdr_type=133,192",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=2123,dport=50000)/Raw(T(0x32,17,9,bytes.fromhex('00010000'+'0180')))",
        packet: "4500002a0001000040117cc07f0000017f000001084bc350001602833211000600000009000100000180",
        shown: "gtp.flags=50 gtp.message=17 gtp.length=6 gtp.teid=9 gtp.seq_number=1",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=3386,dport=3386)/Raw(bytes.fromhex('1eff0014'+'0005'+'00'*14)+bytes(IP()))",
        packet: "450000440001000040117ca67f0000017f0000010d3a0d3a0030c7ff1eff001400050000000000000000000000000000\
            450000140001000040007ce77f0000017f000001",
        shown: "gtp.flags=30 gtp.message=255 gtp.length=20 gtp.seq_number=5",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(bytes.fromhex('2e0100000001'))",
        packet: "450000220001000040117cc87f0000017f00000108680868000ec2fd2e0100000001",
        shown: "gtp.flags=46 gtp.message=1 gtp.length=0 gtp.seq_number=1",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(bytes.fromhex('30ff0004000000'))",
        packet: "450000230001000040117cc77f0000017f00000108680868000fbffa30ff0004000000",
        shown: "gtp.flags=48 gtp.message=255 gtp.length=4",
        error: "GTP header at offset 0: only 7 bytes",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(T(0x34,255,7,bytes.fromhex('000000850000000000')))",
        packet: "4500002d0001000040117cbd7f0000017f000001086808680019bb5534ff000900000007000000850000000000",
        shown: "gtp.flags=52 gtp.message=255 gtp.length=9 gtp.teid=7 gtp.ext_hdr.next=133 \
           ",
        error: "GTP extension header length at offset 12: 0 in type 133",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(T(0x34,255,7,bytes.fromhex('4502')))",
        packet: "450000260001000040117cc47f0000017f00000108680868001276ed34ff0002000000074502",
        shown: "gtp.flags=52 gtp.message=255 gtp.length=2 gtp.teid=7",
        error: "GTP sequence and extension fields at offset 8: 2 bytes of 4",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(bytes.fromhex('48200008'+'00000001'+'00000100'))",
        packet: "450000280001000040117cc27f0000017f000001086808680014a7ca482000080000000100000100",
        shown: "gtpv2.message_type=32 gtpv2.teid=1 gtpv2.seq=1",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=2152,dport=2152)/Raw(T(0x30,8,1,b''))",
        packet: "450000240001000040117cc67f0000017f000001086808680010c0f23008000000000001",
        shown: "",
        error: "",
    },
    Vector {
        scapy: "IP()/UDP(sport=53,dport=2152)/Raw(T(0x30,255,1,b''))",
        packet: "450000240001000040117cc67f0000017f000001003508680010c82e30ff000000000001",
        shown: "",
        error: "",
    },
    // A group that is not whole, and a value of another length.
    Vector {
        scapy: "IP()/TCP(sport=3868,dport=9)/Raw(bytes.fromhex('010000404000013c010000230000000100000002'+'0000010c4000000a13960000'+'0000011740000014'+'000000014000005a61626300'+'000001084000000968000000'))",
        packet: "450000680001000040067c8d7f0000017f0000010f1c0009000000000000000050022000fb310000010000404000013c\
            0100002300000001000000020000010c4000000a139600000000011740000014000000014000005a6162630000000108\
            4000000968000000",
        shown: "diameter.cmd.code=316 diameter.Origin-Host=h",
        error: "Diameter AVP at offset 20: 2 bytes are not the length of AVP 268",
    },];

#[test]
fn shown_as_in_tshark() {
    for vector in VECTORS {
        let messages = decode(&bytes(vector.packet));
        for shown in vector.shown.split_whitespace() {
            let (name, expected) = shown.split_once('=').unwrap();
            assert_eq!(all(&messages, name), expected, "{name} of {}", vector.scapy);
        }
        assert_eq!(all(&messages, "error"), vector.error, "{}", vector.scapy);
        if vector.shown.is_empty() {
            assert_eq!(messages, [], "{}", vector.scapy);
        }
    }
}

/// Cut anywhere, a packet is an object with an error or nothing, and never shows more than the whole one does.
#[test]
fn cut_anywhere() {
    for vector in VECTORS {
        let whole = bytes(vector.packet);
        for length in 0..whole.len() {
            let cut = decode(whole.get(..length).unwrap());
            let shown = |messages: &[Message]| all(messages, "sctp.chunk_type").len();
            assert!(shown(&cut) <= shown(&decode(&whole)), "{}", vector.scapy);
            for message in cut {
                assert!(message.get("error").is_some(), "{}: {message}", vector.scapy);
            }
        }
    }
}

/// tshark 4.0 shows no field of a chunk whose end was not captured. Its type is in the error, and in the line for people.
#[test]
fn cut_by_the_snap_length() {
    let two_chunks = bytes(
        "4500006000010000408400007f0000017f00000100010002deadbeef00000000\
        0b0000040003003c000003e8000300040000003c616263646566",
    );
    let messages = decode_frame(&two_chunks, 96);
    assert_eq!(all(&messages, "sctp.verification_tag"), "3735928559");
    assert_eq!(all(&messages, "sctp.chunk_type"), "11");
    assert_eq!(all(&messages, "error"), "SCTP chunk at offset 16: 22 bytes of 60 in a chunk of type 0");
    assert!(messages[0].to_string().contains("COOKIE ACK, DATA"));
}

/// No bytes panic on any link layer, and all of them end.
#[test]
fn any_bytes_end() {
    let vectors: Vec<_> = VECTORS.iter().map(|vector| bytes(vector.packet)).collect();
    bolero::check!().with_type::<(u8, u16, Vec<(u8, u8)>, Vec<u8>)>().for_each(|(which, link, changes, tail)| {
        let mut packet = vectors[usize::from(*which) % vectors.len()].clone();
        for &(at, value) in changes {
            if let Some(byte) = packet.get_mut(usize::from(at)) {
                *byte = value;
            }
        }
        packet.extend(tail);
        decode(&packet);
        let mut decoder = Decoder::default();
        for bytes in [&packet, tail] {
            decoder.decode(&Frame {
                number: 1,
                time: Duration::ZERO,
                link: LinkType::from(u32::from(*link) % 300),
                wire_len: u32::try_from(bytes.len()).unwrap(),
                bytes,
            });
        }
    });
}

/// One frame of raw IP, captured whole.
fn decode(packet: &[u8]) -> Vec<Message> {
    decode_frame(packet, u32::try_from(packet.len()).unwrap())
}

/// One frame of raw IP that had so many bytes on the wire.
fn decode_frame(packet: &[u8], wire_len: u32) -> Vec<Message> {
    Decoder::default().decode(&Frame {
        number: 1,
        time: Duration::ZERO,
        link: LinkType::Raw,
        wire_len,
        bytes: packet,
    })
}

/// Values of a field in all messages.
fn all(messages: &[Message], name: &str) -> String {
    let values = messages.iter().flat_map(|message| message.all(name));
    values.map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let pair = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(pair).collect()
}
