//! Packet blocks: enhanced, simple, and the old one that nobody should write any more.

use super::super::fields::Fields;
use super::interface::Interface;

/// What a packet block says of its packet.
pub(super) struct Packet {
    pub(super) interface: u32,
    pub(super) ticks: Option<u64>,
    pub(super) captured: u32,
    pub(super) wire: u32,
    /// Bytes of the block after its fixed fields: the packet, padding and options.
    pub(super) room: u32,
}

impl Packet {
    pub(super) fn enhanced(mut body: Fields<'_>) -> Option<Self> {
        let interface = body.u32()?;
        Self::timed(interface, body)
    }

    pub(super) fn old(mut body: Fields<'_>) -> Option<Self> {
        let interface = u32::from(body.u16()?);
        let _drops = body.u16()?;
        Self::timed(interface, body)
    }

    fn timed(interface: u32, mut body: Fields<'_>) -> Option<Self> {
        let (high, low) = (body.u32()?, body.u32()?);
        let (captured, wire) = (body.u32()?, body.u32()?);
        let ticks = (u64::from(high) << 32) | u64::from(low);
        Some(Self { interface, ticks: Some(ticks), captured, wire, room: body.len() })
    }

    /// Says its length on the wire alone: what was captured of it follows from the snap length.
    pub(super) fn simple(mut body: Fields<'_>, interface: Option<&Interface>) -> Option<Self> {
        let wire = body.u32()?;
        let captured = interface.map_or(wire, |interface| interface.snap(wire));
        Some(Self { interface: 0, ticks: None, captured, wire, room: body.len() })
    }
}
