//! Control and user-plane messages of a capture, as objects whose keys are Wireshark's field names.
//!
//! There is one [`Message`] for each SCTP packet and for each GTP (version 2 included), PFCP, NGAP, S1AP and Diameter message, tunnelled ones and those quoted in ICMP errors included, in
//! the order in which Wireshark shows them. Fragments of IP and pieces of SCTP's messages are put together; the message belongs to the frame that completed it.
//!
//! ```no_run
//! # fn main() -> Result<(), pinion_pcaps::capture::CaptureError> {
//! use pinion_pcaps::{capture, decode::Decoder};
//!
//! let mut capture = capture::open("n2.pcap".as_ref())?;
//! let mut decoder = Decoder::default();
//! while let Some(frame) = capture.next()? {
//!     for message in decoder.decode(&frame) {
//!         println!("{message}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod diameter;
mod fragments;
mod framed;
mod gtp;
mod gtpv2;
mod message;
mod network;
mod ngap;
mod pfcp;
mod pieces;
mod ports;
mod s1ap;
mod sctp;
mod streams;

pub use fragments::Limits;
pub use message::{Message, Value};

use crate::capture::Frame;
use crate::link;
use fragments::Fragments;
use network::Walk;
use pieces::Pieces;
use streams::Streams;

/// Decodes the frames of one capture, in their order. Holds nothing but fragments and segments that
/// wait for others.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    streams: Streams,
    pieces: Pieces,
}

impl Decoder {
    /// A decoder that holds at most so many fragments.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { fragments: Fragments::new(limits), ..Self::default() }
    }

    /// The messages of one frame; none where there is no SCTP, GTP, PFCP or Diameter in it. What cannot be decoded whole has an `error` key.
    pub fn decode(&mut self, frame: &Frame<'_>) -> Vec<Message> {
        let mut walk = Walk::new(frame, &mut self.fragments, &mut self.streams, &mut self.pieces);
        if let Some(network) = link::network(frame.link, frame.bytes) {
            let packet = frame.bytes.get(network.offset..).unwrap_or_default();
            walk.ethertype(network.ethertype, packet);
        }
        walk.into_messages()
    }
}
