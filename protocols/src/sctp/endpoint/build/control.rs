//! Writes the chunks that carry no messages.

use bytes::BufMut;

use crate::sctp::endpoint::association::{Association, Context, Control};
use crate::sctp::endpoint::mtu::write_probe;
use crate::sctp::endpoint::offer::Own;
use crate::sctp::write::{PacketWriter, cause, parameter};
use crate::sctp::{CauseCode, ChunkType, ParameterType};

impl Association {
    pub(super) fn write_control(
        &mut self,
        context: &mut Context<'_>,
        writer: &mut PacketWriter<'_>,
        control: &Control,
        path: u8,
    ) {
        let kind = control.kind();
        match control {
            Control::Init => self.write_init(context, writer),
            Control::CookieEcho => {
                let Some(handshake) = &self.handshake else { return };
                writer.chunk(kind, 0, |out| out.put_slice(&handshake.cookie));
                if !handshake.unrecognized.is_empty() {
                    writer.chunk(ChunkType::Error, 0, |out| {
                        cause(out, CauseCode::UnrecognizedParameters, |out| {
                            out.put_slice(&handshake.unrecognized);
                        });
                    });
                }
            }
            Control::CookieAck | Control::ShutdownAck => {
                writer.chunk(kind, 0, |_| {});
            }
            Control::Heartbeat(nonce) => {
                writer.chunk(kind, 0, |out| {
                    parameter(out, ParameterType::HeartbeatInfo, |out| out.put_u64(*nonce));
                });
            }
            Control::Probe(nonce, size) => {
                let length = self.path(path).map_or(0, |path| path.room_in(context.config, *size));
                write_probe(writer, *nonce, length);
            }
            Control::HeartbeatAck(value)
            | Control::Error(value)
            | Control::AsconfAck(value)
            | Control::Reconfig(value) => {
                writer.chunk(kind, 0, |out| out.put_slice(value));
            }
            Control::Shutdown => {
                let cumulative = self.inbound.cumulative;
                writer.chunk(kind, 0, |out| out.put_u32(cumulative));
            }
            Control::Asconf => self.write_asconf(writer),
        }
    }

    fn write_init(&self, context: &Context<'_>, writer: &mut PacketWriter<'_>) {
        let Some(handshake) = &self.handshake else { return };
        let own = Own {
            tag: self.local_tag,
            outbound: self.outbound.streams,
            inbound: self.inbound.streams,
            tsn: self.outbound.first,
            addresses: &self.local_addresses,
            random: handshake.random,
        };
        writer.chunk(ChunkType::Init, 0, |out| {
            own.write(context.config, out);
            if let Some(more) = handshake.preservative {
                parameter(out, ParameterType::CookiePreservative, |out| out.put_u32(more));
            }
        });
    }
}

impl Control {
    pub(super) fn kind(&self) -> ChunkType {
        match self {
            Self::Init => ChunkType::Init,
            Self::CookieEcho => ChunkType::CookieEcho,
            Self::CookieAck => ChunkType::CookieAck,
            Self::Heartbeat(_) | Self::Probe(..) => ChunkType::Heartbeat,
            Self::HeartbeatAck(_) => ChunkType::HeartbeatAck,
            Self::Shutdown => ChunkType::Shutdown,
            Self::ShutdownAck => ChunkType::ShutdownAck,
            Self::Error(_) => ChunkType::Error,
            Self::Asconf => ChunkType::Asconf,
            Self::AsconfAck(_) => ChunkType::AsconfAck,
            Self::Reconfig(_) => ChunkType::ReConfig,
        }
    }
}
