//! Addresses that come and go while the association is up (RFC 5061).

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use ::bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::association::{Association, Context, Control, MOST_PATHS, local_for};
use super::message::Event;
use super::offer::{is_unicast, raw_bytes};
use super::path::Path;
use super::serial::at_most;
use super::time::Time;
use crate::bytes;
use crate::sctp::write::{PacketWriter, address, cause, parameter};
use crate::sctp::{CauseCode, ChunkType, Parameter, ParameterType, Parameters, ReconfigRequest, Serial};

/// Changes that may wait for the one before.
const MOST_WAITING: usize = 16;

/// A change of own addresses that the peer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Change {
    Add(IpAddr),
    Delete(IpAddr),
    Primary(IpAddr),
}

impl Change {
    fn address(self) -> IpAddr {
        let (Self::Add(address) | Self::Delete(address) | Self::Primary(address)) = self;
        address
    }
}

/// Requests in both directions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Changes {
    /// Serial number of the request that waits for its answer, or else of the next.
    serial: u32,
    /// Serial number of the peer's last request.
    peer_serial: u32,
    /// The answer to that.
    answer: Bytes,
    waiting: VecDeque<Change>,
    asked: bool,
    /// T4-RTO.
    pub(super) timer: Time,
}

impl Changes {
    /// RFC 5061 4.1.1: both count from the initial TSNs.
    pub(super) fn new(local_tsn: u32, peer_tsn: u32) -> Self {
        Self {
            serial: local_tsn,
            peer_serial: peer_tsn.wrapping_sub(1),
            answer: Bytes::new(),
            waiting: VecDeque::new(),
            asked: false,
            timer: Time::NEVER,
        }
    }
}

impl Association {
    /// Asks the peer for a change; false where it cannot be asked.
    pub(super) fn change(&mut self, context: &mut Context<'_>, change: Change) -> bool {
        let up = self.is_up();
        let Some(changes) = self.changes.as_deref_mut() else { return false };
        if !up || changes.waiting.len() >= MOST_WAITING {
            return false;
        }
        changes.waiting.push_back(change);
        self.ask(context, true);
        true
    }

    /// Sends the first request that waits, unless one is on its way (RFC 5061 5.1).
    fn ask(&mut self, context: &Context<'_>, first: bool) {
        let path = self.best_path();
        let rto = self.path(path).map_or(context.config.rto_initial, |path| path.rto);
        let Some(changes) = self.changes.as_deref_mut() else { return };
        if changes.asked || changes.waiting.is_empty() {
            return;
        }
        changes.asked = true;
        changes.timer = context.now.after(rto);
        let deleted = match changes.waiting.front() {
            Some(&Change::Delete(address)) if first => Some(address),
            _ => None,
        };
        // RFC 5061 5.3 D13: what goes is not asked from what is to go. Where no other address gets an answer
        // the peer refuses it, and the association goes on.
        if let Some(address) = deleted {
            self.avoid_source(address);
        }
        self.queue(Control::Asconf, path);
    }

    /// T4-RTO expired: the same request again.
    pub(super) fn asconf_expired(&mut self, context: &mut Context<'_>) {
        if let Some(changes) = self.changes.as_deref_mut() {
            changes.timer = Time::NEVER;
            changes.asked = false;
        }
        let path = self.best_path();
        if !self.timed_out(context, path) {
            self.ask(context, false);
        }
    }

    /// Adds the ASCONF that is being asked.
    pub(super) fn write_asconf(&self, writer: &mut PacketWriter<'_>) {
        let Some(changes) = self.changes.as_deref() else { return };
        let Some(&change) = changes.waiting.front() else { return };
        // RFC 5061 4.1.1: an address that the peer knows the association by.
        let known = |local: &&IpAddr| change == Change::Primary(**local) || change.address() != **local;
        let own = self.local_addresses.iter().find(known).copied().unwrap_or(change.address());
        let kind = match change {
            Change::Add(_) => ParameterType::AddAddress,
            Change::Delete(_) => ParameterType::DeleteAddress,
            Change::Primary(_) => ParameterType::SetPrimaryAddress,
        };
        writer.chunk(ChunkType::Asconf, 0, |out| {
            out.put_u32(changes.serial);
            address(out, own);
            parameter(out, kind, |out| {
                out.put_u32(changes.serial);
                address(out, change.address());
            });
        });
    }

    /// Takes ASCONF ACK: what it refuses is not done, everything else is (RFC 5061 5.3).
    pub(super) fn asconf_ack(&mut self, context: &mut Context<'_>, ack: &Serial<'_>) {
        let Some(changes) = self.changes.as_deref_mut() else { return };
        if !changes.asked && at_most(changes.serial, ack.number) {
            // RFC 5061 5.1 A6: it answers what was never asked.
            return self.abort(context, CauseCode::IllegalAsconfAck, &[]);
        }
        if !changes.asked || ack.number != changes.serial {
            return;
        }
        changes.asked = false;
        changes.timer = Time::NEVER;
        changes.serial = changes.serial.wrapping_add(1);
        let Some(change) = changes.waiting.pop_front() else { return };
        self.errors = 0;
        let refused = ack.parameters.clone().map_while(Result::ok).any(|raw| {
            matches!(raw.kind(), ParameterType::ErrorCauseIndication)
                || raw.kind().unrecognized().reports() && raw.kind() == ParameterType::Unrecognized
        });
        if refused {
            self.events.push_back(Event::AddressRefused(change.address()));
        } else {
            self.done(change);
        }
        self.ask(context, true);
    }

    /// Sends from other addresses, where there are any.
    fn avoid_source(&mut self, address: IpAddr) {
        let others: Vec<IpAddr> = self.local_addresses.iter().copied().filter(|&local| local != address).collect();
        for path in self.paths.iter_mut().filter(|path| path.local == address) {
            path.local = local_for(&others, path.remote, 0).unwrap_or(address);
        }
    }

    fn done(&mut self, change: Change) {
        match change {
            Change::Add(address) => {
                if !self.local_addresses.contains(&address) {
                    self.local_addresses.push(address);
                }
                self.events.push_back(Event::AddressAdded(address));
            }
            Change::Delete(address) => {
                self.avoid_source(address);
                self.local_addresses.retain(|&local| local != address);
                self.events.push_back(Event::AddressDeleted(address));
            }
            Change::Primary(_) => {}
        }
    }

    /// Takes ASCONF (RFC 5061 5.2), which came from `source` to `destination`.
    pub(super) fn asconf(
        &mut self,
        context: &mut Context<'_>,
        asconf: &Serial<'_>,
        source: IpAddr,
        destination: IpAddr,
    ) {
        let Some(changes) = self.changes.as_deref() else { return };
        let (last, again) = (changes.peer_serial, changes.answer.clone());
        if asconf.number == last && !again.is_empty() {
            // RFC 5061 5.2 E4: the answer was lost.
            let path = self.path_to(source).unwrap_or_else(|| self.best_path());
            return self.queue(Control::AsconfAck(again), path);
        }
        if asconf.number != last.wrapping_add(1) || !self.is_up() {
            return;
        }
        let mut answer = BytesMut::new();
        answer.put_u32(asconf.number);
        // The first parameter says which association is meant.
        for raw in asconf.parameters.clone().skip(1).map_while(Result::ok) {
            let result = match raw.parse() {
                Ok(Parameter::Address { kind, address: parameters, .. }) => {
                    self.asked_for(context, kind, parameters, source, destination)
                }
                // What is not answered counts as done (RFC 5061 5.2 V4).
                _ => Err(CauseCode::UnrecognizedParameters),
            };
            let correlation = bytes::u32_at(raw.value(), 0).unwrap_or_default();
            match result {
                Ok(()) => parameter(&mut answer, ParameterType::SuccessIndication, |out| out.put_u32(correlation)),
                Err(code) => parameter(&mut answer, ParameterType::ErrorCauseIndication, |out| {
                    out.put_u32(correlation);
                    cause(out, code, |out| out.put_slice(&raw_bytes(&raw)));
                }),
            }
        }
        let answer = answer.freeze();
        if let Some(changes) = self.changes.as_deref_mut() {
            changes.peer_serial = asconf.number;
            changes.answer = answer.clone();
        }
        let path = self.path_to(source).unwrap_or_else(|| self.best_path());
        self.queue(Control::AsconfAck(answer), path);
    }

    fn asked_for(
        &mut self,
        context: &Context<'_>,
        kind: ParameterType,
        parameters: Parameters<'_>,
        source: IpAddr,
        destination: IpAddr,
    ) -> Result<(), CauseCode> {
        let given = only_address(parameters).ok_or(CauseCode::UnresolvableAddress)?;
        // RFC 5061 4.2.1, 4.2.2: the wildcard stands for the packet's own address.
        let target = if given.is_unspecified() { source } else { given };
        match kind {
            ParameterType::AddAddress => self.add_remote(context, target, source, destination),
            ParameterType::DeleteAddress if given.is_unspecified() => {
                self.path_to(source).ok_or(CauseCode::UnresolvableAddress)?;
                let others: Vec<_> =
                    self.paths.iter().map(|path| path.remote).filter(|&remote| remote != source).collect();
                for other in others {
                    self.delete_remote(other);
                }
                Ok(())
            }
            ParameterType::DeleteAddress if target == source => Err(CauseCode::DeleteSourceAddress),
            ParameterType::DeleteAddress if self.paths.len() <= 1 => Err(CauseCode::DeleteLastAddress),
            ParameterType::DeleteAddress => {
                self.path_to(target).ok_or(CauseCode::UnresolvableAddress)?;
                self.delete_remote(target);
                Ok(())
            }
            _ => {
                self.primary = self.path_to(target).ok_or(CauseCode::UnresolvableAddress)?;
                Ok(())
            }
        }
    }

    fn add_remote(
        &mut self,
        context: &Context<'_>,
        remote: IpAddr,
        source: IpAddr,
        destination: IpAddr,
    ) -> Result<(), CauseCode> {
        if !is_unicast(remote) {
            return Err(CauseCode::UnresolvableAddress);
        }
        if self.path_to(remote).is_some() {
            return Ok(());
        }
        let most = usize::from(context.config.max_addresses).min(MOST_PATHS);
        if self.paths.len() >= most {
            return Err(CauseCode::ResourceShortage);
        }
        let local = if remote == source { Some(destination) } else { None };
        let local = local.or_else(|| local_for(&self.local_addresses, remote, self.paths.len()));
        let local = local.ok_or(CauseCode::UnresolvableAddress)?;
        self.paths.push(Path::new(context.config, context.now, local, remote, false));
        self.events.push_back(Event::AddressAdded(remote));
        Ok(())
    }

    /// Takes a path away; what was sent on it counts as sent on the one that is best then.
    pub(super) fn delete_remote(&mut self, remote: IpAddr) {
        let Some(gone) = self.path_to(remote).filter(|_| self.paths.len() > 1) else { return };
        for index in 0..self.outbound.sent.len() {
            let on_it = |sent: &super::outbound::Sent| sent.path == gone;
            let outstanding = |sent: &super::outbound::Sent| sent.fate == super::outbound::Fate::Outstanding;
            if self.outbound.sent.get(index).is_some_and(|sent| on_it(sent) && outstanding(sent)) {
                self.lose(index);
            }
        }
        let shifted = |index: u8| if index > gone { index.saturating_sub(1) } else { index };
        self.paths.retain(|path| path.remote != remote);
        self.primary = if self.primary == gone { 0 } else { shifted(self.primary) };
        self.inbound.reply = if self.inbound.reply == gone { 0 } else { shifted(self.inbound.reply) };
        for sent in &mut self.outbound.sent {
            sent.path = if sent.path == gone { 0 } else { shifted(sent.path) };
        }
        let controls = core::mem::take(&mut self.control);
        for (control, path) in controls {
            if path != gone {
                self.control.push_back((control, shifted(path)));
            } else if !matches!(control, Control::Heartbeat(_) | Control::HeartbeatAck(_) | Control::Probe(..)) {
                self.control.push_back((control, 0));
            }
        }
        // T3 of that path may have guarded a FORWARD-TSN, which is not sent on a path for good.
        self.advance_forward();
        self.events.push_back(Event::AddressDeleted(remote));
    }

    /// Takes RE-CONFIG: streams stay as they are, and every request is answered so (RFC 6525 4.4, 5.2).
    pub(super) fn reconfig(&mut self, path: u8, parameters: &Parameters<'_>) {
        /// Result "Denied".
        const DENIED: u32 = 2;
        let mut out = BytesMut::new();
        for raw in parameters.clone().take(2) {
            let Ok(Ok(Parameter::Reconfig(request))) = raw.map(|raw| raw.parse()) else { continue };
            let (ReconfigRequest::OutgoingReset { request, .. }
            | ReconfigRequest::IncomingReset { request, .. }
            | ReconfigRequest::TsnReset { request }
            | ReconfigRequest::AddOutgoing { request, .. }
            | ReconfigRequest::AddIncoming { request, .. }) = request;
            parameter(&mut out, ParameterType::ReconfigResponse, |out| {
                out.put_u32(request);
                out.put_u32(DENIED);
            });
        }
        if !out.is_empty() {
            self.queue(Control::Reconfig(out.freeze()), path);
        }
    }
}

fn only_address(mut parameters: Parameters<'_>) -> Option<IpAddr> {
    match parameters.next()?.ok()?.parse().ok()? {
        Parameter::Ipv4(address) => Some(address.into()),
        Parameter::Ipv6(address) => Some(address.into()),
        _ => None,
    }
}
