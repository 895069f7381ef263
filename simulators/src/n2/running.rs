//! A world over SCTP.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pinion_protocols::ngap::PAYLOAD_PROTOCOL;
use pinion_transport::{Association, Event, Listener, Message};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::world::{Place, World};

/// Events, and messages, that are taken at a time.
const BATCH: usize = 64;

/// A world whose associations tasks of a runtime carry. Dropping it ends them.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    runtime: Handle,
    /// Those that accept for an AMF.
    accepting: HashMap<usize, JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    world: World,
    lines: HashMap<Place, Line>,
    /// How many UEs are kept busy.
    busy: usize,
    accepted: u64,
}

/// An association; its tasks end with it.
#[derive(Debug)]
struct Line {
    queue: UnboundedSender<Message>,
    /// None where somebody else carries it.
    association: Option<Arc<Association>>,
    reader: Option<JoinHandle<()>>,
}

/// One end of an association that somebody else carries.
#[derive(Debug)]
pub struct Outside {
    shared: Arc<Shared>,
    place: Place,
    waiting: UnboundedReceiver<Message>,
}

impl Outside {
    /// What is to be sent next.
    pub fn output(&mut self) -> Option<Message> {
        self.waiting.try_recv().ok()
    }

    /// Something happened on it.
    pub fn came(&self, event: Event) {
        self.shared.take(self.place, &mut vec![event]);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.values().for_each(JoinHandle::abort);
        for line in self.shared.lock().lines.values() {
            line.end();
        }
    }
}

impl Line {
    fn end(&self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
    }
}

impl Running {
    /// A world without associations, which tasks of `runtime` will carry.
    #[must_use]
    pub fn new(world: World, runtime: Handle) -> Self {
        let inner = Inner { world, lines: HashMap::new(), busy: 0, accepted: 0 };
        let shared = Arc::new(Shared { inner: Mutex::new(inner), changed: Condvar::new() });
        Self { shared, runtime, accepting: HashMap::new() }
    }

    /// A gNB's association, which has just been begun.
    pub fn gnb(&self, gnb: usize, association: Association) {
        self.shared.follow(Place::Gnb(gnb), association, &self.runtime);
    }

    /// An AMF accepts associations, until [`Running::kill`].
    pub fn amf(&mut self, amf: usize, mut listener: Listener) {
        let (shared, runtime) = (Arc::clone(&self.shared), self.runtime.clone());
        let accepting = self.runtime.spawn(async move {
            while let Some(association) = listener.accept().await {
                let number = {
                    let mut inner = shared.lock();
                    inner.accepted = inner.accepted.saturating_add(1);
                    inner.accepted
                };
                shared.follow(Place::Amf(amf, number), association, &runtime);
            }
        });
        self.accepting.insert(amf, accepting);
    }

    /// An end of an association that somebody else carries, to whom it is given.
    #[must_use]
    pub fn outside(&self, place: Place) -> Outside {
        let (queue, waiting) = unbounded_channel();
        let line = Line { queue, association: None, reader: None };
        self.shared.lock().lines.insert(place, line);
        Outside { shared: Arc::clone(&self.shared), place, waiting }
    }

    /// An AMF dies, and tells its peers by ABORT. Where nobody is to hear that, cut it off before.
    pub fn kill(&mut self, amf: usize) {
        if let Some(accepting) = self.accepting.remove(&amf) {
            accepting.abort();
        }
        let mut inner = self.shared.lock();
        inner.world.kill(amf);
        let of_it = |place: &Place| matches!(place, Place::Amf(number, _) if *number == amf);
        for (_, line) in inner.lines.extract_if(|place, _| of_it(place)) {
            if let Some(association) = &line.association {
                association.abort(b"killed");
            }
            line.end();
        }
    }

    /// Keeps so many UEs busy from now on.
    pub fn keep_busy(&self, most: usize) {
        let mut inner = self.shared.lock();
        inner.busy = most;
        inner.go_on();
        drop(inner);
        self.shared.changed.notify_all();
    }

    /// Does something with the world, and sends what it then has to send.
    pub fn with<R>(&self, task: impl FnOnce(&mut World) -> R) -> R {
        let mut inner = self.shared.lock();
        let result = task(&mut inner.world);
        inner.go_on();
        result
    }

    /// Waits until something is so; whether it was within `wait`.
    pub fn until(&self, wait: Duration, mut so: impl FnMut(&World) -> bool) -> bool {
        let inner = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(inner, wait, |inner| !so(&inner.world));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(self: &Arc<Self>, place: Place, association: Association, runtime: &Handle) {
        let association = Arc::new(association);
        let (queue, waiting) = unbounded_channel();
        runtime.spawn(write(Arc::clone(&association), waiting));
        // The lock is held until the reader is known.
        let mut inner = self.lock();
        let line = Line { queue, association: Some(Arc::clone(&association)), reader: None };
        inner.lines.insert(place, line);
        let reader = runtime.spawn(read(Arc::clone(self), place, association));
        if let Some(line) = inner.lines.get_mut(&place) {
            line.reader = Some(reader);
        }
    }

    fn take(&self, place: Place, events: &mut Vec<Event>) {
        let mut inner = self.lock();
        for event in events.drain(..) {
            // Whoever was killed hears nothing more.
            if !inner.lines.contains_key(&place) {
                return;
            }
            match event {
                Event::Established { outbound_streams, .. } => inner.world.established(place, outbound_streams),
                Event::Message(it) => inner.world.receive(place, it.stream, it.protocol, &it.payload),
                event if event.is_last() || event == Event::PeerShutdown => {
                    inner.world.closed(place);
                    inner.lines.remove(&place);
                }
                _ => {}
            }
        }
        inner.go_on();
        drop(inner);
        self.changed.notify_all();
    }
}

impl Inner {
    /// Has UEs begin something, and sends what there is to be sent.
    fn go_on(&mut self) {
        self.world.keep_busy(self.busy);
        while let Some((place, sent)) = self.world.take() {
            if let Some(line) = self.lines.get(&place) {
                // An association that has ended says so by itself.
                let _ = line.queue.send(Message::new(sent.stream, PAYLOAD_PROTOCOL, sent.bytes));
            }
        }
    }
}

async fn read(shared: Arc<Shared>, place: Place, association: Arc<Association>) {
    let mut events = Vec::with_capacity(BATCH);
    while association.receive_many(&mut events, BATCH).await > 0 {
        shared.take(place, &mut events);
    }
}

/// Ends with the queue.
async fn write(association: Arc<Association>, mut waiting: UnboundedReceiver<Message>) {
    let mut messages = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut messages, BATCH).await > 0 {
        let mut batch = VecDeque::from(std::mem::take(&mut messages));
        if association.send_all(&mut batch).await.is_err() {
            return;
        }
    }
}
