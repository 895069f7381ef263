//! gNBs that ask, and AMFs that answer and count from 1 each.

use std::collections::HashMap;

use bytes::Bytes;
use pinion_protocols::ngap::{Message, Outcome, Procedure};
use pinion_simulators::n2::messages::{First, Says, about, down, guami, ids, up};

/// Octets of NAS, as of a short request.
const NAS: [u8; 40] = [0x7e; 40];

/// The AMFs: which has an upstream, and the last identifier that it gave.
#[derive(Debug, Default)]
pub(super) struct Peers {
    upstreams: HashMap<u64, u16>,
    given: HashMap<u16, u64>,
}

impl Peers {
    pub(super) fn open(&mut self, upstream: u64, amf: &str) {
        let number = amf.strip_prefix("amfs/").and_then(|number| number.parse().ok()).unwrap_or_default();
        self.upstreams.insert(upstream, number);
    }

    /// What an AMF answers.
    pub(super) fn answer(&mut self, upstream: u64, bytes: &[u8]) -> Option<Bytes> {
        let amf = *self.upstreams.get(&upstream)?;
        let message = Message::parse(bytes).ok()?;
        let ids = message.ids().ok()?;
        match message.procedure() {
            Procedure::NgSetup => Some(says(amf).setup_response()),
            Procedure::InitialUeMessage => {
                let given = self.given.entry(amf).or_default();
                *given += 1;
                Some(down(*given, ids.ran?, &NAS))
            }
            Procedure::UplinkNasTransport => Some(down(ids.amf?, ids.ran?, &NAS)),
            _ => None,
        }
    }
}

fn says(amf: u16) -> Says {
    let [_, pointer] = amf.to_be_bytes();
    let guamis = vec![(guami(1, pointer & 0x3f), None)];
    Says { name: format!("amf-{amf}"), guamis, capacity: 100, slices: vec![1] }
}

pub(super) fn initial(ran: u32) -> Bytes {
    First { nas: NAS.to_vec(), ..First::new(ran) }.bytes()
}

pub(super) fn uplink(amf: u64, ran: u32) -> Bytes {
    up(amf, ran, &NAS)
}

/// The end of a UE, whose AMF has asked for it.
pub(super) fn released(amf: u64, ran: u32) -> Bytes {
    about(Outcome::Successful, Procedure::UeContextRelease, ids(amf, ran), &NAS)
}

/// What a gNB knows a UE by from now on.
pub(super) fn known(bytes: &[u8]) -> Option<(u64, u32)> {
    let ids = Message::parse(bytes).ok()?.ids().ok()?;
    ids.amf.zip(ids.ran)
}
