//! Offloads of an interface, through the ethtool family of generic netlink.

use netlink_packet_core::{
    DefaultNla, Emitable, NLA_F_NESTED, NetlinkDeserializable, NetlinkHeader, NetlinkSerializable,
};
use std::convert::Infallible;
use std::io;

use super::Namespace;
use crate::failure::Failure;

// linux/genetlink.h
const CONTROL_FAMILY: u16 = 0x10;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

// linux/ethtool_netlink.h
const FEATURES_SET: u8 = 12;
const FEATURES_HEADER: u16 = 1;
const FEATURES_WANTED: u16 = 3;
const HEADER_DEV_NAME: u16 = 2;
const HEADER_FLAGS: u16 = 3;
const FLAG_OMIT_REPLY: u32 = 2;
const BITSET_BITS: u16 = 3;
const BITSET_BIT: u16 = 1;
const BIT_NAME: u16 = 2;
const BIT_VALUE: u16 = 3;

impl Namespace {
    /// Switches features of an interface, named as `ethtool -k` prints those
    /// of the kernel (`rx-gro`, `tx-checksum-sctp`). One that the interface
    /// cannot change stays as it is.
    ///
    /// # Errors
    ///
    /// [`Failure::Netlink`] where the kernel has no such feature or no
    /// ethtool netlink (before 5.6).
    pub fn set_features(&self, interface: &str, features: &[(&str, bool)]) -> Result<(), Failure> {
        self.ask_features(interface, features)
            .map_err(|source| Failure::Netlink { what: format!("features {features:?} of {interface}"), source })
    }

    fn ask_features(&self, interface: &str, features: &[(&str, bool)]) -> io::Result<()> {
        let bits = features.iter().map(|(name, on)| {
            let mut bit = vec![DefaultNla::new(BIT_NAME, zero_ended(name))];
            if *on {
                bit.push(DefaultNla::new(BIT_VALUE, Vec::new()));
            }
            nest(BITSET_BIT, &bit)
        });
        let bits = nest(BITSET_BITS, &bits.collect::<Vec<_>>());
        let header = [
            DefaultNla::new(HEADER_DEV_NAME, zero_ended(interface)),
            DefaultNla::new(HEADER_FLAGS, FLAG_OMIT_REPLY.to_ne_bytes().to_vec()),
        ];
        let request = Generic {
            family: self.generic_family("ethtool")?,
            command: FEATURES_SET,
            attributes: emit(&[nest(FEATURES_HEADER, &header), nest(FEATURES_WANTED, &[bits])]),
        };
        self.generic.ask(0, request).map(drop)
    }

    fn generic_family(&self, name: &str) -> io::Result<u16> {
        let request = Generic {
            family: CONTROL_FAMILY,
            command: GET_FAMILY,
            attributes: emit(&[DefaultNla::new(FAMILY_NAME, zero_ended(name))]),
        };
        let answers = self.generic.ask(0, request)?;
        answers
            .iter()
            .find_map(|answer| answer.attribute(FAMILY_ID))
            .and_then(|value| value.try_into().ok())
            .map(u16::from_ne_bytes)
            .ok_or_else(|| io::Error::other(format!("no generic netlink family {name}")))
    }
}

/// A generic netlink message: four bytes of header, then attributes.
struct Generic {
    family: u16,
    command: u8,
    attributes: Vec<u8>,
}

impl Generic {
    fn attribute(&self, wanted: u16) -> Option<&[u8]> {
        let mut rest = self.attributes.as_slice();
        while let Some(([l0, l1, k0, k1], _)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_ne_bytes([*l0, *l1]));
            if u16::from_ne_bytes([*k0, *k1]) == wanted {
                return rest.get(4..length);
            }
            rest = rest.get(length.next_multiple_of(4).max(4)..).unwrap_or_default();
        }
        None
    }
}

impl NetlinkSerializable for Generic {
    fn message_type(&self) -> u16 {
        self.family
    }

    fn buffer_len(&self) -> usize {
        self.attributes.len().saturating_add(4)
    }

    fn serialize(&self, buffer: &mut [u8]) {
        let header = [self.command, 1, 0, 0];
        for (to, from) in buffer.iter_mut().zip(header.iter().chain(&self.attributes)) {
            *to = *from;
        }
    }
}

impl NetlinkDeserializable for Generic {
    type Error = Infallible;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, Infallible> {
        Ok(Self {
            family: header.message_type,
            command: payload.first().copied().unwrap_or_default(),
            attributes: payload.get(4..).unwrap_or_default().to_vec(),
        })
    }
}

fn nest(kind: u16, inside: &[DefaultNla]) -> DefaultNla {
    DefaultNla::new(kind | NLA_F_NESTED, emit(inside))
}

fn emit(attributes: &[DefaultNla]) -> Vec<u8> {
    let mut bytes = vec![0; attributes.buffer_len()];
    attributes.emit(&mut bytes);
    bytes
}

fn zero_ended(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}
