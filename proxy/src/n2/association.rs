//! An association: what comes on it is told, what is to go waits in a queue, and neither waits for the other.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use pinion_n2::Leg;
use pinion_protocols::ngap::PAYLOAD_PROTOCOL;
use pinion_transport::{Association, Event, Message, Received, SendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Messages that wait to be sent, and their bytes; a peer that takes none of so many, or so much, is given up.
const WAITING: usize = 8_192;
const WAITING_BYTES: usize = 16 << 20;
/// Bytes of messages of all peers that wait for the front end; then associations are read no further, and their peers wait.
const RECEIVED_BYTES: u32 = 32 << 20;
/// Events that are taken at a time.
const BATCH: usize = 64;

/// What happened on an association.
#[derive(Debug)]
pub(super) enum News {
    /// It is there, with so many streams to send on.
    Established(Leg, u16),
    /// A message came; and its part of what may wait.
    Message(Leg, Received, OwnedSemaphorePermit),
    /// It is gone.
    Ended(Leg),
}

/// Where associations say what happens on them.
#[derive(Clone, Debug)]
pub(super) struct Ear {
    news: mpsc::Sender<News>,
    room: Arc<Semaphore>,
}

impl Ear {
    /// One for all.
    pub(super) fn new(news: mpsc::Sender<News>) -> Self {
        Self { news, room: Arc::new(Semaphore::new(RECEIVED_BYTES as usize)) }
    }

    /// Says it, once there is room. False: nobody listens.
    async fn say(&self, news: News) -> bool {
        self.news.send(news).await.is_ok()
    }

    /// Waits for room for so many bytes; none where nobody listens.
    async fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, RECEIVED_BYTES);
        Arc::clone(&self.room).acquire_many_owned(bytes).await.ok()
    }
}

/// An association and its tasks. It ends with this value: at once, unless it was shut down.
#[derive(Debug)]
pub(super) struct Line {
    /// The AMF that it leads to.
    amf: Option<Arc<str>>,
    association: Arc<Association>,
    /// None once it is shut down.
    queue: Option<mpsc::Sender<Message>>,
    waiting: Arc<AtomicUsize>,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.reader.abort();
        // What was given to it before it was shut down still goes.
        if self.queue.is_some() {
            self.writer.abort();
        }
    }
}

impl Line {
    /// Follows an association from now on.
    pub(super) fn new(leg: Leg, amf: Option<Arc<str>>, association: Association, ear: Ear) -> Self {
        let association = Arc::new(association);
        let (queue, queued) = mpsc::channel(WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        let reader = tokio::spawn(read(leg, Arc::clone(&association), ear));
        let writer = tokio::spawn(write(leg, Arc::clone(&association), queued, Arc::clone(&waiting)));
        Self { amf, association, queue: Some(queue), waiting, reader, writer }
    }

    /// The AMF that it leads to; that of a gNB leads to none.
    pub(super) fn amf(&self) -> Option<&Arc<str>> {
        self.amf.as_ref()
    }

    /// The peer's addresses.
    pub(super) fn peer(&self) -> Vec<IpAddr> {
        self.association.paths().iter().map(|path| path.remote).collect()
    }

    /// Has a message sent. False: the peer takes none.
    pub(super) fn send(&self, stream: u16, bytes: Bytes) -> bool {
        let length = bytes.len();
        let before = self.waiting.fetch_add(length, Ordering::Relaxed);
        let queue = self.queue.as_ref().filter(|_| before.saturating_add(length) <= WAITING_BYTES);
        queue.is_some_and(|queue| queue.try_send(Message::new(stream, PAYLOAD_PROTOCOL, bytes)).is_ok())
    }

    /// Ends it, as agreed, once what was given to it before is sent.
    pub(super) fn shutdown(&mut self) {
        self.queue = None;
    }

    /// Ends it at once.
    pub(super) fn abort(&self, reason: &[u8]) {
        self.association.abort(reason);
    }
}

async fn read(leg: Leg, association: Arc<Association>, ear: Ear) {
    let mut events = Vec::with_capacity(BATCH);
    while association.receive_many(&mut events, BATCH).await > 0 {
        for event in events.drain(..) {
            let ends = event.is_last() || event == Event::PeerShutdown;
            let told = match event {
                Event::Established { outbound_streams, .. } => News::Established(leg, outbound_streams),
                Event::Message(message) => match ear.room(message.payload.len()).await {
                    Some(room) => News::Message(leg, message, room),
                    None => return,
                },
                // An AMF that began anew knows nothing of the gNB; a gNB that did says so by NG Setup.
                Event::Restarted if matches!(leg, Leg::Amf(_)) => {
                    association.abort(b"restarted");
                    News::Ended(leg)
                }
                _ if ends => News::Ended(leg),
                _ => continue,
            };
            if !ear.say(told).await {
                return;
            }
        }
    }
    ear.say(News::Ended(leg)).await;
}

/// Sends what is queued, and shuts the association down once nothing more can be.
async fn write(
    leg: Leg,
    association: Arc<Association>,
    mut queued: mpsc::Receiver<Message>,
    waiting: Arc<AtomicUsize>,
) {
    let mut messages = Vec::with_capacity(BATCH);
    while queued.recv_many(&mut messages, BATCH).await > 0 {
        let mut batch: VecDeque<_> = messages.drain(..).collect();
        let length = batch.iter().map(|message| message.payload.len()).sum();
        // What is refused is gone; the others are not.
        while let Err(error) = association.send_all(&mut batch).await {
            if matches!(error, SendError::Unknown | SendError::ShuttingDown) {
                return;
            }
            tracing::warn!(?leg, %error, "a message is not sent");
        }
        waiting.fetch_sub(length, Ordering::Relaxed);
    }
    association.shutdown();
}
