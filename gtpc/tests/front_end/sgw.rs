//! A simulated SGW: what it answers, and what it asks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pinion_protocols::gtpv2::{Cause, Element, ElementType, MessageType, MessageWriter};

use crate::mme::imsi;
use crate::stage::{HERE, Said, alive, message, sgw_address, tunnel};

/// Where users' packets are taken, and where the PGW is: what is not the front end's to change.
pub(crate) const S1U: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 10));

#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) imsi: Vec<u8>,
    /// What it believes to be the MME's TEID.
    pub(crate) mme: u32,
    pub(crate) bearers: Vec<u8>,
}

pub(crate) struct Sgw {
    pub(crate) address: IpAddr,
    pub(crate) sequence: u32,
    pub(crate) recovery: u8,
    pub(crate) silent: bool,
    /// By its TEID, which other SGWs use too.
    pub(crate) users: BTreeMap<u32, Context>,
    pub(crate) heard: Vec<Said>,
    next: u32,
    /// Puts a request behind its next create session response.
    pub(crate) piggybacks: bool,
}

impl Sgw {
    pub(crate) fn new(number: u8) -> Self {
        Self {
            address: sgw_address(number),
            sequence: 0,
            recovery: 3,
            silent: false,
            users: BTreeMap::new(),
            heard: Vec::new(),
            next: 1,
            piggybacks: false,
        }
    }

    pub(crate) fn teid_of(&self, user: u32) -> Option<u32> {
        let imsi = imsi(user);
        self.users.iter().find(|(_, it)| it.imsi == imsi).map(|(teid, _)| *teid)
    }

    /// A request about a user.
    pub(crate) fn request(
        &mut self,
        kind: MessageType,
        user: u32,
        body: impl FnOnce(&mut MessageWriter<'_>),
    ) -> Vec<u8> {
        self.sequence += 1;
        let teid = self.users[&self.teid_of(user).unwrap()].mme;
        message(kind, Some(teid), self.sequence, body)
    }

    pub(crate) fn create_bearer(&mut self, user: u32) -> Vec<u8> {
        self.request(MessageType::CreateBearerRequest, user, |writer| {
            writer.add(&Element::EpsBearerId(5));
            writer.nested(ElementType::BearerContext, |writer| {
                writer.add(&Element::EpsBearerId(0));
                writer.add(&tunnel(1, 0x51_0001, S1U));
            });
        })
    }

    pub(crate) fn hear(&mut self, said: &Said) -> Option<Vec<u8>> {
        let kind = said.kind();
        let response = kind.response().filter(|_| !self.silent)?;
        if kind == MessageType::EchoRequest {
            return Some(alive(said, self.recovery));
        }
        self.heard.push(said.clone());
        let teid = said.teid()?;
        if kind == MessageType::CreateSessionRequest {
            return self.create(said, teid);
        }
        let Some(context) = self.users.get_mut(&teid) else {
            return Some(message(response, Some(0), said.sequence(), |writer| {
                writer.add(&Element::Cause(Cause::ContextNotFound, 0));
            }));
        };
        let mme = context.mme;
        if kind == MessageType::DeleteSessionRequest {
            let bearer = said.value(ElementType::EpsBearerId, 0);
            context.bearers.retain(|it| bearer.as_ref().is_some_and(|bearer| bearer[0] & 15 != *it & 15));
            if context.bearers.is_empty() {
                self.users.remove(&teid);
            }
        }
        if matches!(kind, MessageType::ModifyBearerCommand | MessageType::DeleteBearerCommand) {
            // What it does next has the command's number (TS 29.274 7.6).
            return Some(message(MessageType::DeleteBearerRequest, Some(mme), said.sequence(), |writer| {
                writer.add_instance(&Element::EpsBearerId(6), 1);
            }));
        }
        Some(message(response, Some(mme), said.sequence(), |writer| {
            writer.add(&Element::Cause(Cause::Accepted, 0));
        }))
    }

    fn create(&mut self, said: &Said, teid: u32) -> Option<Vec<u8>> {
        let end = said.tunnel(0)?;
        assert_eq!(end.addresses, HERE.into());
        let imsi = said.value(ElementType::Imsi, 0).unwrap_or_default();
        let context = said.value(ElementType::BearerContext, 0)?;
        let bearer = *context.get(4)?;
        let known = self.users.iter().find(|(_, it)| it.imsi == imsi).map(|(teid, _)| *teid);
        if teid == 0
            && let Some(known) = known
        {
            // It forgets what it had (7.2.1).
            self.users.remove(&known);
        }
        let teid = if teid == 0 { self.next } else { teid };
        self.next += 1;
        let entry = self.users.entry(teid).or_insert(Context { imsi, mme: end.teid, bearers: Vec::new() });
        entry.mme = end.teid;
        entry.bearers.push(bearer);
        let (address, recovery) = (self.address, self.recovery);
        let piggybacks = std::mem::take(&mut self.piggybacks);
        let mut answer = message(MessageType::CreateSessionResponse, Some(end.teid), said.sequence(), |writer| {
            writer.add(&Element::Cause(Cause::Accepted, 0));
            writer.add(&tunnel(11, teid, address));
            writer.add_instance(&tunnel(7, 0x00c0_ffee, [203, 0, 113, 9].into()), 1);
            writer.nested(ElementType::BearerContext, |writer| {
                writer.add(&Element::EpsBearerId(bearer));
                writer.add(&Element::Cause(Cause::Accepted, 0));
                writer.add(&tunnel(1, 0x51_0000, S1U));
            });
            writer.add(&Element::Recovery(recovery));
            if piggybacks {
                writer.follow_on();
            }
        });
        if piggybacks {
            self.sequence += 1;
            answer.extend(message(MessageType::CreateBearerRequest, Some(end.teid), self.sequence, |writer| {
                writer.add(&Element::EpsBearerId(bearer));
            }));
        }
        Some(answer)
    }
}
