//! Filters of service data flows, and the rules that they belong to.

use ::bytes::{BufMut, BytesMut};

use super::super::write::counted;
use crate::reader::Reader;

/// Which packets a rule is for (TS 29.244 8.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SdfFilter<'a> {
    /// An `IPFilterRule` of RFC 6733 4.3.1, at most 65,535 bytes: addresses, protocol, ports.
    pub flow: Option<&'a [u8]>,
    /// Type of service or traffic class, then its mask.
    pub traffic_class: Option<[u8; 2]>,
    /// Security parameter index of IPsec.
    pub security: Option<u32>,
    /// Flow label of IPv6.
    pub flow_label: Option<[u8; 3]>,
    /// Ties filters of both directions together.
    pub id: Option<u32>,
}

impl<'a> SdfFilter<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let [flags, _spare] = reader.array()?;
        Some(Self {
            flow: reader.when(flags & 1 != 0, Reader::counted)?,
            traffic_class: reader.when(flags & 2 != 0, Reader::array)?,
            security: reader.when(flags & 4 != 0, Reader::u32)?,
            flow_label: reader.when(flags & 8 != 0, Reader::array)?,
            id: reader.when(flags & 16 != 0, Reader::u32)?,
        })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        let there = [
            self.flow.is_some(),
            self.traffic_class.is_some(),
            self.security.is_some(),
            self.flow_label.is_some(),
            self.id.is_some(),
        ];
        let flags = there.iter().rev().fold(0, |flags, &there| flags << 1 | u8::from(there));
        out.put_slice(&[flags, 0]);
        if let Some(flow) = self.flow {
            counted(out, flow);
        }
        out.extend(self.traffic_class.into_iter().flatten());
        out.extend(self.security.map(u32::to_be_bytes).into_iter().flatten());
        out.extend(self.flow_label.into_iter().flatten());
        out.extend(self.id.map(u32::to_be_bytes).into_iter().flatten());
    }
}

/// A rule by its kind (TS 29.244 8.2.80).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Packet detection rule.
    Pdr(u16),
    /// Forwarding action rule.
    Far(u32),
    /// QoS enforcement rule.
    Qer(u32),
    /// Usage reporting rule.
    Urr(u32),
    /// Buffering action rule.
    Bar(u8),
    /// Multi-access rule.
    Mar(u16),
    /// Session reporting rule.
    Srr(u8),
}

impl Rule {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        Some(match reader.octet()? & 0x1f {
            0 => Self::Pdr(reader.u16()?),
            1 => Self::Far(reader.u32()?),
            2 => Self::Qer(reader.u32()?),
            3 => Self::Urr(reader.u32()?),
            4 => Self::Bar(reader.octet()?),
            5 => Self::Mar(reader.u16()?),
            6 => Self::Srr(reader.octet()?),
            _ => return None,
        })
    }

    pub(crate) fn write(self, out: &mut BytesMut) {
        let (kind, number): (u8, &[u8]) = match self {
            Self::Pdr(number) => (0, &number.to_be_bytes()),
            Self::Far(number) => (1, &number.to_be_bytes()),
            Self::Qer(number) => (2, &number.to_be_bytes()),
            Self::Urr(number) => (3, &number.to_be_bytes()),
            Self::Bar(number) => (4, &[number]),
            Self::Mar(number) => (5, &number.to_be_bytes()),
            Self::Srr(number) => (6, &[number]),
        };
        out.put_u8(kind);
        out.put_slice(number);
    }
}
