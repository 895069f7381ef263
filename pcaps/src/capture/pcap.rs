//! The pcap format (draft-ietf-opsawg-pcap).

use std::time::Duration;

use super::fields::{Fields, Order};
use super::window::Window;
use super::{CaptureError, MOST_BYTES, Record, Step};
use crate::link::LinkType;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

#[derive(Debug)]
pub(super) struct Pcap {
    order: Order,
    nanoseconds_per_tick: u32,
    link: LinkType,
}

impl Pcap {
    pub(super) fn open(magic: [u8; 4], window: &mut Window) -> Result<Self, CaptureError> {
        let (order, nanoseconds_per_tick) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (Order::Little, 1000),
            [0xa1, 0xb2, 0xc3, 0xd4] => (Order::Big, 1000),
            [0x4d, 0x3c, 0xb2, 0xa1] => (Order::Little, 1),
            [0xa1, 0xb2, 0x3c, 0x4d] => (Order::Big, 1),
            _ => {
                return Err(CaptureError::NotACapture { begins: magic.to_vec() });
            }
        };
        window.want(FILE_HEADER)?;
        let Some(header) = FileHeader::read(Fields::new(order, window.rest())) else {
            return Err(CaptureError::HeaderCut { found: window.rest().len() as u64, need: FILE_HEADER as u64 });
        };
        let FileHeader { major, minor, link } = header;
        if (major, minor) != (2, 4) {
            return Err(CaptureError::UnknownVersion { offset: 0, major, minor });
        }
        window.take(FILE_HEADER);
        Ok(Self { order, nanoseconds_per_tick, link })
    }

    pub(super) fn next(&mut self, window: &mut Window) -> Result<Step, CaptureError> {
        window.want(RECORD_HEADER)?;
        let Some(header) = RecordHeader::read(Fields::new(self.order, window.rest())) else {
            return Ok(if window.rest().is_empty() {
                Step::End
            } else {
                Step::Cut { offset: window.offset(), need: RECORD_HEADER as u64 }
            });
        };
        let len = (header.captured as usize).saturating_add(RECORD_HEADER);
        if len > MOST_BYTES as usize {
            return Err(CaptureError::TooLarge { offset: window.offset(), len: len as u64, most: MOST_BYTES });
        }
        if !window.want(len)? {
            return Ok(Step::Cut { offset: window.offset(), need: len as u64 });
        }
        window.take(RECORD_HEADER);
        Ok(Step::Record(Record {
            time: Some(self.time(&header)),
            link: self.link,
            wire_len: header.wire,
            bytes: window.take(header.captured as usize),
        }))
    }

    fn time(&self, header: &RecordHeader) -> Duration {
        let nanoseconds = u64::from(header.ticks).saturating_mul(u64::from(self.nanoseconds_per_tick));
        Duration::from_secs(u64::from(header.seconds)).saturating_add(Duration::from_nanos(nanoseconds))
    }
}

struct FileHeader {
    major: u16,
    minor: u16,
    link: LinkType,
}

impl FileHeader {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let _magic = fields.u32()?;
        let (major, minor) = (fields.u16()?, fields.u16()?);
        let _time_zone = fields.u32()?;
        let _accuracy = fields.u32()?;
        let _snap_len = fields.u32()?;
        // The upper half may say how long the frames' check sequence is.
        let link = LinkType::from(fields.u32()? & 0xffff);
        Some(Self { major, minor, link })
    }
}

struct RecordHeader {
    seconds: u32,
    ticks: u32,
    captured: u32,
    wire: u32,
}

impl RecordHeader {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        Some(Self { seconds: fields.u32()?, ticks: fields.u32()?, captured: fields.u32()?, wire: fields.u32()? })
    }
}
