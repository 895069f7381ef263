//! How others ask the daemon: gRPC, as `api/pinion/v1/pinion.proto` describes it.
//!
//! [`Server`] serves a [`Control`](crate::control::Control) on a unix socket or on TCP with mutual TLS, with
//! reflection and health beside it; [`Client`] asks it. Both speak in the types of [`crate::control`]: what goes
//! over the wire ([`v1`]) is made and read here alone.

/// Makes the two ways of a front end's counts out of one list of them: none is left out, or put in another's place.
macro_rules! counts {
    ($counts:ident, $wire:ident: $($count:ident),* $(,)?) => {
        fn encode_counts($counts { $($count),* }: $counts) -> v1::$wire {
            v1::$wire { $($count),* }
        }

        fn decode_counts(v1::$wire { $($count),* }: v1::$wire) -> $counts {
            $counts { $($count),* }
        }
    };
}
use counts;

mod accept;
mod client;
mod connection;
mod decode;
mod encode;
mod failure;
mod gtpc;
mod heard;
mod n2;
mod n4;
mod sbi;
mod server;
mod service;
mod status;
mod target;
pub(crate) mod tls;
mod unix;

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
pub mod v1 {
    //! The messages and calls of `pinion.v1`, generated.
    tonic::include_proto!("pinion.v1");
}

pub use client::Client;
pub use decode::MeaningError;
pub use failure::AskError;
pub use server::{BindError, GRACE, Server};
pub use target::{Target, TargetError};
pub use tls::{Credentials, TlsError};

/// The descriptor of `pinion.v1`, as reflection shows it.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/pinion.v1.bin"));

/// The longest request that the daemon reads, in bytes.
pub const REQUEST_BYTES: usize = 64 << 10;

/// The longest answer, in bytes.
pub const ANSWER_BYTES: usize = 64 << 20;

/// The longest name or key in a request, in bytes.
pub const NAME_BYTES: usize = 256;
