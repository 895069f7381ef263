//! Packets that do not wait for an association to be asked: answers out of the blue, and last words.

use alloc::collections::VecDeque;
use core::net::IpAddr;

use bytes::{BufMut, BytesMut};

use super::auth::{self, Auth};
use super::message::Transmit;
use crate::sctp::ChunkType;
use crate::sctp::write::PacketWriter;

/// Who talks to whom, and with which verification tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) tag: u32,
}

/// As many as allowed; where there are more, the answer is not given.
#[derive(Debug)]
pub(super) struct Replies {
    queue: VecDeque<Transmit>,
    most: usize,
}

impl Replies {
    pub(super) fn new(most: u16) -> Self {
        Self { queue: VecDeque::new(), most: most.into() }
    }

    pub(super) fn send(&mut self, ends: &Ends, chunks: impl FnOnce(&mut PacketWriter<'_>)) {
        self.send_with(ends, None, chunks);
    }

    /// Sends chunks that are authenticated where `auth` is given.
    pub(super) fn send_with(
        &mut self,
        ends: &Ends,
        auth: Option<&Auth>,
        chunks: impl FnOnce(&mut PacketWriter<'_>),
    ) {
        if self.queue.len() >= self.most {
            return;
        }
        let mut bytes = BytesMut::new();
        let mut packet = PacketWriter::new(&mut bytes, ends.source_port, ends.destination_port, ends.tag);
        let at = packet.len();
        if let Some(auth) = auth {
            begin_auth(&mut packet, auth);
        }
        chunks(&mut packet);
        if let Some(auth) = auth {
            finish_auth(&mut packet, auth, at);
        }
        packet.finish();
        self.queue.push_back(Transmit {
            source: ends.source,
            destination: ends.destination,
            bytes: bytes.freeze(),
            fragment: false,
        });
    }

    pub(super) fn pop(&mut self) -> Option<Transmit> {
        self.queue.pop_front()
    }
}

/// Adds an AUTH chunk whose HMAC is not there yet (RFC 4895 6.2).
pub(super) fn begin_auth(packet: &mut PacketWriter<'_>, auth: &Auth) {
    packet.chunk(ChunkType::Auth, 0, |out| {
        out.put_u16(0);
        out.put_u16(auth.hmac());
        out.put_bytes(0, auth::length(auth.hmac()));
    });
}

/// Puts the HMAC into the AUTH chunk that begins at `at`, over it and all that follows.
pub(super) fn finish_auth(packet: &mut PacketWriter<'_>, auth: &Auth, at: usize) {
    let written = packet.written();
    let hmac = auth.sign(written.get(at..).unwrap_or_default());
    let field = at.saturating_add(8)..at.saturating_add(8).saturating_add(hmac.len());
    if let Some(field) = written.get_mut(field) {
        field.copy_from_slice(&hmac);
    }
}
