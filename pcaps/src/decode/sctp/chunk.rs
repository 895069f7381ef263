//! Fields of chunks.

use pinion_protocols::sctp::{
    Chunk, ChunkType, Data, DataFlags, GapBlocks, IData, Init, NrSack, RawChunk, Sack, TsnList,
};

use super::parameter::{causes, parameters};
use crate::decode::Message;

/// Adds the fields of a chunk. False where it is so wrong that the chunks after it are not looked at.
pub(super) fn fields(message: &mut Message, chunk: &RawChunk<'_>, depth: usize) -> bool {
    message.add("sctp.chunk_type", u8::from(chunk.kind()));
    message.add("sctp.chunk_flags", chunk.flags());
    message.add("sctp.chunk_length", chunk.length());
    match chunk.parse() {
        Ok(view) => {
            message.summarize(summary(&view));
            let errors = message.errors();
            value(message, view, depth);
            message.errors() == errors
        }
        Err(error) => {
            message.summarize(name(chunk.kind()));
            message.fail(error);
            matches!(chunk.kind(), ChunkType::Data | ChunkType::IData | ChunkType::Init | ChunkType::InitAck)
        }
    }
}

fn value(message: &mut Message, chunk: Chunk<'_>, depth: usize) {
    match chunk {
        Chunk::Data(data) => data_fields(message, &data),
        Chunk::IData(data) => i_data_fields(message, &data),
        Chunk::Init(init) => init_fields(message, &INIT, init, depth),
        Chunk::InitAck(init) => init_fields(message, &INIT_ACK, init, depth),
        Chunk::Sack(sack) => sack_fields(message, &sack),
        Chunk::NrSack(sack) => nr_sack_fields(message, &sack),
        Chunk::Heartbeat(list) | Chunk::HeartbeatAck(list) | Chunk::ReConfig(list) => {
            parameters(message, list, depth);
        }
        Chunk::Abort { reflected, causes: list } => {
            message.add("sctp.abort_t_bit", reflected);
            causes(message, list, depth);
        }
        Chunk::Error(list) => causes(message, list, depth),
        Chunk::Shutdown { cumulative_tsn } => {
            message.add("sctp.shutdown_cumulative_tsn_ack", cumulative_tsn);
        }
        Chunk::ShutdownComplete { reflected } => {
            message.add("sctp.shutdown_complete_t_bit", reflected);
        }
        Chunk::Ecne { lowest_tsn } => message.add("sctp.ecne_lowest_tsn", lowest_tsn),
        Chunk::Cwr { lowest_tsn } => message.add("sctp.cwr_lowest_tsn", lowest_tsn),
        Chunk::Auth(auth) => {
            message.add("sctp.shared_key_id", auth.shared_key);
            message.add("sctp.hmac_id", auth.hmac_id);
        }
        Chunk::ForwardTsn(forward) => {
            message.add("sctp.forward_tsn_tsn", forward.cumulative_tsn);
            for (stream, sequence) in forward.streams {
                message.add("sctp.forward_tsn_sid", stream);
                message.add("sctp.forward_tsn_ssn", sequence);
            }
        }
        Chunk::IForwardTsn(forward) => {
            message.add("sctp.i_forward_tsn_tsn", forward.cumulative_tsn);
            for skipped in forward.streams {
                message.add("sctp.i_forward_tsn_sid", skipped.stream);
                message.add("sctp.i_forward_tsn_flags", skipped.flags);
                message.add("sctp.forward_tsn_mid", skipped.message);
            }
        }
        Chunk::Asconf(asconf) => {
            message.add("sctp.asconf_seq_nr_number", asconf.number);
            parameters(message, asconf.parameters, depth);
        }
        Chunk::AsconfAck(asconf) => {
            message.add("sctp.asconf_ack_seq_nr_number", asconf.number);
            parameters(message, asconf.parameters, depth);
        }
        Chunk::PacketDrop(report) => {
            message.add("sctp.pktdrop_bandwidth", report.bandwidth);
            message.add("sctp.pktdrop_queuesize", report.queue);
            message.add("sctp.pktdrop_truncated_length", report.full_length);
            message.add("sctp.pktdrop_reserved", report.reserved);
            if let Some(depth) = depth.checked_sub(1) {
                super::fields(message, report.packet, true, depth);
            }
        }
        Chunk::ShutdownAck | Chunk::CookieEcho(_) | Chunk::CookieAck | Chunk::Pad(_) | Chunk::Unknown(_) => {}
    }
}

fn data_flags(message: &mut Message, flags: DataFlags) {
    message.add("sctp.data_e_bit", flags.end());
    message.add("sctp.data_b_bit", flags.beginning());
    message.add("sctp.data_u_bit", flags.unordered());
    message.add("sctp.data_i_bit", flags.immediate());
}

fn data_fields(message: &mut Message, data: &Data<'_>) {
    data_flags(message, data.flags);
    message.add("sctp.data_tsn_raw", data.tsn);
    message.add("sctp.data_sid", data.stream);
    message.add("sctp.data_ssn", data.sequence);
    message.add("sctp.data_payload_proto_id", data.protocol);
}

fn i_data_fields(message: &mut Message, data: &IData<'_>) {
    data_flags(message, data.flags);
    message.add("sctp.data_tsn_raw", data.tsn);
    message.add("sctp.data_sid", data.stream);
    message.add("sctp.data_reserved", data.reserved);
    message.add("sctp.data_mid", data.message);
    let last = match data.flags.beginning() {
        true => "sctp.data_payload_proto_id",
        false => "sctp.data_fsn",
    };
    message.add(last, data.protocol_or_fragment);
}

/// Names of the fields of INIT or INIT ACK: tag, window, streams out and in, TSN.
type InitNames = [&'static str; 5];

const INIT: InitNames = [
    "sctp.init_initiate_tag",
    "sctp.init_credit",
    "sctp.init_nr_out_streams",
    "sctp.init_nr_in_streams",
    "sctp.init_initial_tsn",
];

const INIT_ACK: InitNames = [
    "sctp.initack_initiate_tag",
    "sctp.initack_credit",
    "sctp.initack_nr_out_streams",
    "sctp.initack_nr_in_streams",
    "sctp.initack_initial_tsn",
];

fn init_fields(message: &mut Message, names: &InitNames, init: Init<'_>, depth: usize) {
    let [tag, credit, outbound, inbound, tsn] = *names;
    message.add(tag, init.initiate_tag);
    message.add(credit, init.a_rwnd);
    message.add(outbound, init.outbound_streams);
    message.add(inbound, init.inbound_streams);
    message.add(tsn, init.initial_tsn);
    parameters(message, init.parameters, depth);
}

fn sack_fields(message: &mut Message, sack: &Sack<'_>) {
    message.add("sctp.sack_cumulative_tsn_ack_raw", sack.cumulative_tsn);
    message.add("sctp.sack_a_rwnd", sack.a_rwnd);
    message.add("sctp.sack_number_of_gap_blocks", count(&sack.gaps));
    message.add("sctp.sack_number_of_duplicated_tsns", count(&sack.duplicates));
    gaps(message, ["sctp.sack_gap_block_start", "sctp.sack_gap_block_end"], sack.gaps);
    duplicates(message, "sctp.sack_duplicate_tsn", sack.duplicates);
}

fn nr_sack_fields(message: &mut Message, sack: &NrSack<'_>) {
    message.add("sctp.nr_sack_cumulative_tsn_ack", sack.cumulative_tsn);
    message.add("sctp.nr_sack_a_rwnd", sack.a_rwnd);
    message.add("sctp.nr_sack_number_of_gap_blocks", count(&sack.gaps));
    message.add("sctp.nr_sack_number_of_nr_gap_blocks", count(&sack.kept_gaps));
    message.add("sctp.nr_sack_number_of_duplicated_tsns", count(&sack.duplicates));
    gaps(message, ["sctp.nr_sack_gap_block_start", "sctp.nr_sack_gap_block_end"], sack.gaps);
    gaps(message, ["sctp.nr_sack_nr_gap_block_start", "sctp.nr_sack_nr_gap_block_end"], sack.kept_gaps);
    duplicates(message, "sctp.nr_sack_duplicate_tsn", sack.duplicates);
}

fn count(list: &impl ExactSizeIterator) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

fn gaps(message: &mut Message, [start, end]: [&'static str; 2], blocks: GapBlocks<'_>) {
    for block in blocks {
        message.add(start, block.start);
        message.add(end, block.end);
    }
}

fn duplicates(message: &mut Message, name: &'static str, tsns: TsnList<'_>) {
    for tsn in tsns {
        message.add(name, tsn);
    }
}

/// What people want to know of a chunk.
fn summary(chunk: &Chunk<'_>) -> String {
    match chunk {
        Chunk::Data(data) => format!("DATA tsn {} ppid {}", data.tsn, data.protocol),
        Chunk::Init(init) => format!("INIT tag {:#010x}", init.initiate_tag),
        Chunk::InitAck(init) => format!("INIT ACK tag {:#010x}", init.initiate_tag),
        Chunk::Sack(sack) => format!("SACK {}", sack.cumulative_tsn),
        Chunk::IData(data) => format!("I-DATA tsn {}", data.tsn),
        Chunk::NrSack(sack) => format!("NR-SACK {}", sack.cumulative_tsn),
        Chunk::Heartbeat(_) => name(ChunkType::Heartbeat),
        Chunk::HeartbeatAck(_) => name(ChunkType::HeartbeatAck),
        Chunk::Abort { .. } => name(ChunkType::Abort),
        Chunk::Error(_) => name(ChunkType::Error),
        Chunk::Shutdown { .. } => name(ChunkType::Shutdown),
        Chunk::ShutdownAck => name(ChunkType::ShutdownAck),
        Chunk::ShutdownComplete { .. } => name(ChunkType::ShutdownComplete),
        Chunk::CookieEcho(_) => name(ChunkType::CookieEcho),
        Chunk::CookieAck => name(ChunkType::CookieAck),
        Chunk::Ecne { .. } => name(ChunkType::Ecne),
        Chunk::Cwr { .. } => name(ChunkType::Cwr),
        Chunk::Auth(_) => name(ChunkType::Auth),
        Chunk::ForwardTsn(forward) => format!("FORWARD-TSN {}", forward.cumulative_tsn),
        Chunk::IForwardTsn(forward) => format!("I-FORWARD-TSN {}", forward.cumulative_tsn),
        Chunk::Asconf(asconf) => format!("ASCONF {}", asconf.number),
        Chunk::AsconfAck(asconf) => format!("ASCONF ACK {}", asconf.number),
        Chunk::ReConfig(_) => name(ChunkType::ReConfig),
        Chunk::Pad(_) => name(ChunkType::Pad),
        Chunk::PacketDrop(_) => name(ChunkType::PacketDrop),
        Chunk::Unknown(chunk) => name(chunk.kind()),
    }
}

/// Name of a chunk type, as the RFCs write it.
pub(super) fn name(kind: ChunkType) -> String {
    let name = match kind {
        ChunkType::Data => "DATA",
        ChunkType::Init => "INIT",
        ChunkType::InitAck => "INIT ACK",
        ChunkType::Sack => "SACK",
        ChunkType::Heartbeat => "HEARTBEAT",
        ChunkType::HeartbeatAck => "HEARTBEAT ACK",
        ChunkType::Abort => "ABORT",
        ChunkType::Shutdown => "SHUTDOWN",
        ChunkType::ShutdownAck => "SHUTDOWN ACK",
        ChunkType::Error => "ERROR",
        ChunkType::CookieEcho => "COOKIE ECHO",
        ChunkType::CookieAck => "COOKIE ACK",
        ChunkType::Ecne => "ECNE",
        ChunkType::Cwr => "CWR",
        ChunkType::ShutdownComplete => "SHUTDOWN COMPLETE",
        ChunkType::Auth => "AUTH",
        ChunkType::NrSack => "NR-SACK",
        ChunkType::IData => "I-DATA",
        ChunkType::AsconfAck => "ASCONF ACK",
        ChunkType::PacketDrop => "packet drop report",
        ChunkType::ReConfig => "RE-CONFIG",
        ChunkType::Pad => "PAD",
        ChunkType::ForwardTsn => "FORWARD-TSN",
        ChunkType::Asconf => "ASCONF",
        ChunkType::IForwardTsn => "I-FORWARD-TSN",
        ChunkType::Unknown(kind) => return format!("chunk type {kind}"),
    };
    name.to_owned()
}
