//! The SCTP associations of a capture, as far as its packets tell: what their tags are, and which were under way when it began.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use pinion_steering::Address;

use super::MOST_RESTORED;
use crate::replay::addresses;
use crate::replay::headers::{End, Headers, at};

/// Most tags, and most pairs of ends, that are kept in mind.
const MOST_TAGS: usize = 1 << 17;

/// Chunk types (RFC 9260 3.2).
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const ABORT: u8 = 6;
const SHUTDOWN_COMPLETE: u8 = 14;

/// The T bit: the tag is that of the packet that is answered (RFC 9260 3.3.7).
const REFLECTED: u8 = 1;

/// An association whose set-up is not in the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::replay) struct Association {
    /// Which of the survey's services, and one of its ends.
    pub(in crate::replay) service: (usize, End),
    pub(in crate::replay) client: Address,
    pub(in crate::replay) client_port: u16,
    /// The tag of packets to the server; 0 where none was seen.
    pub(in crate::replay) server_tag: u32,
    /// The tag of packets to the client; 0 where none was seen.
    pub(in crate::replay) client_tag: u32,
}

#[derive(Debug, Default)]
pub(super) struct Associations {
    ends: HashMap<Ends, Seen, RandomState>,
    tags: HashMap<Tag, Known, RandomState>,
    restored: Vec<Association>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Ends {
    service: usize,
    client: Address,
    client_port: u16,
}

/// A tag in one direction, on whatever path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Tag {
    server_port: u16,
    client_port: u16,
    to_server: bool,
    tag: u32,
}

/// What is known of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    owner: Owner,
    service: usize,
}

/// Whose a tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Of an association whose set-up is in the capture.
    SetUp,
    /// Of this one of `restored`.
    Restored(usize),
}

/// What was seen between two ends so far.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// An INIT ACK.
    set_up: bool,
    /// The last one of `restored`.
    current: Option<usize>,
}

/// What a packet says of its service.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Addresses that the server says it has.
    pub(super) named: Vec<Address>,
    /// The service that it turns out to be a path of: an association of that one has its tag.
    pub(super) same: Option<usize>,
}

impl Associations {
    /// Takes note of a packet, and says what it tells of its service.
    pub(super) fn packet(
        &mut self,
        service: (usize, End),
        to_server: bool,
        client: Address,
        headers: &Headers,
        frame: &[u8],
    ) -> News {
        let client_port = if to_server { headers.source_port } else { headers.destination_port };
        let ends = Ends { service: service.0, client, client_port };
        let tag = Tag { server_port: service.1.port, client_port, to_server, tag: headers.tag };
        let same = self.tags.get(&tag).map(|known| known.service);
        let mut news = News { same: same.filter(|same| *same != service.0), ..News::default() };
        let chunk = headers.payload(frame, 12);
        match (headers.kind, to_server) {
            (INIT, true) => self.opening(ends, Tag { to_server: false, ..tag }, chunk),
            (INIT_ACK, false) => {
                if self.tags.contains_key(&tag) {
                    self.opening(ends, Tag { to_server: true, ..tag }, chunk);
                    self.seen(ends).set_up = true;
                } else {
                    self.under_way(service, ends, tag);
                }
                let named = addresses::of_init_ack(headers.payload(frame, 0));
                news.named = named.into_iter().map(|(_, address)| address).collect();
            }
            (ABORT, false) if headers.flags & REFLECTED != 0 => {
                self.deny(Tag { to_server: true, ..tag });
            }
            // Their tag may be the sender's own (RFC 9260 8.5.1), and nothing comes after them.
            (INIT | ABORT | SHUTDOWN_COMPLETE, _) => {}
            _ => self.under_way(service, ends, tag),
        }
        news
    }

    /// The associations that were under way, `settle` saying which service each belongs to in the end.
    pub(super) fn finish(self, settle: impl Fn((usize, End)) -> usize) -> Vec<Association> {
        let mut restored = self.restored;
        restored.retain(|association| association.server_tag | association.client_tag != 0);
        for association in &mut restored {
            association.service.0 = settle(association.service);
        }
        restored
    }

    /// The tag that INIT and INIT ACK ask for is that of packets the other way.
    fn opening(&mut self, ends: Ends, tag: Tag, chunk: &[u8]) {
        if let Some(initiate) = at(chunk, 4).map(u32::from_be_bytes) {
            self.own(ends, Tag { tag: initiate, ..tag }, Owner::SetUp);
        }
    }

    /// A packet that belongs to an association, whose set-up may be missing.
    fn under_way(&mut self, service: (usize, End), ends: Ends, tag: Tag) {
        if tag.tag == 0 {
            return;
        }
        let seen = *self.seen(ends);
        match self.tags.get(&tag).map(|known| known.owner) {
            Some(Owner::SetUp) => {}
            Some(Owner::Restored(known)) => self.seen(ends).current = Some(known),
            // After a set-up at these ends, an unknown tag is a wrong one.
            None if seen.set_up => {}
            None => {
                let association = self.awaiting(seen.current, service, ends, tag.to_server);
                let Some(found) = association.and_then(|at| self.restored.get_mut(at)) else {
                    return;
                };
                if tag.to_server {
                    found.server_tag = tag.tag;
                } else {
                    found.client_tag = tag.tag;
                }
                if let Some(at) = association {
                    self.own(ends, tag, Owner::Restored(at));
                    self.seen(ends).current = Some(at);
                }
            }
        }
    }

    /// The server knows no association with this tag: if that is all there was of it, there was none.
    fn deny(&mut self, tag: Tag) {
        if let Some(Owner::Restored(at)) = self.tags.get(&tag).map(|known| known.owner)
            && let Some(association) = self.restored.get_mut(at)
            && association.client_tag == 0
        {
            association.server_tag = 0;
        }
    }

    /// The association between two ends whose tag in a direction is not known yet; a new one where there is none.
    fn awaiting(
        &mut self,
        current: Option<usize>,
        service: (usize, End),
        ends: Ends,
        to_server: bool,
    ) -> Option<usize> {
        let known = current.and_then(|at| self.restored.get(at));
        let awaits = known.is_some_and(|known| {
            let tag = if to_server { known.server_tag } else { known.client_tag };
            tag == 0
        });
        if awaits {
            return current;
        }
        if self.restored.len() >= MOST_RESTORED {
            return None;
        }
        self.restored.push(Association {
            service,
            client: ends.client,
            client_port: ends.client_port,
            server_tag: 0,
            client_tag: 0,
        });
        self.restored.len().checked_sub(1)
    }

    fn own(&mut self, ends: Ends, tag: Tag, owner: Owner) {
        if self.tags.len() < MOST_TAGS {
            let service = ends.service;
            self.tags.insert(tag, Known { owner, service });
        }
    }

    /// Beyond the bound nothing is kept, and the ends look as if nothing had been seen.
    fn seen(&mut self, ends: Ends) -> &mut Seen {
        if self.ends.len() >= MOST_TAGS && !self.ends.contains_key(&ends) {
            self.ends.clear();
        }
        self.ends.entry(ends).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinion_steering::protocol;

    const SERVER: Address = Address::v4([192, 0, 2, 1]);
    const CLIENT: Address = Address::v4([192, 0, 2, 9]);
    const SERVICE: (usize, End) = (0, End { address: SERVER, port: 38_412, protocol: protocol::SCTP });

    /// A packet of one chunk: its tag, its type, and where it is INIT or INIT ACK the tag it asks for.
    fn packet(seen: &mut Associations, to_server: bool, tag: u32, kind: u8, initiate: u32) {
        flagged(seen, to_server, tag, (kind, 0), initiate);
    }

    fn flagged(seen: &mut Associations, to_server: bool, tag: u32, (kind, flags): (u8, u8), initiate: u32) {
        let (source_port, destination_port) = if to_server { (9, 38_412) } else { (38_412, 9) };
        let mut frame = vec![0; 12];
        frame.extend([kind, 0, 0, 20]);
        frame.extend(initiate.to_be_bytes());
        frame.extend([0; 12]);
        let headers = Headers {
            source: CLIENT,
            destination: SERVER,
            network: 0,
            transport: 0,
            end: frame.len(),
            source_port,
            destination_port,
            protocol: protocol::SCTP,
            kind,
            flags,
            tag,
        };
        seen.packet(SERVICE, to_server, CLIENT, &headers, &frame);
    }

    fn tags(seen: Associations) -> Vec<(u32, u32)> {
        let restored = seen.finish(|service| service.0);
        restored.iter().map(|found| (found.server_tag, found.client_tag)).collect()
    }

    #[test]
    fn what_was_under_way_is_known_by_both_tags() {
        let mut seen = Associations::default();
        packet(&mut seen, false, 7, 0, 0);
        packet(&mut seen, true, 8, 3, 0);
        packet(&mut seen, false, 7, 0, 0);
        // Another one between the same ends, and the first once more.
        packet(&mut seen, true, 18, 0, 0);
        packet(&mut seen, false, 17, 0, 0);
        packet(&mut seen, true, 8, 0, 0);
        assert_eq!(tags(seen), [(8, 7), (18, 17)]);
    }

    #[test]
    fn what_is_set_up_in_the_capture_is_not_restored() {
        let mut seen = Associations::default();
        packet(&mut seen, true, 0, INIT, 7);
        packet(&mut seen, false, 7, INIT_ACK, 8);
        packet(&mut seen, true, 8, 10, 0);
        packet(&mut seen, false, 7, 11, 0);
        // Nor is a wrong tag after it, nor an ABORT.
        packet(&mut seen, true, 99, 0, 0);
        packet(&mut seen, true, 98, ABORT, 0);
        assert_eq!(tags(seen), []);
    }

    #[test]
    fn one_direction_alone_is_enough() {
        let mut seen = Associations::default();
        packet(&mut seen, true, 0, INIT, 7);
        packet(&mut seen, true, 8, 10, 0);
        packet(&mut seen, true, 8, 0, 0);
        assert_eq!(tags(seen), [(8, 0)]);
    }

    #[test]
    fn what_the_server_knows_nothing_of_was_not_under_way() {
        let mut seen = Associations::default();
        packet(&mut seen, true, 8, 0, 0);
        flagged(&mut seen, false, 8, (ABORT, REFLECTED), 0);
        packet(&mut seen, true, 18, 0, 0);
        packet(&mut seen, false, 17, 0, 0);
        flagged(&mut seen, false, 18, (ABORT, REFLECTED), 0);
        assert_eq!(tags(seen), [(18, 17)]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut seen = Associations::default();
        for tag in 1..=2 * MOST_TAGS as u32 {
            packet(&mut seen, true, tag, 0, 0);
        }
        assert!(seen.tags.len() <= MOST_TAGS && seen.restored.len() <= MOST_RESTORED);
    }
}
