//! Packets that scapy 2.6 encoded, and any bytes at all.

use std::borrow::ToOwned;
use std::vec::Vec;

use super::*;

/// Bytes of a hexadecimal string.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks().0.iter().map(|[high, low]| (high << 4 | low) as u8).collect()
}

fn only_chunk(packet: &[u8]) -> Chunk<'_> {
    let chunks: Vec<_> = Packet::parse(packet).unwrap().chunks().collect();
    assert_eq!(chunks.len(), 1, "{chunks:?}");
    chunks[0].unwrap().parse().unwrap()
}

fn views<'a>(parameters: &Parameters<'a>) -> Vec<Parameter<'a>> {
    parameters.clone().map(|parameter| parameter.unwrap().parse().unwrap()).collect()
}

// SCTP(sport=38412,dport=38413,tag=0)/SCTPChunkInit(init_tag=0x01020304,a_rwnd=106496,
// n_out_streams=10,n_in_streams=65535,init_tsn=7,params=[SCTPChunkParamIPv4Addr(addr='192.0.2.1'),
// SCTPChunkParamIPv6Addr(addr='2001:db8::1'),SCTPChunkParamCookiePreservative(sug_cookie_inc=1000),
// SCTPChunkParamSupportedAddrTypes(addr_type_list=['IPv4','IPv6']),SCTPChunkParamECNCapable(),
// SCTPChunkParamRandom(random=bytes(range(32))),SCTPChunkParamChunkList(chunk_list=
// ['address-configuration','address-configuration-ack']),SCTPChunkParamRequestedHMACFunctions(
// HMAC_functions_list=['SHA-1','SHA-256']),SCTPChunkParamSupportedExtensions(supported_extensions=
// ['address-configuration','address-configuration-ack','re-config']),SCTPChunkParamFwdTSN(),
// SCTPChunkParamAdaptationLayer(indication=5)])
const INIT: &str = "960c960d00000000f7f425140100008c010203040001a000000affff0000000700050008c0000201\
    0006001420010db800000000000000000000000100090008000003e8000c0008000500068000000480020024000102\
    030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f80030006c18000008004000800010003\
    80080007c1808200c0000004c006000800000005";

#[test]
fn init_with_every_usual_parameter() {
    let bytes = hex(INIT);
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((packet.source_port(), packet.destination_port()), (38412, 38413));
    assert_eq!(packet.verification_tag(), 0);
    assert!(packet.checksum_matches());
    let Chunk::Init(init) = only_chunk(&bytes) else { panic!("not an INIT") };
    assert_eq!((init.initiate_tag, init.a_rwnd), (0x0102_0304, 106_496));
    assert_eq!((init.outbound_streams, init.inbound_streams), (10, 65535));
    assert_eq!(init.initial_tsn, 7);
    let random: Vec<u8> = (0..32).collect();
    let expected = [
        Parameter::Ipv4([192, 0, 2, 1].into()),
        Parameter::Ipv6("2001:db8::1".parse().unwrap()),
        Parameter::CookiePreservative(1000),
        Parameter::SupportedAddressTypes(Numbers16(&[0, 5, 0, 6])),
        Parameter::Ecn,
        Parameter::Random(&random),
        Parameter::ChunkList(&[0xc1, 0x80]),
        Parameter::HmacAlgorithms(Numbers16(&[0, 1, 0, 3])),
        Parameter::SupportedExtensions(&[0xc1, 0x80, 0x82]),
        Parameter::ForwardTsnSupported,
        Parameter::AdaptationLayer(5),
    ];
    assert_eq!(views(&init.parameters), expected);
}

// SCTP(sport=1,dport=2,tag=0xdeadbeef)/SCTPChunkData(delay_sack=1,unordered=0,beginning=1,ending=1,
// tsn=1000,stream_id=3,stream_seq=4,proto_id=60,data=b'abcde')/SCTPChunkSACK(cumul_tsn_ack=99,
// a_rwnd=5000,gap_ack_list=['2:3','5:9'],dup_tsn_list=[97,98])
const DATA_AND_SACK: &str = "00010002deadbeef127b1a56000b0015000003e8000300040000003c616263646500\
    00000300002000000063000013880002000200020003000500090000006100000062";

#[test]
fn data_and_sack() {
    let bytes = hex(DATA_AND_SACK);
    let packet = Packet::parse(&bytes).unwrap();
    assert!(packet.checksum_matches());
    let chunks: Vec<_> = packet.chunks().map(|chunk| chunk.unwrap().parse().unwrap()).collect();
    let [Chunk::Data(data), Chunk::Sack(sack)] = chunks.as_slice() else { panic!("{chunks:?}") };
    assert_eq!((data.tsn, data.stream, data.sequence, data.protocol), (1000, 3, 4, 60));
    assert_eq!(data.payload, b"abcde");
    assert!(data.flags.beginning() && data.flags.end() && data.flags.immediate());
    assert!(!data.flags.unordered());
    assert_eq!((sack.cumulative_tsn, sack.a_rwnd), (99, 5000));
    assert_eq!(sack.gaps.collect::<Vec<_>>(), [GapBlock { start: 2, end: 3 }, GapBlock { start: 5, end: 9 }]);
    assert_eq!(sack.duplicates.collect::<Vec<_>>(), [97, 98]);
}

#[test]
fn a_changed_byte_makes_the_checksum_wrong() {
    let mut bytes = hex(DATA_AND_SACK);
    bytes[30] ^= 1;
    assert!(!Packet::parse(&bytes).unwrap().checksum_matches());
}

#[test]
fn control_chunks() {
    // SCTPChunkHeartbeatReq(params=[SCTPChunkParamHeartbeatInfo(data=b'\x01\x02\x03\x04\x05')])
    let bytes = hex("00010002000000013e171f0d04000010000100090102030405000000");
    let Chunk::Heartbeat(parameters) = only_chunk(&bytes) else { panic!("not a HEARTBEAT") };
    assert_eq!(views(&parameters), [Parameter::HeartbeatInfo(&[1, 2, 3, 4, 5])]);

    // SCTPChunkAbort(TCB=1,error_causes=bytes.fromhex('000c000642590000'))
    let bytes = hex("000100020000000172708da70601000c000c000642590000");
    let Chunk::Abort { reflected: true, mut causes } = only_chunk(&bytes) else { panic!("not an ABORT") };
    let cause = causes.next().unwrap().unwrap();
    assert_eq!((cause.code(), cause.value()), (CauseCode::UserInitiatedAbort, &b"BY"[..]));
    assert!(causes.next().is_none());

    // SCTPChunkError(error_causes=bytes.fromhex('000300080000ffff'))
    let bytes = hex("0001000200000001ad018b1e0900000c000300080000ffff");
    let Chunk::Error(mut causes) = only_chunk(&bytes) else { panic!("not an ERROR") };
    let cause = causes.next().unwrap().unwrap().parse().unwrap();
    assert!(matches!(cause, Cause::StaleCookie(65535)));

    // SCTPChunkShutdown(cumul_tsn_ack=77)
    let bytes = hex("0001000200000001f8c5884b070000080000004d");
    assert_eq!(only_chunk(&bytes), Chunk::Shutdown { cumulative_tsn: 77 });

    // SCTPChunkAuthentication(shared_key_id=1,HMAC_function=3,HMAC=bytes(32))
    let bytes = hex(&("0001000200000001df0d62f70f00002800010003".to_owned() + &"00".repeat(32)));
    let Chunk::Auth(auth) = only_chunk(&bytes) else { panic!("not an AUTH") };
    assert_eq!((auth.shared_key, auth.hmac_id, auth.hmac), (1, 3, &[0; 32][..]));
}

// SCTPChunkAddressConf(seq=9,params=[SCTPChunkParamIPv4Addr(addr='192.0.2.1'),
// SCTPChunkParamAddIPAddr(correlation_id=3,addr_type=5,addr='192.0.2.9'),
// SCTPChunkParamSetPrimaryAddr(addr_type=5,addr='192.0.2.9',correlation_id=4)])
#[test]
fn asconf() {
    let bytes = hex("0001000200000001880a8654c10000300000000900050008c0000201c0010010000000030005\
        0008c0000209c00400100000000400050008c0000209");
    let Chunk::Asconf(asconf) = only_chunk(&bytes) else { panic!("not an ASCONF") };
    assert_eq!(asconf.number, 9);
    let [Parameter::Ipv4(own), add, primary] = &views(&asconf.parameters)[..] else { panic!("not three") };
    assert_eq!(own.octets(), [192, 0, 2, 1]);
    for (parameter, wanted, number) in
        [(add, ParameterType::AddAddress, 3), (primary, ParameterType::SetPrimaryAddress, 4)]
    {
        let Parameter::Address { kind, correlation, address } = parameter else { panic!() };
        assert_eq!((*kind, *correlation), (wanted, number));
        assert_eq!(views(address), [Parameter::Ipv4([192, 0, 2, 9].into())]);
    }
}

// SCTPChunkReConfig(params=[SCTPChunkParamOutSSNResetReq(re_conf_req_seq_num=11,
// re_conf_res_seq_num=12,tsn=13,stream_num_list=[1,2]),SCTPChunkParamReConfigRes(
// re_conf_res_seq_num=14,result=1,sender_next_tsn=15,receiver_next_tsn=16)])
#[test]
fn re_config() {
    let bytes = hex("0001000200000001105817168200002c000d00140000000b0000000c0000000d000100020010\
        000c0000000e000000010000000f00000010");
    // scapy counts 12 bytes of the response, without the two TSNs that it writes behind them.
    let Chunk::ReConfig(parameters) = only_chunk(&bytes) else { panic!("not a RE-CONFIG") };
    let views: Vec<_> = parameters.map_while(|item| item.ok()?.parse().ok()).collect();
    let streams = Numbers16(&[0, 1, 0, 2]);
    assert_eq!(
        views[..2],
        [
            Parameter::Reconfig(ReconfigRequest::OutgoingReset {
                request: 11,
                response: 12,
                last_tsn: 13,
                streams
            }),
            Parameter::ReconfigResponse { response: 14, result: 1, next_tsns: None },
        ]
    );
}

#[test]
fn wrong_lengths_are_errors_and_end_the_list() {
    let errors = |tail: &[u8]| {
        let bytes = [&[0; 12], tail].concat();
        let chunks = Packet::parse(&bytes).unwrap().chunks();
        chunks.map(|chunk| chunk.map(|chunk| chunk.offset())).collect::<Vec<_>>()
    };
    let list = List::Chunks;
    assert_eq!(
        errors(&[11, 0, 0, 0, 11, 0, 0, 4]),
        [Err(Error::ItemLength { list, kind: 11, offset: 12, length: 0 })]
    );
    assert_eq!(
        errors(&[11, 0, 0, 4, 3, 0, 0, 3]),
        [Ok(12), Err(Error::ItemLength { list, kind: 3, offset: 16, length: 3 })]
    );
    assert_eq!(
        errors(&[0, 0, 0, 9, 1, 2]),
        [Err(Error::ItemCut { list, kind: 0, offset: 12, length: 9, have: 6 })]
    );
    assert_eq!(errors(&[11, 0]), [Err(Error::ItemHeaderCut { list, offset: 12, have: 2 })]);
    assert_eq!(Packet::parse(&[0; 11]), Err(Error::HeaderCut { have: 11 }));
}

#[test]
fn the_last_padding_may_be_missing() {
    let mut bytes = [0; 12].to_vec();
    bytes.extend([10, 0, 0, 5, 0xaa]);
    assert_eq!(only_chunk(&bytes), Chunk::CookieEcho(&[0xaa]));
}

#[test]
fn a_cut_chunk_is_handed_out() {
    let bytes = hex(DATA_AND_SACK);
    let mut chunks = Packet::parse(&bytes[..30]).unwrap().chunks();
    assert_eq!(
        chunks.next(),
        Some(Err(Error::ItemCut { list: List::Chunks, kind: 0, offset: 12, length: 21, have: 18 }))
    );
    let Ok(Chunk::Data(data)) = chunks.cut().unwrap().parse() else { panic!("not DATA") };
    assert_eq!((data.tsn, data.payload), (1000, &b"ab"[..]));
    assert!(chunks.next().is_none());
}

#[test]
fn a_field_outside_of_its_chunk_is_named() {
    let mut bytes = hex("00010002000000010000000003000010000000630000138800020000");
    assert_eq!(
        Packet::parse(&bytes).unwrap().chunks().next().unwrap().unwrap().parse(),
        Err(Error::FieldCut { field: "Gap Ack Blocks", offset: 28, need: 8, have: 0 })
    );
    // A HEARTBEAT without information.
    bytes = hex("00010002000000010000000004000004");
    assert_eq!(
        Packet::parse(&bytes).unwrap().chunks().next().unwrap().unwrap().parse(),
        Err(Error::FieldCut { field: "Heartbeat Information", offset: 16, need: 4, have: 0 })
    );
    // An IPv4 address parameter of 9 bytes.
    bytes = hex(INIT);
    bytes[35] = 9;
    let Chunk::Init(mut init) = only_chunk(&bytes) else { panic!("not an INIT") };
    assert_eq!(
        init.parameters.next().unwrap().unwrap().parse(),
        Err(Error::FieldLong { field: "IPv4 Address", offset: 40, extra: 1 })
    );
}

/// Walks everything that is in a packet and counts the items.
fn walk(packet: &[u8]) -> usize {
    let Ok(packet) = Packet::parse(packet) else {
        return 0;
    };
    let end = packet.bytes().len();
    let mut items = 0;
    let mut chunks = packet.chunks();
    for chunk in chunks.by_ref() {
        items += 1;
        match chunk {
            Ok(chunk) => {
                assert!(chunk.offset() + chunk.bytes().len() <= end);
                items += walk_chunk(&chunk, end);
            }
            Err(error) => assert!(error.offset() <= end),
        }
    }
    assert!(chunks.next().is_none());
    items + chunks.cut().map_or(0, |chunk| walk_chunk(&chunk, end))
}

fn walk_chunk(chunk: &RawChunk<'_>, end: usize) -> usize {
    match chunk.parse() {
        Err(error) => {
            assert!(error.offset() <= end, "{error}");
            0
        }
        Ok(Chunk::Init(init) | Chunk::InitAck(init)) => walk_parameters(init.parameters, end),
        Ok(Chunk::Heartbeat(list) | Chunk::HeartbeatAck(list) | Chunk::ReConfig(list)) => {
            walk_parameters(list, end)
        }
        Ok(Chunk::Asconf(list) | Chunk::AsconfAck(list)) => walk_parameters(list.parameters, end),
        Ok(Chunk::Abort { causes, .. } | Chunk::Error(causes)) => walk_causes(causes, end),
        Ok(Chunk::Sack(sack)) => sack.gaps.len() + sack.duplicates.len(),
        Ok(Chunk::NrSack(sack)) => sack.gaps.count() + sack.kept_gaps.count() + sack.duplicates.count(),
        Ok(Chunk::ForwardTsn(forward)) => forward.streams.count(),
        Ok(Chunk::IForwardTsn(forward)) => forward.streams.count(),
        Ok(_) => 0,
    }
}

fn walk_parameters(parameters: Parameters<'_>, end: usize) -> usize {
    let mut items = 0;
    for parameter in parameters {
        items += 1;
        let view = parameter.and_then(|parameter| {
            assert!(parameter.offset() + 4 + parameter.value().len() <= end);
            parameter.parse()
        });
        match view {
            Ok(Parameter::SupportedAddressTypes(list) | Parameter::HmacAlgorithms(list)) => {
                items += list.count();
            }
            Ok(Parameter::Address { address, .. }) => items += address.count(),
            Ok(Parameter::ErrorCauseIndication { causes, .. }) => items += causes.count(),
            Ok(_) => {}
            Err(error) => assert!(error.offset() <= end, "{error}"),
        }
    }
    items
}

fn walk_causes(causes: Causes<'_>, end: usize) -> usize {
    let mut items = 0;
    for cause in causes {
        items += 1;
        match cause.and_then(|cause| cause.parse()) {
            Ok(Cause::Parameters(list)) => items += list.count(),
            Ok(Cause::UnrecognizedChunk(list)) => items += list.count(),
            Ok(Cause::MissingMandatoryParameter { types, .. }) => items += types.count(),
            Ok(_) => {}
            Err(error) => assert!(error.offset() <= end, "{error}"),
        }
    }
    items
}

/// No bytes panic, and there is at most one item a byte: the walk is linear in the packet.
#[test]
fn any_bytes_end() {
    bolero::check!().for_each(|bytes| assert!(walk(bytes) <= bytes.len()));
}

/// The same for bytes that begin like a packet, so that what is behind the headers is reached.
#[test]
fn any_change_to_a_packet_ends() {
    let packets = [INIT, DATA_AND_SACK].map(hex);
    bolero::check!().with_type::<(bool, std::vec::Vec<(u8, u8)>)>().for_each(|(second, changes)| {
        let mut bytes = packets[usize::from(*second)].clone();
        for &(at, value) in changes {
            if let Some(byte) = bytes.get_mut(usize::from(at)) {
                *byte = value;
            }
        }
        assert!(walk(&bytes) <= bytes.len());
    });
}
