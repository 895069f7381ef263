//! An association, whoever carries it.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::net::IpAddr;
use std::task::{Context, Poll, ready};

use crate::{Event, Message, PathStatus, SendError};

/// Both ends' ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Own port.
    pub local_port: u16,
    /// The peer's port.
    pub remote_port: u16,
}

/// An association. One task receives, any number sends. Dropping it aborts it, unless it has ended or
/// [`Association::shutdown`] was called.
pub struct Association {
    carrier: Box<dyn Carrier>,
}

/// What carries an association.
pub(crate) trait Carrier: Send + Sync {
    /// Takes messages from the front as long as there is room; pending where there is none. A message that
    /// is refused is taken too.
    fn poll_send(
        &self,
        context: &mut Context<'_>,
        messages: &mut VecDeque<Message>,
    ) -> Poll<Result<(), SendError>>;

    /// Adds up to `most` events to `into`: none after the last one; pending where there is none yet.
    fn poll_receive(&self, context: &mut Context<'_>, into: &mut Vec<Event>, most: usize) -> Poll<()>;

    fn paths(&self) -> Vec<PathStatus>;
    fn ends(&self) -> Ends;
    fn buffered(&self) -> u32;
    fn set_primary(&self, remote: IpAddr) -> bool;
    fn shutdown(&self);
    fn abort(&self, reason: &[u8]);
}

impl Association {
    pub(crate) fn new(carrier: impl Carrier + 'static) -> Self {
        Self { carrier: Box::new(carrier) }
    }

    /// Sends a message, once there is room for it.
    ///
    /// # Errors
    ///
    /// [`SendError`] but for `BufferFull`.
    pub async fn send(&self, message: Message) -> Result<(), SendError> {
        self.send_all(&mut VecDeque::from([message])).await
    }

    /// Sends messages, as there is room for them. Where one is refused it is gone, and those behind it are
    /// left.
    ///
    /// # Errors
    ///
    /// [`SendError`] but for `BufferFull`.
    pub async fn send_all(&self, messages: &mut VecDeque<Message>) -> Result<(), SendError> {
        poll_fn(|context| {
            while !messages.is_empty() {
                ready!(self.carrier.poll_send(context, messages))?;
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Waits for the next event; none after the last one. What is not received fills a buffer, and then the
    /// peer has to wait. [`Event::Writable`] and [`Event::Drained`] never come.
    pub async fn receive(&self) -> Option<Event> {
        let mut one = Vec::with_capacity(1);
        self.receive_many(&mut one, 1).await;
        one.pop()
    }

    /// Waits for events and adds those that there are, `most` at most, to `into`; how many. None after the
    /// last one.
    pub async fn receive_many(&self, into: &mut Vec<Event>, most: usize) -> usize {
        let before = into.len();
        poll_fn(|context| self.carrier.poll_receive(context, into, most.max(1))).await;
        into.len().saturating_sub(before)
    }

    /// Its paths: addresses, states and round trips. Empty once it has ended.
    pub fn paths(&self) -> Vec<PathStatus> {
        self.carrier.paths()
    }

    /// Both ports.
    pub fn ends(&self) -> Ends {
        self.carrier.ends()
    }

    /// Bytes that wait to be acknowledged, with what keeping them costs.
    pub fn buffered(&self) -> u32 {
        self.carrier.buffered()
    }

    /// Makes the path to that address of the peer the primary one; false where there is none.
    pub fn set_primary(&self, remote: IpAddr) -> bool {
        self.carrier.set_primary(remote)
    }

    /// Ends it once everything sent is acknowledged: [`Event::Closed`] follows. One that is not established
    /// yet ends at once.
    pub fn shutdown(&self) {
        self.carrier.shutdown();
    }

    /// Ends it at once, and tells the peer why.
    pub fn abort(&self, reason: &[u8]) {
        self.carrier.abort(reason);
    }
}

impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Association").field("ends", &self.ends()).finish_non_exhaustive()
    }
}
