//! An association: what comes on it is told, what is to go waits in a queue, and neither waits for the other.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use pinion_n2::Leg;
use pinion_protocols::ngap::PAYLOAD_PROTOCOL;
use pinion_transport::{Association, Event, Message, Received};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Messages that wait to be sent; a peer that takes none of so many is given up.
const WAITING: usize = 8_192;
/// Events that are taken at a time.
const BATCH: usize = 64;

/// What happened on an association.
#[derive(Debug)]
pub(super) enum News {
    /// It is there, with so many streams to send on.
    Established(Leg, u16),
    /// A message came.
    Message(Leg, Received),
    /// It is gone.
    Ended(Leg),
}

/// An association and its tasks, which end with it.
#[derive(Debug)]
pub(super) struct Line {
    association: Arc<Association>,
    queue: mpsc::Sender<Message>,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.reader.abort();
        self.writer.abort();
    }
}

impl Line {
    /// Follows an association from now on.
    pub(super) fn new(leg: Leg, association: Association, news: mpsc::Sender<News>) -> Self {
        let association = Arc::new(association);
        let (queue, waiting) = mpsc::channel(WAITING);
        let reader = tokio::spawn(read(leg, Arc::clone(&association), news));
        let writer = tokio::spawn(write(Arc::clone(&association), waiting));
        Self { association, queue, reader, writer }
    }

    /// Has a message sent. False: the peer takes none.
    pub(super) fn send(&self, stream: u16, bytes: Bytes) -> bool {
        self.queue.try_send(Message::new(stream, PAYLOAD_PROTOCOL, bytes)).is_ok()
    }

    /// Ends it, as agreed; what was given to it before is sent.
    pub(super) fn shutdown(&self) {
        self.association.shutdown();
    }

    /// Ends it at once.
    pub(super) fn abort(&self, reason: &[u8]) {
        self.association.abort(reason);
    }
}

async fn read(leg: Leg, association: Arc<Association>, news: mpsc::Sender<News>) {
    let mut events = Vec::with_capacity(BATCH);
    while association.receive_many(&mut events, BATCH).await > 0 {
        for event in events.drain(..) {
            let ends = event.is_last() || event == Event::PeerShutdown;
            let told = match event {
                Event::Established { outbound_streams, .. } => News::Established(leg, outbound_streams),
                Event::Message(message) => News::Message(leg, message),
                // An AMF that began anew knows nothing of the gNB; a gNB that did says so by NG Setup.
                Event::Restarted if matches!(leg, Leg::Amf(_)) => {
                    association.abort(b"restarted");
                    News::Ended(leg)
                }
                _ if ends => News::Ended(leg),
                _ => continue,
            };
            if news.send(told).await.is_err() {
                return;
            }
        }
    }
    // Nobody listens where the host has ended.
    let _ = news.send(News::Ended(leg)).await;
}

async fn write(association: Arc<Association>, mut waiting: mpsc::Receiver<Message>) {
    let mut messages = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut messages, BATCH).await > 0 {
        let mut batch = VecDeque::from(std::mem::take(&mut messages));
        if association.send_all(&mut batch).await.is_err() {
            return;
        }
    }
}
