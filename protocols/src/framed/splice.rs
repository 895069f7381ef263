//! Copies a message with some of its elements changed: the rest stays byte for byte as it was.

use super::{Elements, Error, MessageWriter, Protocol, RawElement};

/// What becomes of one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch<'a, P: Protocol> {
    /// Where in the datagram the element begins, as views say it.
    pub offset: usize,
    /// What is there instead; `None`: nothing.
    pub with: Option<P::Element<'a>>,
}

impl<P: Protocol> MessageWriter<'_, P> {
    /// Adds elements, those with a patch changed. `patches` are in the order of their offsets; lengths of groups around
    /// changed elements follow. What is there instead has the instance of what was. A patch at no element's beginning is
    /// not applied.
    ///
    /// # Errors
    ///
    /// Those of [`Elements`], for what is looked into; the message is of no use then.
    pub fn splice(&mut self, elements: Elements<'_, P>, mut patches: &[Patch<'_, P>]) -> Result<(), Error<P>> {
        for element in elements {
            let element = element?;
            let end = element.value_offset().saturating_add(element.value().len());
            let (within, after) = patches.split_at(patches.partition_point(|patch| patch.offset < end));
            patches = after;
            match within {
                [] => {
                    self.copy(&element);
                }
                [patch] if patch.offset == element.offset() => {
                    if let Some(with) = &patch.with {
                        self.add_numbered(with, element.number());
                    }
                }
                _ => {
                    let Some(children) = element.group()? else {
                        self.copy(&element);
                        continue;
                    };
                    let mut done = Ok(());
                    self.numbered(element.kind(), element.number(), |writer| {
                        done = writer.splice(children, within);
                    });
                    done?;
                }
            }
        }
        Ok(())
    }

    /// Adds an element as it is.
    pub fn copy(&mut self, element: &RawElement<'_, P>) -> &mut Self {
        self.numbered(element.kind(), element.number(), |writer| {
            writer.raw(element.value());
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::pfcp::{Element, ElementType, FTeid, Message, MessageType, MessageWriter, Patch};
    use ::bytes::{BufMut, BytesMut};
    use core::net::{IpAddr, Ipv4Addr};
    use std::vec::Vec;

    fn tunnel(teid: u32, last: u8) -> Element<'static> {
        let addresses = IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into();
        Element::FTeid(FTeid::Given { teid, addresses })
    }

    /// A response with two tunnels, between elements that nobody here knows.
    fn message(first: Option<Element<'_>>, second: Option<Element<'_>>) -> Vec<u8> {
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, MessageType::SessionEstablishmentResponse, Some(9), 7);
        writer.element(ElementType::from(40_000), |out| out.put_slice(b"\x0d\xdfvendor"));
        for (number, tunnel) in [(1, first), (2, second)] {
            writer.nested(ElementType::CreatedPdr, |writer| {
                writer.add(&Element::PdrId(number));
                if let Some(tunnel) = &tunnel {
                    writer.add(tunnel);
                }
                writer.element(ElementType::from(399), |out| out.put_slice(b"later"));
            });
        }
        writer.finish().unwrap();
        out.to_vec()
    }

    fn spliced(bytes: &[u8], patches: &[Patch<'_>]) -> Vec<u8> {
        let message = Message::parse(bytes).unwrap();
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, message.message_type(), message.seid(), message.sequence());
        writer.splice(message.elements(), patches).unwrap();
        writer.finish().unwrap();
        out.to_vec()
    }

    #[test]
    fn without_patches_a_message_is_as_it_was() {
        let bytes = message(Some(tunnel(1, 1)), Some(tunnel(2, 2)));
        assert_eq!(spliced(&bytes, &[]), bytes);
    }

    #[test]
    fn replaces_and_leaves_out_deep_within() {
        let bytes = message(Some(tunnel(1, 1)), Some(tunnel(2, 2)));
        let offsets: Vec<usize> =
            Message::parse(&bytes).unwrap().local_tunnels().map(|found| found.unwrap().offset).collect();
        let patches = [
            Patch { offset: offsets[0], with: Some(tunnel(0xffff_0001, 77)) },
            Patch { offset: offsets[1], with: None },
        ];
        assert_eq!(spliced(&bytes, &patches), message(Some(tunnel(0xffff_0001, 77)), None));
    }

    #[test]
    fn a_patch_may_change_a_whole_group() {
        let bytes = message(Some(tunnel(1, 1)), None);
        let group = Message::parse(&bytes).unwrap().elements().nth(1).unwrap().unwrap();
        let patches = [Patch { offset: group.offset(), with: Some(Element::PdrId(5)) }];
        let out = spliced(&bytes, &patches);
        let kinds: Vec<_> = Message::parse(&out).unwrap().elements().map(|it| it.unwrap().kind()).collect();
        assert_eq!(kinds, [ElementType::from(40_000), ElementType::PdrId, ElementType::CreatedPdr]);
    }

    #[test]
    fn whatever_is_parsed_is_copied_as_it_was() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let Ok(message) = Message::parse(bytes) else { return };
            let mut out = BytesMut::new();
            let mut writer =
                MessageWriter::new(&mut out, message.message_type(), message.seid(), message.sequence());
            if writer.splice(message.elements(), &[]).is_ok() {
                writer.finish().unwrap();
                assert_eq!(Message::parse(&out).unwrap().body(), message.body());
            }
        });
    }
}
