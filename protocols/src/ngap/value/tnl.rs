//! Associations of an AMF, and their addresses.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::choice::choices;
use super::sequence::{Field, sequences};
use super::{Cause, List, cause::enumerations};
use crate::addresses::Addresses;
use crate::ap::{Alternative, Extensions, Reader, Unfit, Value, Writer, Wrong};
use crate::numbered::numbered;

/// Transport Layer Address: one address of either family, or both (TS 38.413 9.3.2.4).
pub type TransportAddress = Addresses;

/// The most bits of an address, if no extension makes it longer.
const MOST_BITS: usize = 160;

impl Value for Addresses {
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

choices! {
    /// CP Transport Layer Information (TS 38.413 9.3.2.6).
    TnlAddress {
        /// An address, at the usual port.
        Endpoint(TransportAddress),
        /// An address and a port, and what newer releases have.
        Other
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

sequences! {
    /// An item of AMF TNL Association to Add List.
    TnlToAdd {
        /// Its address.
        address: TnlAddress,
        /// What it is for.
        usage: Option<TnlUsage>,
        /// TNL Address Weight Factor.
        weight: u8,
        /// Extensions.
        extensions: Extensions,
    }
}

/// AMF TNL Association to Update List (TS 38.413 9.2.6.4).
pub type TnlToUpdateList = List<TnlToUpdate, 32>;

sequences! {
    /// An item of AMF TNL Association to Update List.
    TnlToUpdate {
        /// Its address.
        address: TnlAddress,
        /// What it is for.
        usage: Option<TnlUsage>,
        /// TNL Address Weight Factor.
        weight: Option<u8>,
        /// Extensions.
        extensions: Extensions,
    }
}

/// AMF TNL Association to Remove List, and Setup List, which have the same items (TS 38.413 9.2.6.4, 9.2.6.5).
pub type TnlAssociationList = List<TnlAssociation, 32>;

sequences! {
    /// An item that names an association.
    TnlAssociation {
        /// Its address.
        address: TnlAddress,
        /// Extensions: the gNB's own address.
        extensions: Extensions,
    }
}

/// AMF TNL Association Failed to Setup List (TS 38.413 9.3.2.7).
pub type TnlFailureList = List<TnlFailure, 32>;

sequences! {
    /// An association that was not set up.
    TnlFailure {
        /// Its address.
        address: TnlAddress,
        /// Why.
        cause: Cause,
        /// Extensions.
        extensions: Extensions,
    }
}
