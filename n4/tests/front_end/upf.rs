//! Scripted UPFs: they choose SEIDs and TEIDs, and answer what they are told to.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pinion_protocols::pfcp::{
    Addresses, Cause, Element, ElementType, FSeid, FTeid, Message, MessageType, MessageWriter, NodeId, Place,
};

use crate::smf::message;
use crate::stage::{Said, n3, upf_address};

/// UP Function Features (TS 29.244 8.2.25): FTUP; EPFAR; UEIP and BUNDL.
pub(crate) const FEATURES: [u8; 3] = [0x10, 0x80, 0x44];

/// What a UPF does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Answers,
    /// It hears, and says nothing.
    IsSilent,
    /// It answers session requests with a cause.
    Says(Cause),
}

/// A UPF, by its number.
pub(crate) struct ScriptedUpf {
    pub(crate) number: u8,
    pub(crate) mood: Mood,
    pub(crate) stamp: u32,
    pub(crate) features: Vec<u8>,
    pub(crate) next_seid: u64,
    pub(crate) next_teid: u32,
    /// Its sessions: its SEID, and that of the front end.
    pub(crate) sessions: BTreeMap<u64, u64>,
    /// The address of its F-SEIDs, where it is not the one that it answers from.
    pub(crate) session_address: Option<IpAddr>,
    /// Everything that it heard, heartbeats left out.
    pub(crate) heard: Vec<Said>,
    /// What it hears, and says nothing to.
    pub(crate) is_deaf_to: Option<MessageType>,
    /// What it adds to answers of sessions.
    pub(crate) adds: Option<fn(&mut MessageWriter<'_>)>,
    /// Its Node ID.
    pub(crate) node: IpAddr,
    /// What it says to requests of nodes.
    pub(crate) node_cause: Cause,
    /// What it adds to answers to the wish for an association.
    pub(crate) says: Option<fn(&mut MessageWriter<'_>)>,
    sequence: u32,
}

impl ScriptedUpf {
    pub(crate) fn new(number: u8) -> Self {
        Self {
            number,
            mood: Mood::Answers,
            stamp: 0xe800_0000,
            features: FEATURES.to_vec(),
            next_seid: 0x1000 * u64::from(number),
            next_teid: 0x100 * u32::from(number),
            sessions: BTreeMap::new(),
            session_address: None,
            heard: Vec::new(),
            is_deaf_to: None,
            adds: None,
            node: upf_address(number),
            node_cause: Cause::ACCEPTED,
            says: None,
            sequence: 1,
        }
    }

    pub(crate) fn speaks_at(&self, address: IpAddr) -> bool {
        address == upf_address(self.number) || Some(address) == self.session_address
    }

    /// It has forgotten everything.
    pub(crate) fn restart(&mut self) {
        self.sessions.clear();
        self.stamp += 1;
    }

    /// What it heard of a type.
    pub(crate) fn heard(&self, kind: MessageType) -> Vec<&Said> {
        self.heard.iter().filter(|said| said.kind() == kind).collect()
    }

    pub(crate) fn node(&self) -> Element<'static> {
        Element::NodeId(NodeId::Address(self.node))
    }

    /// A request of its own.
    pub(crate) fn request(
        &mut self,
        kind: MessageType,
        seid: Option<u64>,
        body: impl FnOnce(&mut MessageWriter<'_>),
    ) -> Vec<u8> {
        self.sequence += 1;
        message(kind, seid, self.sequence, body)
    }

    /// A report of this type (TS 29.244 8.2.21) to the session that its peer knows by this SEID.
    pub(crate) fn report(&mut self, seid: u64, kind: u8) -> Vec<u8> {
        self.request(MessageType::SessionReportRequest, Some(seid), |writer| {
            writer.add(&Element::ReportType(kind));
        })
    }

    /// Takes what it was sent; gives its answer.
    pub(crate) fn hear(&mut self, said: &Said) -> Option<Vec<u8>> {
        if said.kind() != MessageType::HeartbeatRequest {
            self.heard.push(said.clone());
        }
        if self.mood == Mood::IsSilent || !said.is_request() || self.is_deaf_to == Some(said.kind()) {
            return None;
        }
        let request = said.message();
        let kind = request.message_type().response()?;
        let number = request.sequence();
        let refuses = if let Mood::Says(cause) = self.mood { Some(cause) } else { None };
        match kind {
            MessageType::HeartbeatResponse => Some(message(kind, None, number, |writer| {
                writer.add(&Element::RecoveryTimeStamp(self.stamp));
            })),
            MessageType::SessionEstablishmentResponse => Some(self.establish(&request, refuses)),
            MessageType::SessionModificationResponse | MessageType::SessionDeletionResponse => {
                Some(self.change(&request, kind, refuses))
            }
            MessageType::PfdManagementResponse => Some(message(kind, None, number, |writer| {
                writer.add(&Element::Cause(self.node_cause));
            })),
            _ => Some(message(kind, None, number, |writer| {
                writer.add(&self.node()).add(&Element::Cause(self.node_cause));
                if kind == MessageType::AssociationSetupResponse {
                    writer.add(&Element::RecoveryTimeStamp(self.stamp));
                    writer.element(ElementType::UpFunctionFeatures, |out| out.extend_from_slice(&self.features));
                    self.says.inspect(|says| says(writer));
                }
            })),
        }
    }

    fn establish(&mut self, request: &Message<'_>, refuses: Option<Cause>) -> Vec<u8> {
        let FSeid { seid: theirs, .. } = request.routing().unwrap().session.unwrap().0;
        let kind = MessageType::SessionEstablishmentResponse;
        if let Some(cause) = refuses {
            return message(kind, Some(theirs), request.sequence(), |writer| {
                writer.add(&self.node()).add(&Element::Cause(cause));
            });
        }
        let seid = self.next_seid;
        self.next_seid += 1;
        self.sessions.insert(seid, theirs);
        let tunnels = self.choose(request);
        let addresses = self.session_address.unwrap_or(upf_address(self.number)).into();
        message(kind, Some(theirs), request.sequence(), |writer| {
            writer.add(&self.node()).add(&Element::Cause(Cause::ACCEPTED));
            writer.add(&Element::FSeid(FSeid { seid, addresses }));
            created(writer, &tunnels);
            self.adds.inspect(|add| add(writer));
        })
    }

    fn change(&mut self, request: &Message<'_>, kind: MessageType, refuses: Option<Cause>) -> Vec<u8> {
        let seid = request.seid().unwrap();
        let theirs = self.sessions.get(&seid).copied();
        let cause = match theirs {
            None => Cause::SESSION_NOT_FOUND,
            Some(_) => refuses.unwrap_or(Cause::ACCEPTED),
        };
        let accepts = cause == Cause::ACCEPTED;
        if accepts && kind == MessageType::SessionDeletionResponse {
            self.sessions.remove(&seid);
        }
        let tunnels = if accepts { self.choose(request) } else { Vec::new() };
        message(kind, Some(theirs.unwrap_or(0)), request.sequence(), |writer| {
            writer.add(&Element::Cause(cause));
            created(writer, &tunnels);
            self.adds.inspect(|add| add(writer));
        })
    }

    /// Chooses F-TEIDs where it is asked to (TS 29.244 5.5): one for all with one CHOOSE ID.
    fn choose(&mut self, request: &Message<'_>) -> Vec<(Place, FTeid)> {
        let mut shared = BTreeMap::new();
        let mut chosen = Vec::new();
        for local in request.local_tunnels() {
            // What an SMF damaged is passed on where nothing of it is looked at.
            let Ok(local) = local else { break };
            let (FTeid::Choose { v4, v6, id }, Some(place)) = (local.tunnel, local.place) else { continue };
            let mut new = || {
                let teid = self.next_teid;
                self.next_teid += 1;
                let (n3_v4, n3_v6) = n3(self.number);
                let addresses = Addresses { v4: v4.then_some(n3_v4), v6: v6.then_some(n3_v6) };
                FTeid::Given { teid, addresses }
            };
            let tunnel = match id {
                Some(id) => *shared.entry(id).or_insert_with(&mut new),
                None => new(),
            };
            chosen.push((place, tunnel));
        }
        chosen
    }
}

/// Created PDR (TS 29.244 7.5.3.2) and Created Traffic Endpoint (7.5.3.5); one of each rule, with all of its F-TEIDs.
fn created(writer: &mut MessageWriter<'_>, tunnels: &[(Place, FTeid)]) {
    for (at, (place, _)) in tunnels.iter().enumerate() {
        if tunnels[..at].iter().any(|(before, _)| before == place) {
            continue;
        }
        let (kind, number) = match *place {
            Place::Rule(number) => (ElementType::CreatedPdr, Element::PdrId(number)),
            Place::Endpoint(number) => (ElementType::CreatedTrafficEndpoint, Element::TrafficEndpointId(number)),
        };
        writer.nested(kind, |writer| {
            writer.add(&number);
            for (_, tunnel) in tunnels.iter().filter(|(of, _)| of == place) {
                writer.add(&Element::FTeid(*tunnel));
            }
        });
    }
}
