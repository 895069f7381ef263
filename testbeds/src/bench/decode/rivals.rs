//! Other crates on the same bytes, each asked for what Pinion asks: what a message is routed by.

use std::hint::black_box;
use std::io::Cursor;
use std::sync::Arc;

use ::diameter::DiameterMessage;
use ::diameter::dictionary::{DEFAULT_DICT_XML, Dictionary};
use rasn::prelude::*;

use super::nanoseconds;

/// `rs-pfcp`, which reads the whole message.
pub(super) fn pfcp(bytes: &[u8]) -> Option<f64> {
    rs_pfcp::message::parse(bytes).ok()?;
    Some(nanoseconds(|| rs_pfcp::message::parse(black_box(bytes)).is_ok()))
}

/// `diameter`, which reads the whole message; none where it does not know the command.
pub(super) fn diameter(bytes: &[u8]) -> Option<f64> {
    let dictionary = Arc::new(Dictionary::new(&[&DEFAULT_DICT_XML]));
    let read = |bytes| DiameterMessage::decode_from(&mut Cursor::new(bytes), Arc::clone(&dictionary));
    read(bytes).ok()?;
    Some(nanoseconds(|| read(black_box(bytes)).is_ok()))
}

/// `rasn`, by the types below: the list of IEs, and of those the identifiers alone.
pub(super) fn ngap(bytes: &[u8]) -> Option<f64> {
    identifiers(bytes)?;
    Some(nanoseconds(|| identifiers(black_box(bytes))))
}

fn identifiers(bytes: &[u8]) -> Option<(Option<u64>, Option<u32>)> {
    let (NgapPdu::Initiating(message) | NgapPdu::Successful(message) | NgapPdu::Unsuccessful(message)) =
        rasn::aper::decode(bytes).ok()?;
    let container = rasn::aper::decode::<Container>(message.value.as_bytes()).ok()?;
    let (mut amf, mut ran) = (None, None);
    for field in container.fields {
        match field.id {
            10 => amf = Some(rasn::aper::decode::<AmfUeNgapId>(field.value.as_bytes()).ok()?.0),
            85 => ran = Some(rasn::aper::decode::<RanUeNgapId>(field.value.as_bytes()).ok()?.0),
            _ => {}
        }
    }
    Some((amf, ran))
}

/// NGAP-PDU (TS 38.413 9.4.3).
#[derive(AsnType, Decode)]
#[rasn(choice, automatic_tags)]
#[non_exhaustive]
enum NgapPdu {
    Initiating(Message),
    Successful(Message),
    Unsuccessful(Message),
}

/// What the three have alike.
#[derive(AsnType, Decode)]
#[rasn(automatic_tags)]
struct Message {
    #[rasn(value("0..=255"))]
    _procedure: u8,
    _criticality: Criticality,
    value: Any,
}

#[derive(AsnType, Decode, Clone, Copy, Debug, PartialEq, Eq)]
#[rasn(enumerated)]
enum Criticality {
    Reject,
    Ignore,
    Notify,
}

/// A message's IEs.
#[derive(AsnType, Decode)]
#[rasn(automatic_tags)]
#[non_exhaustive]
struct Container {
    #[rasn(size("0..=65535"))]
    fields: SequenceOf<Field>,
}

#[derive(AsnType, Decode)]
#[rasn(automatic_tags)]
struct Field {
    #[rasn(value("0..=65535"))]
    id: u16,
    _criticality: Criticality,
    value: Any,
}

#[derive(AsnType, Decode)]
#[rasn(delegate, value("0..=1099511627775"))]
struct AmfUeNgapId(u64);

#[derive(AsnType, Decode)]
#[rasn(delegate, value("0..=4294967295"))]
struct RanUeNgapId(u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rivals_read_what_is_measured() {
        // Uplink NAS Transport of AMF UE NGAP ID 1 and RAN UE NGAP ID 2, and an IE that is not looked at.
        let bytes = b"\x00\x2e\x40\x16\x00\x00\x03\x00\x0a\x00\x02\x00\x01\x00\x55\x00\x02\x00\x02\x00\x26\x40\x03\x02\x7e\x00";
        assert_eq!(identifiers(bytes), Some((Some(1), Some(2))));
        assert!(diameter(&super::super::CREDIT_CONTROL).is_some());
    }
}
