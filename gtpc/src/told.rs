//! What a message tells of its session, and what of it is said differently to the other side.

use std::net::IpAddr;

use pinion_protocols::gtpv2::{
    Addresses, Cause, Element, ElementType, Error, FTeid, Message, MessageType, Patch, RawElement,
};

use crate::interface::{End, Interface, Side};

/// Why a request is not done: what its sender is told (TS 29.274 7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) cause: Cause,
    /// The element that is missing or wrong, and its instance.
    pub(crate) about: Option<(ElementType, u8)>,
}

impl Refusal {
    pub(crate) fn plain(cause: Cause) -> Self {
        Self { cause, about: None }
    }

    /// TS 29.274 7.7.6.
    pub(crate) fn missing(kind: ElementType) -> Self {
        Self { cause: Cause::MandatoryMissing, about: Some((kind, 0)) }
    }
}

impl From<Error> for Refusal {
    /// TS 29.274 7.7.7.
    fn from(error: Error) -> Self {
        match error {
            Error::ElementCut { kind, .. } => {
                Self { cause: Cause::InvalidLength, about: kind.map(|kind| (kind, 0)) }
            }
            Error::Value { kind, .. } | Error::EnterpriseCut { kind, .. } => {
                Self { cause: Cause::InvalidLength, about: Some((kind, 0)) }
            }
            Error::Depth { kind, .. } => Self { cause: Cause::MandatoryIncorrect, about: Some((kind, 0)) },
            Error::HeaderCut { .. } | Error::Version { .. } | Error::Length { .. } => {
                Self::plain(Cause::InvalidMessageFormat)
            }
        }
    }
}

/// What a message tells of its session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told<'a> {
    pub(crate) imsi: Option<&'a [u8]>,
    pub(crate) mei: Option<&'a [u8]>,
    pub(crate) apn: Option<&'a [u8]>,
    pub(crate) cause: Option<Cause>,
    /// The sender's restart counter.
    pub(crate) recovery: Option<u8>,
    /// The bearer that the message itself is about: that of a PDN connection (Linked EPS Bearer ID).
    pub(crate) linked: Option<u8>,
    /// The bearer of the first bearer context.
    pub(crate) bearer: Option<u8>,
    /// Whether all bearers of the user are meant (Scope Indication, TS 29.274 8.12).
    pub(crate) all: bool,
    /// The sender's end of the control tunnel.
    pub(crate) end: Option<FTeid>,
}

impl<'a> Told<'a> {
    /// What `side` tells; of a session that is not known yet a client alone.
    pub(crate) fn of(message: &Message<'a>, side: Side, interface: Option<Interface>) -> Result<Self, Refusal> {
        let mut told = Self::default();
        for element in message.elements() {
            let element = element?;
            let value = element.value();
            match (element.kind(), element.instance()) {
                (ElementType::Imsi, 0) => told.imsi = Some(value),
                (ElementType::Mei, 0) => told.mei = Some(value),
                (ElementType::Apn, 0) => told.apn = Some(value),
                (ElementType::Indication, 0) => told.all = value.get(1).is_some_and(|octet| octet & 2 != 0),
                (ElementType::BearerContext, 0) if told.bearer.is_none() => told.bearer = bearer(&element)?,
                // One that is too short is as if it were not there.
                (ElementType::Cause | ElementType::Recovery | ElementType::EpsBearerId, 0) => {
                    match element.parse() {
                        Ok(Element::Cause(cause, _)) => told.cause = told.cause.or(Some(cause)),
                        Ok(Element::Recovery(counter)) => told.recovery = Some(counter),
                        Ok(Element::EpsBearerId(number)) => told.linked = told.linked.or(Some(number)),
                        _ => {}
                    }
                }
                (ElementType::FTeid, instance) => match tunnel(&element, instance)? {
                    Element::FTeid(tunnel) if told.end.is_none() && is_end(&element, tunnel, side, interface) => {
                        told.end = Some(tunnel);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(told)
    }

    /// What a session's user is told from others by: the IMSI, else the MEI; none where there is neither.
    pub(crate) fn subscriber(&self) -> Option<Box<[u8]>> {
        let (tag, digits) = self
            .imsi
            .map(|it| (b'I', it))
            .or_else(|| self.mei.map(|it| (b'M', it)))
            .filter(|it| !it.1.is_empty())?;
        Some(std::iter::once(tag).chain(digits.iter().copied()).collect())
    }

    /// The PDN connection that the message is about.
    pub(crate) fn connection(&self) -> Option<u8> {
        self.linked.or(self.bearer)
    }

    /// The sender's end, at its address of the family of another one.
    pub(crate) fn end_like(&self, like: IpAddr) -> Option<End> {
        self.end.and_then(|tunnel| Some(End { address: tunnel.addresses.like(like)?, teid: tunnel.teid }))
    }
}

/// An F-TEID, or which one is too short.
fn tunnel<'a>(element: &RawElement<'a>, instance: u8) -> Result<Element<'a>, Refusal> {
    let about = Some((ElementType::FTeid, instance));
    element.parse().map_err(|error| Refusal { about, ..Refusal::from(error) })
}

/// The bearer that a bearer context is about.
fn bearer(context: &RawElement<'_>) -> Result<Option<u8>, Refusal> {
    let Some(elements) = context.group()? else { return Ok(None) };
    for element in elements {
        let element = element?;
        if (element.kind(), element.instance()) == (ElementType::EpsBearerId, 0)
            && let Element::EpsBearerId(number) = element.parse()?
        {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// Whether an F-TEID is its sender's end of the control tunnel, whatever its instance: that differs by message. Of a
/// session that is not known yet the first instance is.
fn is_end(element: &RawElement<'_>, tunnel: FTeid, side: Side, interface: Option<Interface>) -> bool {
    match interface {
        Some(interface) => interface.is_end(side, tunnel.interface),
        None => side == Side::Client && element.instance() == 0,
    }
}

/// Whether the first F-TEID of a message is its sender's end of the control tunnel (TS 29.274 7.2).
fn begins_with_own(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::CreateSessionRequest
            | MessageType::CreateSessionResponse
            | MessageType::ModifyBearerRequest
            | MessageType::DeleteSessionRequest
            | MessageType::ModifyBearerCommand
            | MessageType::DeleteBearerCommand
            | MessageType::CreateIndirectDataForwardingTunnelRequest
            | MessageType::CreateIndirectDataForwardingTunnelResponse
            | MessageType::DownlinkDataNotification
            | MessageType::ModifyAccessBearersRequest
    )
}

/// What the other side is told instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instead {
    pub(crate) side: Side,
    pub(crate) interface: Interface,
    /// Where the front end is.
    pub(crate) address: IpAddr,
    /// The TEID that the other side knows.
    pub(crate) teid: u32,
    /// The front end's restart counter.
    pub(crate) recovery: u8,
}

impl Instead {
    /// The changes of what `side` says. Restart counter and F-TEID become the front end's own. What is about the sender as a
    /// node is left out, as the other side would take it of all that are behind the front end: sets of connections that
    /// fail together (FQ-CSID), load and overload.
    pub(crate) fn patches(&self, message: &Message<'_>) -> Result<Vec<Patch<'static>>, Refusal> {
        let mut patches = Vec::new();
        for element in message.elements() {
            let element = element?;
            let with = match element.kind() {
                ElementType::FqCsid | ElementType::LoadControl | ElementType::OverloadControl => None,
                ElementType::Recovery if element.instance() == 0 => Some(Element::Recovery(self.recovery)),
                ElementType::FTeid => match tunnel(&element, element.instance())? {
                    Element::FTeid(tunnel) if is_end(&element, tunnel, self.side, Some(self.interface)) => {
                        let addresses = Addresses::from(self.address);
                        Some(Element::FTeid(FTeid { interface: tunnel.interface, teid: self.teid, addresses }))
                    }
                    // Where the sender's own is to be, another one would lead past the front end.
                    _ if element.instance() == 0 && begins_with_own(message.message_type()) => {
                        let about = Some((ElementType::FTeid, 0));
                        return Err(Refusal { cause: Cause::MandatoryIncorrect, about });
                    }
                    _ => continue,
                },
                _ => continue,
            };
            patches.push(Patch { offset: element.offset(), with });
        }
        Ok(patches)
    }
}
