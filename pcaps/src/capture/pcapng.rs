//! The pcapng format (draft-ietf-opsawg-pcapng): sections, interfaces, and the three kinds of packet block. Other blocks are skipped.

mod block;
mod interface;
mod packet;

use super::fields::{Fields, Order};
use super::window::Window;
use super::{CaptureError, Record, Step};
use block::{
    Block, ENHANCED_PACKET, HEADER, INTERFACE, OLD_PACKET, SECTION_KIND, SIMPLE_PACKET, TRAILER, shortest,
};
use interface::Interface;
use packet::Packet;

/// The type of a section header block, the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Interfaces are all that is remembered, so their number must have an end.
const MOST_INTERFACES: usize = 65_536;

#[derive(Debug)]
pub(super) struct PcapNg {
    order: Order,
    interfaces: Vec<Interface>,
}

impl PcapNg {
    pub(super) fn open(window: &mut Window) -> Result<Self, CaptureError> {
        let mut reader = Self { order: Order::Little, interfaces: Vec::new() };
        let need = match reader.block(window)? {
            Some(block) if skip_section(block, reader.order, window)? => return Ok(reader),
            Some(block) => block.len,
            None => shortest(SECTION_KIND),
        };
        Err(CaptureError::HeaderCut { found: window.read(), need: u64::from(need) })
    }

    pub(super) fn next(&mut self, window: &mut Window) -> Result<Step, CaptureError> {
        loop {
            let offset = window.offset();
            let Some(block) = self.block(window)? else {
                let need = u64::from(HEADER + TRAILER);
                return Ok(if window.rest().is_empty() { Step::End } else { Step::Cut { offset, need } });
            };
            let whole = match block.kind {
                INTERFACE | OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET => block.hold(self.order, window)?,
                SECTION_KIND => skip_section(block, self.order, window)?,
                _ => block.skip(self.order, window)?,
            };
            if !whole {
                return Ok(Step::Cut { offset, need: u64::from(block.len) });
            }
            let packet = match block.kind {
                INTERFACE => {
                    let interface = Interface::read(self.body(block, window), block)?;
                    if self.interfaces.len() >= MOST_INTERFACES {
                        return Err(CaptureError::TooManyInterfaces { offset, most: MOST_INTERFACES });
                    }
                    self.interfaces.push(interface);
                    window.take(block.len as usize);
                    continue;
                }
                ENHANCED_PACKET => Packet::enhanced(self.body(block, window)),
                OLD_PACKET => Packet::old(self.body(block, window)),
                SIMPLE_PACKET => Packet::simple(self.body(block, window), self.interfaces.first()),
                _ => continue,
            };
            let packet = packet.ok_or_else(|| block.bad_length())?;
            return self.record(&packet, block, window).map(Step::Record);
        }
    }

    /// The header of the next block, which stays in the window; `None` where the source ends before. A section header begins a new
    /// section: with its own byte order, and without interfaces.
    fn block(&mut self, window: &mut Window) -> Result<Option<Block>, CaptureError> {
        let offset = window.offset();
        window.want((HEADER + TRAILER) as usize)?;
        let Some(&[kind, len, magic]) = window.rest().as_chunks::<4>().0.first_chunk() else {
            return Ok(None);
        };
        if kind == SECTION {
            self.order = match magic {
                [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
                [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
                _ => return Err(CaptureError::ByteOrder { offset, magic }),
            };
            self.interfaces.clear();
        }
        let block = Block { offset, kind: self.order.u32(kind), len: self.order.u32(len) };
        if block.len < shortest(block.kind) || !block.len.is_multiple_of(4) {
            return Err(block.bad_length());
        }
        Ok(Some(block))
    }

    fn body<'w>(&self, block: Block, window: &'w Window) -> Fields<'w> {
        let end = (block.len as usize).saturating_sub(TRAILER as usize);
        Fields::new(self.order, window.rest().get(HEADER as usize..end).unwrap_or_default())
    }

    fn record(&self, packet: &Packet, block: Block, window: &mut Window) -> Result<Record, CaptureError> {
        let offset = block.offset;
        let interface = self.interfaces.get(packet.interface as usize).ok_or(CaptureError::UnknownInterface {
            offset,
            interface: packet.interface,
            known: self.interfaces.len(),
        })?;
        if packet.captured > packet.room {
            return Err(CaptureError::PacketLength { offset, captured: packet.captured, room: packet.room });
        }
        let before = block.len.saturating_sub(TRAILER).saturating_sub(packet.room);
        let whole = window.take(block.len as usize);
        let start = whole.start.saturating_add(before as usize);
        Ok(Record {
            time: packet.ticks.map(|ticks| interface.time(ticks)),
            link: interface.link(),
            wire_len: packet.wire,
            bytes: start..start.saturating_add(packet.captured as usize),
        })
    }
}

/// Checks a section's version and moves past its header: false where the source ends before.
fn skip_section(block: Block, order: Order, window: &mut Window) -> Result<bool, CaptureError> {
    window.want(shortest(SECTION_KIND) as usize)?;
    let mut fields = Fields::new(order, window.rest());
    let version = fields.take(12).and_then(|_| Some((fields.u16()?, fields.u16()?)));
    match version {
        // Some writers say 1.2 where they mean 1.0.
        Some((1, 0 | 2)) => block.skip(order, window),
        Some((major, minor)) => Err(CaptureError::UnknownVersion { offset: block.offset, major, minor }),
        None => Ok(false),
    }
}
