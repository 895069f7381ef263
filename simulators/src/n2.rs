//! Simulated ends of N2 (NGAP, TS 38.413): gNBs with their UEs, and AMFs.
//!
//! [`Radio`] is all gNBs and UEs, [`Amf`] one AMF, [`World`] all of them, each without I/O. [`Running`] carries a world over
//! associations of a [`pinion_transport::Transport`].
//!
//! A UE registers, answers, talks, moves by Xn (Path Switch) and by N2 handover, falls idle, asks for service, is paged and
//! deregisters. What a message about a UE carries as NAS is a [`Payload`].
//!
//! ```
//! use pinion_simulators::n2::{AmfConfig, Place, World};
//!
//! // A gNB, an AMF, and between them nobody.
//! let mut world = World::new(1, 10, vec![AmfConfig::new(0)], 7);
//! world.established(Place::Amf(0, 1), 8);
//! world.established(Place::Gnb(0), 8);
//! world.keep_busy(10);
//! while let Some((from, sent)) = world.take() {
//!     let to = if from == Place::Gnb(0) { Place::Amf(0, 1) } else { Place::Gnb(0) };
//!     world.receive(to, sent.stream, 60, &sent.bytes);
//! }
//! assert_eq!((world.registered(), world.radio().busy()), (10, 0));
//! assert_eq!(world.faults(), Vec::<String>::new());
//! ```

mod amf;
mod leg;
pub mod messages;
mod payload;
mod radio;
mod running;
mod violation;
mod world;

use bytes::Bytes;
use pinion_exchange::random::Random;

pub use amf::{Amf, AmfConfig, Stranger};
pub use payload::{Asks, Payload};
pub use radio::{Loss, Radio};
pub use running::{Outside, Running};
pub use violation::{Violation, Wrong};
pub use world::{Place, Uplink, World};

/// A message to be sent, with payload protocol identifier 60.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// On which stream.
    pub stream: u16,
    /// The message.
    pub bytes: Bytes,
}

/// A number below `most`, by chance.
fn below(random: &mut Random, most: usize) -> usize {
    let most = u32::try_from(most).unwrap_or(u32::MAX).max(1);
    usize::try_from(random.word() % most).unwrap_or_default()
}

/// The stream of a UE: one that is not for what is about no UE.
fn stream(streams: u16, number: u64) -> u16 {
    let others = streams.saturating_sub(1).max(1);
    u16::try_from(number % u64::from(others)).unwrap_or_default().saturating_add(1)
}
