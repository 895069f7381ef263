#![deny(unsafe_code)]
//! SCTP for async programs, wherever it comes from, and the links that user space sends it over.
//!
//! A [`Transport`] makes [`Association`]s, by [`Transport::connect`] or by a [`Listener`]. Whose SCTP it is
//! makes no difference to what they do:
//!
//! | kind | SCTP is | for |
//! | --- | --- | --- |
//! | [`userspace::Userspace`] | this project's own endpoint, over frames or over UDP (RFC 6951) | hosts whose kernel has none, addresses that the kernel does not have |
//! | [`kernel::Kernel`] | the host's kernel's | hosts whose kernel has it |
//! | [`memory::Memory`] | this project's own endpoint, over a network in this process | tests |
//!
//! ```
//! use bytes::Bytes;
//! use pinion_transport::memory::Network;
//! use pinion_transport::{Config, Connect, Event, Listen, Message, Transport};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let network = Network::default();
//! let server = network.join(&[[192, 0, 2, 1].into(), [198, 51, 100, 1].into()], Config::default());
//! let client = network.join(&[[192, 0, 2, 2].into(), [198, 51, 100, 2].into()], Config::default());
//! let mut listener = server.listen(Listen::on(38412))?;
//! let gnb = client.connect(Connect::to(vec![[192, 0, 2, 1].into()], 38412))?;
//! let Some(amf) = listener.accept().await else { panic!("the transport ended") };
//! gnb.send(Message::new(0, 60, Bytes::from_static(b"NG Setup Request"))).await?;
//! let message = loop {
//!     match amf.receive().await {
//!         Some(Event::Message(message)) => break message,
//!         event => assert!(event.is_some()),
//!     }
//! };
//! assert_eq!((message.protocol, &message.payload[..]), (60, &b"NG Setup Request"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod association;
mod auto;
mod engine;
pub mod kernel;
pub mod link;
mod listener;
pub mod memory;
mod request;
pub mod userspace;
mod wire;

use std::fmt;

pub use association::{Association, Ends};
pub use auto::{Kind, auto};
pub use listener::Listener;
pub use pinion_protocols::sctp::endpoint::{
    Config, Event, Message, PathStatus, Reach, Received, Reliability, SendError, Time,
};
pub use request::{Connect, Listen, RequestError};

/// Where associations come from. To be used within a tokio runtime.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Accepts associations on a port from now on, until the listener is dropped.
    ///
    /// # Errors
    ///
    /// [`RequestError`].
    fn listen(&self, listen: Listen) -> Result<Listener, RequestError>;

    /// Begins an association and returns at once: [`Event::Established`] says that the peer agreed,
    /// [`Event::Lost`] or [`Event::Aborted`] that it did not. Messages sent before wait.
    ///
    /// # Errors
    ///
    /// [`RequestError`].
    fn connect(&self, connect: Connect) -> Result<Association, RequestError>;
}
