//! Mode `redirect`: to each SMF the UPFs are one UP function, by the Node ID that they share, and only what is of the
//! function as a whole passes by here (TS 29.244 6.2), and the establishment of sessions (6.3.2).
//!
//! ```text
//!   SMF                       FrontEnd                      UPFs
//!    |   association setup       |      to each of them      |
//!    |-------------------------->|-------------------------->|
//!    |   one answer, of all      |         what each answers |
//!    |<--------------------------|<--------------------------|
//!    |   establishment           |   as it is, to one of them|
//!    |-------------------------->|-------------------------->|
//!    |   as it is                |    with the UPF's F-SEID  |
//!    |<--------------------------|<--------------------------|
//!    |            what follows, between the two F-SEIDs      |
//!    |<----------------------------------------------------->|
//! ```
//!
//! Of what is relayed the sequence number is another one. UPFs answer to where a request came from (6.4), which is here,
//! and report to the SMF's F-SEID. Heartbeats are of an address: those of here are answered here, with a Recovery Time
//! Stamp that stays, and an association setup that passes by has the same one in both directions, so that nobody takes
//! a peer for restarted that is not.
//!
//! `nodes` is what SMFs ask of the function, `members` how each UPF is, and what it asks, `rounds` are questions to
//! several of which one answer is made, `passing` is what is of sessions.

mod members;
mod nodes;
mod passing;
mod pins;
mod rounds;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use foldhash::{HashMap, HashSet};
use pinion_protocols::pfcp::{Cause, Element, FSeid, Message, MessageType, MessageWriter, NodeId};

use crate::front::FrontEnd;
use crate::inbound::Origin;
use crate::purpose::Purpose;
use crate::sessions::SessionId;
use crate::speak::prioritize;
use crate::translate::Refusal;

use pins::Pins;
use rounds::Round;

/// What is known of the UPFs as one function.
#[derive(Debug, Default)]
pub(crate) struct Redirect {
    /// Their Node ID, as it is on the wire; none before one of them said it.
    pub(crate) node: Option<Box<[u8]>>,
    /// How the association of an SMF with a UPF is, by their numbers; where there is nothing, there is none.
    standing: HashMap<(u16, u16), Standing>,
    /// UPFs that have the PFDs.
    informed: HashSet<u16>,
    rounds: HashMap<u32, Round>,
    next_round: u32,
    pub(crate) pins: Pins,
    /// What UPFs asked of every SMF: until when they are known, of which UPF, and what of.
    passed: VecDeque<(Duration, u16, u64)>,
}

/// How an association of an SMF with a UPF is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It was asked for.
    Asked,
    /// It is there.
    Up,
    /// The UPF refused it: it is asked for again.
    Refused,
    /// The UPF refused a change of it: it gets no new sessions until it takes one.
    Spared,
}

/// What a request that is relayed is for.
#[derive(Debug)]
pub(crate) enum Task {
    /// One of several that are asked the same.
    Round { round: u32, smf: u16, upf: u16, kind: MessageType },
    /// An SMF's association with a UPF that was not there when it was asked for.
    Join { smf: u16, upf: u16 },
    /// An SMF's wish for a session, and the UPFs that know of no association.
    Place { origin: Origin, smf: u16, upf: u16, request: Bytes, tried: Vec<u16> },
    /// What is asked of a session, and where the SMF's end of it is from then on.
    Pass { origin: Origin, session: SessionId, kind: MessageType, ends: bool, end: Option<FSeid> },
}

impl Redirect {
    /// A UPF has no associations any more. Those that it is asked for it will answer to: asked for twice, they would end what the
    /// first ones got.
    fn begins_anew(&mut self, number: u16) {
        self.standing.retain(|(_, upf), standing| *upf != number || *standing == Standing::Asked);
        self.informed.remove(&number);
    }

    /// There is no UPF of a number any more.
    pub(crate) fn forget(&mut self, number: u16) {
        self.standing.retain(|(_, upf), _| *upf != number);
        self.informed.remove(&number);
    }
}

impl<Proof> FrontEnd<Proof> {
    /// Relays a request.
    pub(crate) fn redirect(
        &mut self,
        origin: Origin,
        message: &Message<'_>,
        upf: Option<u16>,
    ) -> Result<(), Refusal> {
        match (message.message_type(), upf) {
            (MessageType::AssociationSetupRequest, None) => self.pass_setup(origin, message),
            (
                MessageType::AssociationUpdateRequest
                | MessageType::AssociationReleaseRequest
                | MessageType::PfdManagementRequest
                | MessageType::SessionSetDeletionRequest
                | MessageType::SessionSetModificationRequest,
                None,
            ) => self.pass_to_upfs(origin, message),
            (MessageType::SessionEstablishmentRequest, None) => self.pass_establishment(origin, message),
            (MessageType::SessionModificationRequest | MessageType::SessionDeletionRequest, None) => {
                self.pass_down(origin, message)
            }
            (MessageType::AssociationSetupRequest, Some(upf)) => self.upf_joins(origin, message, upf),
            (MessageType::AssociationUpdateRequest, Some(upf)) => self.upf_changes(origin, message, upf),
            (MessageType::AssociationReleaseRequest, Some(upf)) => self.upf_leaves(origin, message, upf),
            (MessageType::NodeReportRequest | MessageType::SessionSetDeletionRequest, Some(upf)) => {
                self.pass_to_smfs(origin, message, upf)
            }
            (MessageType::SessionReportRequest, Some(upf)) => self.pass_up(origin, message, upf),
            _ => Err(Refusal::plain(Cause::SERVICE_NOT_SUPPORTED)),
        }
    }

    /// A peer answered to what was relayed.
    pub(crate) fn task_answered(&mut self, message: &Message<'_>, task: Task) {
        if let Task::Join { upf, .. } | Task::Round { upf, kind: MessageType::AssociationSetupRequest, .. } = task
        {
            self.upf_accepts(upf, message);
        }
        match task {
            Task::Round { round, smf, upf, kind } => self.round_answered(message, round, (smf, upf), kind),
            Task::Join { smf, upf } => drop(self.joined(message, smf, upf)),
            Task::Place { origin, smf, upf, request, tried } => {
                self.placed(message, origin, (smf, upf), (&request, tried));
            }
            Task::Pass { origin, session, kind, ends, end } => {
                self.passed(message, (origin, session, kind), ends, end);
            }
        }
    }

    /// Nobody answered to what was relayed: whoever waits asks again, or has given up.
    pub(crate) fn task_lost(&mut self, task: &Task) {
        match task {
            Task::Round { round, smf, upf, kind } => self.round_lost(*round, (*smf, *upf), *kind),
            Task::Join { smf, upf } => drop(self.redirect.standing.remove(&(*smf, *upf))),
            Task::Place { origin, .. } | Task::Pass { origin, .. } => self.inbound.forget(origin),
        }
    }

    /// Relays a message as it is, with a number of ours.
    fn pass(&mut self, to: IpAddr, message: &Message<'_>, task: Task) -> Result<(), Refusal> {
        self.ask(to, message.message_type(), message.seid(), Purpose::Redirect(task), |writer| {
            copy(writer, message);
            Ok(())
        })
    }

    /// Answers as a peer answered.
    fn pass_answer(&mut self, origin: Origin, message: &Message<'_>) {
        // It is as long as it was.
        if let Ok(answer) = passing::whole(message, origin.sequence) {
            self.finish(origin, answer);
        }
    }

    /// Takes up what was known before: that SMFs have associations is found wrong where it is.
    pub(crate) fn go_on_redirecting(&mut self) {
        if !self.redirects() {
            return;
        }
        for (smf, _) in (0..).zip(&self.smfs).filter(|(_, smf)| smf.associated) {
            let upfs = (0..).zip(&self.upfs).map(|(upf, _)| ((smf, upf), Standing::Up));
            self.redirect.standing.extend(upfs);
        }
        for (id, session) in self.sessions.iter() {
            self.redirect.pins.learn(id, session);
        }
    }

    /// The Node ID that a peer knows the other side by.
    pub(crate) fn known_as(&self, peer: IpAddr) -> Element<'_> {
        let name = if !self.redirects() {
            None
        } else if self.upf_at.contains_key(&peer) {
            self.smfs.iter().find(|smf| smf.associated).map(|smf| &smf.node)
        } else {
            self.redirect.node.as_ref()
        };
        match name.and_then(|name| NodeId::parse(name)) {
            Some(node) => Element::NodeId(node),
            None => self.node(),
        }
    }
}

fn copy(writer: &mut MessageWriter<'_>, message: &Message<'_>) {
    prioritize(writer, message);
    writer.raw(message.body());
}
