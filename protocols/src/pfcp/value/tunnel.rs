//! Tunnels of GTP-U, and headers put around and taken off.

use ::bytes::{BufMut, BytesMut};

use super::super::write::counted;
use crate::addresses::Addresses;
use crate::reader::Reader;

/// One end of a tunnel (TS 29.244 8.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FTeid {
    /// It is this.
    Given {
        /// Tunnel endpoint identifier.
        teid: u32,
        /// Where packets are sent to.
        addresses: Addresses,
    },
    /// The user plane function is asked to choose (CH).
    Choose {
        /// An IPv4 address is wanted.
        v4: bool,
        /// An IPv6 address is wanted.
        v6: bool,
        /// Those with the same number get one and the same F-TEID (CHID).
        id: Option<u8>,
    },
}

impl FTeid {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let flags = reader.octet()?;
        let (v4, v6) = (flags & 1 != 0, flags & 2 != 0);
        Some(match flags & 4 {
            0 => Self::Given { teid: reader.u32()?, addresses: Addresses::read(&mut reader, v4, v6)? },
            _ => Self::Choose { v4, v6, id: reader.when(flags & 8 != 0, Reader::octet)? },
        })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        match self {
            Self::Given { teid, addresses } => {
                out.put_u8(addresses.flags(1, 2));
                out.put_u32(teid);
                addresses.write(out);
            }
            Self::Choose { v4, v6, id } => {
                out.put_u8(4 | u8::from(v4) | u8::from(v6) << 1 | id.map_or(0, |_| 8));
                out.extend(id);
            }
        }
    }
}

/// The header that is put around packets: the *peer's* end of a tunnel, where it is GTP-U (TS 29.244 8.2.56).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OuterHeaderCreation {
    /// Which headers, one bit each; the first octet is the upper.
    pub description: u16,
    /// Tunnel endpoint identifier, with GTP-U.
    pub teid: Option<u32>,
    /// The peer's address.
    pub addresses: Addresses,
    /// The peer's UDP port, without GTP-U.
    pub port: Option<u16>,
    /// Customer VLAN tag.
    pub c_tag: Option<[u8; 3]>,
    /// Service VLAN tag.
    pub s_tag: Option<[u8; 3]>,
}

impl OuterHeaderCreation {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let description = reader.u16()?;
        let any = |bits| description & bits != 0;
        Some(Self {
            description,
            teid: reader.when(any(0x0300), Reader::u32)?,
            addresses: Addresses::read(&mut reader, any(0x1500), any(0x2a00))?,
            port: reader.when(any(0x0c00), Reader::u16)?,
            c_tag: reader.when(any(0x4000), Reader::array)?,
            s_tag: reader.when(any(0x8000), Reader::array)?,
        })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        out.put_u16(self.description);
        out.extend(self.teid.map(u32::to_be_bytes).into_iter().flatten());
        self.addresses.write(out);
        out.extend(self.port.map(u16::to_be_bytes).into_iter().flatten());
        out.extend([self.c_tag, self.s_tag].into_iter().flatten().flatten());
    }
}

/// The headers that are taken off (TS 29.244 8.2.64).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OuterHeaderRemoval {
    /// Which: 0 GTP-U/UDP/IPv4, 1 GTP-U/UDP/IPv6, 2 UDP/IPv4, 3 UDP/IPv6, 4 IPv4, 5 IPv6, 6 GTP-U/UDP/IP, 7 and 8 VLAN tags.
    pub description: u8,
    /// Which GTP-U extension headers go too, one bit each.
    pub extensions: Option<u8>,
}

impl OuterHeaderRemoval {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        Some(Self { description: reader.octet()?, extensions: reader.octet() })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        out.put_u8(self.description);
        out.extend(self.extensions);
    }
}

/// A peer on the user plane that a node report is about (TS 29.244 8.2.70).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RemotePeer<'a> {
    /// Where it is.
    pub addresses: Addresses,
    /// Destination interface towards it.
    pub interface: Option<&'a [u8]>,
    /// Network instance that it is in.
    pub network: Option<&'a [u8]>,
    /// When it restarted, seconds since 1900.
    pub recovery: Option<u32>,
}

impl<'a> RemotePeer<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let flags = reader.octet()?;
        Some(Self {
            addresses: Addresses::read(&mut reader, flags & 2 != 0, flags & 1 != 0)?,
            interface: reader.when(flags & 4 != 0, Reader::counted)?,
            network: reader.when(flags & 8 != 0, Reader::counted)?,
            recovery: reader.when(flags & 16 != 0, Reader::u32)?,
        })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        let flag = |there: bool, bit: u8| if there { bit } else { 0 };
        let flags = flag(self.interface.is_some(), 4) | flag(self.network.is_some(), 8);
        out.put_u8(self.addresses.flags(2, 1) | flags | flag(self.recovery.is_some(), 16));
        self.addresses.write(out);
        for name in [self.interface, self.network].into_iter().flatten() {
            counted(out, name);
        }
        out.extend(self.recovery.map(u32::to_be_bytes).into_iter().flatten());
    }
}

/// Addresses and TEIDs from which a control plane function chooses; of Release 15 (TS 29.244 V15 8.2.82).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserPlaneResource<'a> {
    /// Addresses of the user plane function.
    pub addresses: Addresses,
    /// How many of a TEID's upper bits are given, 1 to 7, and their value in the upper bits of an octet.
    pub teid_range: Option<(u8, u8)>,
    /// Network instance that the addresses are in.
    pub network: Option<&'a [u8]>,
    /// Source interface that they are for.
    pub interface: Option<u8>,
}

impl<'a> UserPlaneResource<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let flags = reader.octet()?;
        let bits = flags >> 2 & 7;
        let range = reader.when(bits != 0, Reader::octet)?;
        let addresses = Addresses::read(&mut reader, flags & 1 != 0, flags & 2 != 0)?;
        let (network, interface) = match (flags & 0x20 != 0, flags & 0x40 != 0) {
            (false, false) => (None, None),
            (true, false) => (Some(reader.rest()), None),
            (false, true) => (None, Some(reader.octet()?)),
            (true, true) => {
                let (&interface, network) = reader.rest().split_last()?;
                (Some(network), Some(interface))
            }
        };
        let interface = interface.map(|octet| octet & 0x0f);
        Some(Self { addresses, teid_range: range.map(|range| (bits, range)), network, interface })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        let flags = self.network.map_or(0, |_| 0x20) | self.interface.map_or(0, |_| 0x40);
        let bits = self.teid_range.map_or(0, |(bits, _)| (bits & 7) << 2);
        out.put_u8(self.addresses.flags(1, 2) | bits | flags);
        out.extend(self.teid_range.filter(|(bits, _)| bits & 7 != 0).map(|(_, range)| range));
        self.addresses.write(out);
        out.put_slice(self.network.unwrap_or_default());
        out.extend(self.interface);
    }
}
