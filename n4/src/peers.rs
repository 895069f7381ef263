//! The clients' ends of tunnels, where UPFs send to: outer headers of FARs (TS 29.244 8.2.56).

use std::net::IpAddr;
use std::sync::Arc;

use pinion_protocols::pfcp::{Element, ElementType, Elements, Error, Message, OuterHeaderCreation};

/// Whose a client's end of a tunnel is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// The client's address and TEID.
    pub client: (IpAddr, u32),
    /// Who sends there; `None`: nobody any more.
    pub to: Option<Sender>,
}

/// A UPF on a path of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The GTP-U service.
    pub service: Arc<str>,
    /// The path.
    pub path: u8,
    /// The endpoint, `POOL/NAME`.
    pub endpoint: Arc<str>,
}

/// A client's end of a tunnel: its address and TEID.
pub(crate) type End = (IpAddr, u32);

/// The clients' ends of a session's tunnels, by the number of the FAR that names each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peers {
    ends: Vec<(u32, End)>,
}

impl Peers {
    /// What [`Peers::kept`] gave.
    pub(crate) fn of(kept: &[(u32, End)]) -> Self {
        Self { ends: kept.to_vec() }
    }

    /// What outlives the process.
    pub(crate) fn kept(&self) -> &[(u32, End)] {
        &self.ends
    }

    /// All of them.
    pub(crate) fn ends(&self) -> impl Iterator<Item = End> {
        self.ends.iter().map(|(_, end)| *end)
    }

    /// All of them, each with the number of the FAR that names it.
    pub(crate) fn named(&self) -> impl Iterator<Item = (u32, End)> {
        self.ends.iter().copied()
    }

    /// Works a request in that was granted; the ends that none of the session's FARs names any more.
    pub(crate) fn follow(&mut self, request: &Message<'_>) -> Result<Vec<End>, Error> {
        let before = self.ends.clone();
        for element in request.elements() {
            let element = element?;
            let kind = element.kind();
            if !is_about_a_far(kind) {
                continue;
            }
            let (number, header) = element.group()?.map(far).transpose()?.unwrap_or_default();
            let Some(number) = number else { continue };
            // TS 29.244 7.5.4.3: what an Update FAR does not name stays as it was.
            if kind != ElementType::UpdateFar || header.is_some() {
                self.ends.retain(|(known, _)| *known != number);
            }
            let header = header.filter(|_| kind != ElementType::RemoveFar);
            if let Some(OuterHeaderCreation { teid: Some(teid), addresses, .. }) = header {
                self.ends.extend(addresses.into_iter().map(|address| (number, (address, teid))));
            }
        }
        let gone = before.into_iter().map(|(_, end)| end);
        Ok(gone.filter(|end| !self.ends().any(|known| known == *end)).collect())
    }
}

/// Whether a request is one that [`Peers::follow`] learns from.
pub(crate) fn tells(request: &Message<'_>) -> Result<bool, Error> {
    for element in request.elements() {
        if is_about_a_far(element?.kind()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_about_a_far(kind: ElementType) -> bool {
    matches!(kind, ElementType::CreateFar | ElementType::UpdateFar | ElementType::RemoveFar)
}

/// A FAR's number, and the outer header that packets get as they are forwarded.
fn far(elements: Elements<'_>) -> Result<(Option<u32>, Option<OuterHeaderCreation>), Error> {
    let (mut number, mut header) = (None, None);
    for element in elements {
        let element = element?;
        match element.kind() {
            ElementType::ForwardingParameters | ElementType::UpdateForwardingParameters => {
                let created = element.group()?.map(|within| within.find(ElementType::OuterHeaderCreation));
                let created = created.transpose()?.flatten().map(|element| element.parse()).transpose()?;
                if let Some(Element::OuterHeaderCreation(created)) = created {
                    header = Some(created);
                }
            }
            ElementType::FarId => {
                if let Element::FarId(named) = element.parse()? {
                    number = Some(named);
                }
            }
            _ => {}
        }
    }
    Ok((number, header))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use pinion_protocols::pfcp::{MessageType, MessageWriter};

    fn header(address: [u8; 4], teid: u32) -> Element<'static> {
        Element::OuterHeaderCreation(OuterHeaderCreation {
            description: 0x0100,
            teid: Some(teid),
            addresses: IpAddr::from(address).into(),
            port: None,
            c_tag: None,
            s_tag: None,
        })
    }

    /// What is said of a FAR, its number, and its outer header.
    type Far = (ElementType, u32, Option<([u8; 4], u32)>);

    fn request(fars: &[Far]) -> Vec<u8> {
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, MessageType::SessionModificationRequest, Some(1), 1);
        for (kind, number, end) in fars {
            let parameters = match *kind {
                ElementType::CreateFar => ElementType::ForwardingParameters,
                _ => ElementType::UpdateForwardingParameters,
            };
            writer.nested(*kind, |writer| {
                writer.add(&Element::FarId(*number));
                if let Some((address, teid)) = end {
                    writer.nested(parameters, |writer| {
                        writer.add(&Element::DestinationInterface(0)).add(&header(*address, *teid));
                    });
                }
            });
        }
        writer.finish().unwrap();
        out.to_vec()
    }

    #[test]
    fn ends_come_move_and_go_with_their_fars() {
        const GNB: [[u8; 4]; 2] = [[192, 0, 2, 1], [192, 0, 2, 2]];
        let [old, new] = GNB.map(IpAddr::from);
        let (create, update, remove) = (ElementType::CreateFar, ElementType::UpdateFar, ElementType::RemoveFar);
        let mut peers = Peers::default();
        let mut follow = |fars: &[_]| {
            let bytes = request(fars);
            let gone = peers.follow(&Message::parse(&bytes).unwrap()).unwrap();
            (peers.ends().collect::<Vec<_>>(), gone)
        };
        let made = [(create, 1, None), (create, 2, Some((GNB[0], 7)))];
        assert_eq!(follow(&made), (vec![(old, 7)], vec![]));
        // Idle: the FAR buffers, and says nothing of where.
        assert_eq!(follow(&[(update, 2, None)]), (vec![(old, 7)], vec![]));
        assert_eq!(follow(&[(update, 2, Some((GNB[1], 8)))]), (vec![(new, 8)], vec![(old, 7)]));
        assert_eq!(follow(&[(create, 3, Some((GNB[1], 8)))]), (vec![(new, 8), (new, 8)], vec![]));
        assert_eq!(follow(&[(remove, 2, None)]), (vec![(new, 8)], vec![]));
        assert_eq!(follow(&[(remove, 3, None)]), (vec![], vec![(new, 8)]));
    }

    #[test]
    fn never_stops() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let Ok(message) = Message::parse(bytes) else { return };
            let _ = (tells(&message), Peers::default().follow(&message));
        });
    }
}
