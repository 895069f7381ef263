//! What a message is routed by, found without opening more than is needed.

use super::value::{Cause, FSeid, FTeid, NodeId};
use super::{ElementType, Elements, Error, Message, RawElement};
use crate::bytes;

/// Who sent a message, for which session, and whether it says yes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routing<'a> {
    /// The sender.
    pub node: Option<NodeId<'a>>,
    /// The sender's end of the session, and where in the datagram its element begins.
    pub session: Option<(FSeid, usize)>,
    /// Of a response.
    pub cause: Option<Cause>,
}

impl<'a> Routing<'a> {
    pub(super) fn of(message: &Message<'a>) -> Result<Self, Error> {
        let mut routing = Self::default();
        // A request has no cause.
        let answers = message.message_type().is_request() != Some(true);
        for element in message.elements() {
            let element = element?;
            let value = element.value();
            // By its own parser each: the view of any element is moved more slowly than these are read.
            match element.kind() {
                ElementType::NodeId if routing.node.is_none() => {
                    routing.node = Some(NodeId::parse(value).ok_or_else(|| element.too_short())?);
                }
                ElementType::FSeid if routing.session.is_none() => {
                    let session = FSeid::parse(value).ok_or_else(|| element.too_short())?;
                    routing.session = Some((session, element.offset()));
                }
                ElementType::Cause if routing.cause.is_none() => {
                    let cause = bytes::u8_at(value, 0).ok_or_else(|| element.too_short())?;
                    routing.cause = Some(Cause::from(cause));
                }
                _ => continue,
            }
            // Peers send them first, and groups after them.
            if routing.node.is_some() && routing.session.is_some() && (routing.cause.is_some() || !answers) {
                break;
            }
        }
        Ok(routing)
    }
}

/// What tells of a tunnel's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Create, Created or Update PDR, and the PDI in it.
    Rule(u16),
    /// Create, Created or Update Traffic Endpoint.
    Endpoint(u8),
}

/// A tunnel's end at the user plane function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTunnel {
    /// Whose it is; none where its group does not say.
    pub place: Option<Place>,
    /// Whether it is the one for redundant transmission: in the group for that, or the second of a Created PDR or Created
    /// Traffic Endpoint, where both are of one type (TS 29.244 7.5.3.2).
    pub redundant: bool,
    /// The end.
    pub tunnel: FTeid,
    /// Where in the datagram the F-TEID's element begins.
    pub offset: usize,
}

/// The ends of tunnels at the user plane function that a message tells of, in its order; those of redundant
/// transmission too (TS 29.244 5.24.2). Ends after the first error. Nothing is allocated.
#[derive(Clone, Debug)]
pub struct LocalTunnels<'a> {
    /// The message, a PDR or traffic endpoint in it, a PDI in that, and what is about redundant transmission.
    open: [Option<Elements<'a>>; 4],
    place: Option<Place>,
    /// How many ends the PDR or traffic endpoint told of by itself.
    told: u8,
    /// How deep the elements are that are about redundant transmission.
    redundant: Option<usize>,
}

impl<'a> LocalTunnels<'a> {
    pub(super) fn of(message: &Message<'a>) -> Self {
        Self { open: [Some(message.elements()), None, None, None], place: None, told: 0, redundant: None }
    }

    /// The next element, of the innermost group that is open.
    fn step(&mut self) -> Option<(usize, Result<RawElement<'a>, Error>)> {
        for (depth, group) in self.open.iter_mut().enumerate().rev() {
            if let Some(element) = group.as_mut().and_then(Iterator::next) {
                return Some((depth, element));
            }
            *group = None;
        }
        None
    }

    fn enter(&mut self, depth: usize, element: &RawElement<'a>) -> Result<(), Error> {
        let group = element.group()?;
        if let Some(slot) = self.open.get_mut(depth.saturating_add(1)) {
            *slot = group;
        }
        Ok(())
    }

    fn look(&mut self, depth: usize, element: &RawElement<'a>) -> Result<Option<LocalTunnel>, Error> {
        if self.redundant.is_some_and(|redundant| depth < redundant) {
            self.redundant = None;
        }
        match (depth, element.kind()) {
            (
                0,
                ElementType::CreatePdr
                | ElementType::CreatedPdr
                | ElementType::UpdatePdr
                | ElementType::UpdatedPdr
                | ElementType::CreateTrafficEndpoint
                | ElementType::CreatedTrafficEndpoint
                | ElementType::UpdateTrafficEndpoint,
            ) => {
                self.place = None;
                self.told = 0;
                self.enter(depth, element)?;
            }
            (1, ElementType::Pdi) => self.enter(depth, element)?,
            (1 | 2, ElementType::RedundantTransmissionDetectionParameters) => {
                self.enter(depth, element)?;
                self.redundant = Some(depth.saturating_add(1));
            }
            (1, ElementType::PdrId) => {
                let number = bytes::u16_at(element.value(), 0).ok_or_else(|| element.too_short())?;
                self.place = Some(Place::Rule(number));
            }
            (1, ElementType::TrafficEndpointId) => {
                let number = bytes::u8_at(element.value(), 0).ok_or_else(|| element.too_short())?;
                self.place = self.place.or(Some(Place::Endpoint(number)));
            }
            (1..=3, ElementType::FTeid) => {
                let tunnel = FTeid::parse(element.value()).ok_or_else(|| element.too_short())?;
                let second = depth == 1 && self.told > 0;
                self.told = self.told.saturating_add(u8::from(depth == 1 && self.redundant.is_none()));
                let redundant = second || self.redundant.is_some();
                let (place, offset) = (self.place, element.offset());
                return Ok(Some(LocalTunnel { place, redundant, tunnel, offset }));
            }
            _ => {}
        }
        Ok(None)
    }
}

impl Iterator for LocalTunnels<'_> {
    type Item = Result<LocalTunnel, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some((depth, element)) = self.step() {
            let found = element.and_then(|element| self.look(depth, &element)).transpose();
            if found.as_ref().is_some_and(Result::is_err) {
                self.open = [None, None, None, None];
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }
}
