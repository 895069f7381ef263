//! The players: sans-IO values that take and give IP packets and time.

pub(crate) mod amf;
pub(crate) mod gnb;
pub(crate) mod pfcp;
mod sctp;
pub(crate) mod signalling;
pub(crate) mod smf;
pub(crate) mod upf;

use pinion_protocols::sctp::endpoint::Time;
use pinion_transport::link::Packet;

use amf::Amf;
use gnb::Gnb;
use signalling::Signalling;
use smf::Smf;
use upf::Upf;

/// A player.
#[derive(Debug)]
pub(crate) enum Actor {
    /// A gNB with its users.
    Gnb(Box<Gnb>),
    /// An AMF.
    Amf(Box<Amf>),
    /// A UPF with the server behind it.
    Upf(Upf),
    /// The SMF.
    Smf(Smf),
}

impl Actor {
    /// Takes a packet that came for it.
    pub(crate) fn receive(&mut self, now: Time, packet: Packet) {
        match self {
            Self::Gnb(gnb) => gnb.receive(now, packet),
            Self::Amf(amf) => amf.receive(now, packet),
            Self::Upf(upf) => upf.receive(&packet),
            Self::Smf(smf) => smf.receive(now, &packet),
        }
    }

    /// The next packet that it sends.
    pub(crate) fn poll(&mut self, now: Time) -> Option<Packet> {
        match self {
            Self::Gnb(gnb) => gnb.poll(now),
            Self::Amf(amf) => amf.poll(now),
            Self::Upf(upf) => upf.poll(),
            Self::Smf(smf) => smf.poll(),
        }
    }

    /// What it says of UEs.
    pub(crate) fn signalling(&mut self) -> Option<&mut Signalling> {
        match self {
            Self::Gnb(gnb) => Some(&mut gnb.signalling),
            Self::Amf(amf) => Some(&mut amf.signalling),
            Self::Upf(_) | Self::Smf(_) => None,
        }
    }

    /// When [`Actor::expire`] is to be called, at the latest.
    pub(crate) fn deadline(&self) -> Option<Time> {
        match self {
            Self::Gnb(gnb) => gnb.deadline(),
            Self::Amf(amf) => amf.deadline(),
            Self::Upf(_) => None,
            Self::Smf(smf) => smf.deadline(),
        }
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, now: Time) {
        match self {
            Self::Gnb(gnb) => gnb.expire(now),
            Self::Amf(amf) => amf.expire(now),
            Self::Upf(_) => {}
            Self::Smf(smf) => smf.expire(now),
        }
    }
}
