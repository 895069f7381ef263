//! Associations of an AMF, and their addresses.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Cause, List, cause::enumerations, extensions, optional};
use crate::ap::{Alternative, Extensions, Reader, Unfit, Value, Writer, Wrong};
use crate::numbered::numbered;

/// Transport Layer Address: one address of either family, or both (TS 38.413 9.3.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransportAddress {
    /// The address of IPv4.
    pub v4: Option<Ipv4Addr>,
    /// The address of IPv6.
    pub v6: Option<Ipv6Addr>,
}

/// The most bits of an address, if no extension makes it longer.
const MOST_BITS: usize = 160;

impl Value for TransportAddress {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let offset = reader.offset();
        if reader.bit()? {
            return Err(Wrong::Newer { offset });
        }
        let (v4, v6) = match reader.count(MOST_BITS)? {
            32 => (true, false),
            128 => (false, true),
            160 => (true, true),
            _ => return Err(Wrong::Range { offset }),
        };
        let v4 = v4.then(|| reader.array::<4>().map(Ipv4Addr::from)).transpose()?;
        let v6 = v6.then(|| reader.array::<16>().map(Ipv6Addr::from)).transpose()?;
        Ok(Self { v4, v6 })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bit(false);
        let bits = match (self.v4, self.v6) {
            (None, None) => return writer.fail(Unfit::Count { count: 0, most: MOST_BITS }),
            (Some(_), None) => 32,
            (None, Some(_)) => 128,
            (Some(_), Some(_)) => MOST_BITS,
        };
        writer.count(bits, MOST_BITS);
        self.v4.iter().for_each(|address| writer.octets(&address.octets()));
        self.v6.iter().for_each(|address| writer.octets(&address.octets()));
    }
}

/// CP Transport Layer Information (TS 38.413 9.3.2.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TnlAddress {
    /// An address, at the usual port.
    Endpoint(TransportAddress),
    /// An address and a port, and what newer releases have.
    Other(Alternative),
}

impl Value for TnlAddress {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        match reader.bit()? {
            false => TransportAddress::read(reader).map(Self::Endpoint),
            true => Alternative::read(reader).map(Self::Other),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bit(matches!(self, Self::Other(_)));
        match self {
            Self::Endpoint(address) => address.write(writer),
            Self::Other(other) => other.write(writer),
        }
    }
}

numbered! {
    /// TNL Association Usage (TS 38.413 9.3.2.9).
    TnlUsage(u8) else "usage" {
        0 Ue "ue"
        1 NonUe "non-ue"
        2 Both "both"
    }
}

enumerations! {
    TnlUsage 2 3
}

/// AMF TNL Association to Add List (TS 38.413 9.2.6.4).
pub type TnlToAddList = List<TnlToAdd, 32>;

/// An item of AMF TNL Association to Add List.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TnlToAdd {
    /// Its address.
    pub address: TnlAddress,
    /// What it is for.
    pub usage: Option<TnlUsage>,
    /// TNL Address Weight Factor.
    pub weight: u8,
    /// Extensions.
    pub extensions: Extensions,
}

impl Value for TnlToAdd {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(2)?;
        let address = TnlAddress::read(reader)?;
        let usage = optional(reader, present & 2 != 0)?;
        let weight = reader.octet()?;
        Ok(Self { address, usage, weight, extensions: extensions(reader, added, present & 1 != 0)? })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(2, u8::from(self.usage.is_some()) << 1 | u8::from(!self.extensions.is_empty()));
        self.address.write(writer);
        self.usage.iter().for_each(|usage| usage.write(writer));
        writer.octets(&[self.weight]);
        self.extensions.write(writer);
    }
}

/// AMF TNL Association to Update List (TS 38.413 9.2.6.4).
pub type TnlToUpdateList = List<TnlToUpdate, 32>;

/// An item of AMF TNL Association to Update List.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TnlToUpdate {
    /// Its address.
    pub address: TnlAddress,
    /// What it is for.
    pub usage: Option<TnlUsage>,
    /// TNL Address Weight Factor.
    pub weight: Option<u8>,
    /// Extensions.
    pub extensions: Extensions,
}

impl Value for TnlToUpdate {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(3)?;
        let address = TnlAddress::read(reader)?;
        let usage = optional(reader, present & 4 != 0)?;
        let weight = (present & 2 != 0).then(|| reader.octet()).transpose()?;
        Ok(Self { address, usage, weight, extensions: extensions(reader, added, present & 1 != 0)? })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let present = u8::from(self.usage.is_some()) << 2 | u8::from(self.weight.is_some()) << 1;
        writer.sequence(3, present | u8::from(!self.extensions.is_empty()));
        self.address.write(writer);
        self.usage.iter().for_each(|usage| usage.write(writer));
        self.weight.iter().for_each(|&weight| writer.octets(&[weight]));
        self.extensions.write(writer);
    }
}

/// AMF TNL Association to Remove List, and Setup List, which have the same items (TS 38.413 9.2.6.4, 9.2.6.5).
pub type TnlAssociationList = List<TnlAssociation, 32>;

/// An item that names an association.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TnlAssociation {
    /// Its address.
    pub address: TnlAddress,
    /// Extensions: the gNB's own address.
    pub extensions: Extensions,
}

impl Value for TnlAssociation {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(1)?;
        let address = TnlAddress::read(reader)?;
        Ok(Self { address, extensions: extensions(reader, added, present & 1 != 0)? })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(1, (!self.extensions.is_empty()).into());
        self.address.write(writer);
        self.extensions.write(writer);
    }
}

/// AMF TNL Association Failed to Setup List (TS 38.413 9.3.2.7).
pub type TnlFailureList = List<TnlFailure, 32>;

/// An association that was not set up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TnlFailure {
    /// Its address.
    pub address: TnlAddress,
    /// Why.
    pub cause: Cause,
    /// Extensions.
    pub extensions: Extensions,
}

impl Value for TnlFailure {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let (added, present) = reader.sequence(1)?;
        let (address, cause) = (TnlAddress::read(reader)?, Cause::read(reader)?);
        Ok(Self { address, cause, extensions: extensions(reader, added, present & 1 != 0)? })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.sequence(1, (!self.extensions.is_empty()).into());
        self.address.write(writer);
        self.cause.write(writer);
        self.extensions.write(writer);
    }
}
