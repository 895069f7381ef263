//! A simulated MME: what it asks, and what it answers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pinion_protocols::gtpv2::{Cause, Element, ElementType, MessageType, MessageWriter};

use crate::stage::{HERE, Said, alive, message, mme_address, tunnel};

pub(crate) struct Mme {
    pub(crate) address: IpAddr,
    pub(crate) sequence: u32,
    pub(crate) recovery: u8,
    /// The TEID of the SGW that it knows, by user.
    pub(crate) users: BTreeMap<u32, u32>,
    /// Requests that it took.
    pub(crate) heard: Vec<Said>,
    pub(crate) silent: bool,
}

/// The half octets of a user's IMSI.
pub(crate) fn imsi(user: u32) -> Vec<u8> {
    let digits = format!("00101{user:010}");
    let digits: Vec<u8> = digits.bytes().map(|it| it - b'0').chain([15]).collect();
    digits.chunks(2).map(|pair| pair[0] | pair[1] << 4).collect()
}

impl Mme {
    pub(crate) fn new(number: u8) -> Self {
        Self {
            address: mme_address(number),
            sequence: 0,
            recovery: 9,
            users: BTreeMap::new(),
            heard: Vec::new(),
            silent: false,
        }
    }

    /// Its TEID of a user, which is that of another user elsewhere.
    pub(crate) fn teid(user: u32) -> u32 {
        user + 1
    }

    pub(crate) fn request(
        &mut self,
        kind: MessageType,
        teid: u32,
        body: impl FnOnce(&mut MessageWriter<'_>),
    ) -> Vec<u8> {
        self.sequence += 1;
        message(kind, Some(teid), self.sequence, body)
    }

    pub(crate) fn create(&mut self, user: u32, bearer: u8) -> Vec<u8> {
        let teid = self.users.get(&user).copied().filter(|_| bearer != 5).unwrap_or(0);
        let (address, recovery) = (self.address, self.recovery);
        self.request(MessageType::CreateSessionRequest, teid, |writer| {
            writer.element(ElementType::Imsi, |out| out.extend_from_slice(&imsi(user)));
            writer.add(&tunnel(10, Self::teid(user), address));
            // The PGW that the SGW is to ask.
            writer.add_instance(&tunnel(7, 0, [203, 0, 113, 9].into()), 1);
            writer.add(&Element::Apn(b"\x08internet"));
            writer.nested(ElementType::BearerContext, |writer| {
                writer.add(&Element::EpsBearerId(bearer));
            });
            writer.add(&Element::Recovery(recovery));
            writer.element(ElementType::FqCsid, |out| out.extend_from_slice(&[1, 198, 51, 100, 1, 0, 3]));
        })
    }

    /// Takes down what it was told of a user.
    pub(crate) fn attached(&mut self, user: u32, answer: &Said) {
        assert_eq!((answer.kind(), answer.cause()), (MessageType::CreateSessionResponse, Some(Cause::Accepted)));
        assert_eq!(answer.teid(), Some(Self::teid(user)));
        let end = answer.tunnel(0).unwrap();
        assert_eq!((end.interface, end.addresses), (11, HERE.into()));
        self.users.insert(user, end.teid);
    }

    pub(crate) fn modify(&mut self, user: u32, with: impl FnOnce(&mut MessageWriter<'_>)) -> Vec<u8> {
        let teid = self.users[&user];
        self.request(MessageType::ModifyBearerRequest, teid, |writer| {
            with(writer);
            writer.nested(ElementType::BearerContext, |writer| {
                writer.add(&Element::EpsBearerId(5));
                // Where an eNB takes the user's packets.
                writer.add(&tunnel(0, 0x00e4_b000, [203, 0, 113, 50].into()));
            });
        })
    }

    pub(crate) fn delete(&mut self, user: u32, bearer: u8) -> Vec<u8> {
        let teid = self.users[&user];
        self.request(MessageType::DeleteSessionRequest, teid, |writer| {
            writer.add(&Element::EpsBearerId(bearer));
        })
    }

    /// Its answer to a request; users that it does not know it says so of.
    pub(crate) fn hear(&mut self, said: &Said) -> Option<Vec<u8>> {
        let kind = said.kind();
        let response = kind.response().filter(|_| !self.silent)?;
        if kind == MessageType::EchoRequest {
            return Some(alive(said, self.recovery));
        }
        self.heard.push(said.clone());
        let user = said.teid()?.checked_sub(1).filter(|user| self.users.contains_key(user));
        let (teid, cause) = match user.and_then(|user| self.users.get(&user)) {
            Some(teid) => (*teid, Cause::Accepted),
            None => (0, Cause::ContextNotFound),
        };
        Some(message(response, Some(teid), said.sequence(), |writer| {
            writer.add(&Element::Cause(cause, 0));
            if kind == MessageType::CreateBearerRequest {
                writer.nested(ElementType::BearerContext, |writer| {
                    writer.add(&Element::EpsBearerId(6));
                });
            }
        }))
    }
}
