//! An association that has a socket of its own.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Shutdown};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::ffi::{self, Incoming};
use super::notification::{Circumstances, event};
use super::options;
use crate::association::{Carrier, Ends};
use crate::{Event, Message, PathStatus, Received, Reliability, SendError};

pub(super) struct Carried {
    ends: Ends,
    largest: usize,
    writers: Arc<Writers>,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Of SCTP, not of UDP: tokio waits for any socket alike. None once the association has ended, so that
    /// its port is free again.
    socket: Option<Arc<UdpSocket>>,
    /// The peer asked for the association.
    accepted: bool,
    streams: u16,
    /// It is being shut down.
    parting: bool,
    /// What is to be told before anything else: the end that this side made.
    last: Option<Event>,
    reader: Option<Waker>,
    /// The beginning of a message that comes in parts.
    partial: BytesMut,
    room: Vec<u8>,
}

/// Bytes that are received at a time.
const ROOM: usize = 64 << 10;
/// Flag of `struct sctp_sndinfo` and `struct sctp_rcvinfo`.
const UNORDERED: u16 = 1;
/// RFC 9260 3.3.10.12.
const USER_INITIATED: u16 = 12;
/// Policies of `struct sctp_prinfo`.
const TIME_TO_LIVE: u16 = 0x10;
const RETRANSMISSIONS: u16 = 0x20;

impl Inner {
    /// Whether all was told.
    fn has_ended(&self) -> bool {
        self.socket.is_none() && self.last.is_none()
    }

    /// Closes the socket, with ABORT where the association has not ended.
    fn close(&mut self) {
        if let Some(socket) = self.socket.take() {
            // On one that has ended it means nothing.
            let _ = SockRef::from(&*socket).set_linger(Some(Duration::ZERO));
        }
    }
}

impl Carried {
    pub(super) fn new(socket: UdpSocket, ends: Ends, largest: u32, accepted: bool) -> Self {
        let inner = Inner {
            socket: Some(Arc::new(socket)),
            accepted,
            streams: u16::MAX,
            parting: false,
            last: None,
            reader: None,
            partial: BytesMut::new(),
            room: vec![0; ROOM],
        };
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        Self { ends, largest, writers: Arc::default(), inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn socket(&self) -> Option<Arc<UdpSocket>> {
        self.lock().socket.clone()
    }

    fn send_now(socket: &UdpSocket, message: &Message) -> io::Result<()> {
        let policy = match message.reliability {
            Reliability::Full => None,
            Reliability::Lifetime(time) => {
                Some((TIME_TO_LIVE, u32::try_from(time.as_millis().max(1)).unwrap_or(u32::MAX)))
            }
            Reliability::Retransmissions(most) => Some((RETRANSMISSIONS, most.into())),
        };
        let policy = policy.map(|(policy, value)| {
            let ([p0, p1], [v0, v1, v2, v3]) = (policy.to_ne_bytes(), value.to_ne_bytes());
            [p0, p1, 0, 0, v0, v1, v2, v3]
        });
        let flags = if message.unordered { UNORDERED } else { 0 };
        let info = send_info(message.stream, flags, message.protocol, message.context);
        socket.try_io(Interest::WRITABLE, || ffi::send(socket.as_fd(), &message.payload, &info, policy.as_ref()))
    }

    /// Takes what a call of the system yielded.
    fn take(&self, socket: &UdpSocket, inner: &mut Inner, incoming: &Incoming) -> Option<Event> {
        let bytes = inner.room.get(..incoming.length).unwrap_or_default();
        if incoming.notification {
            let refused = SockRef::from(socket).take_error().ok().flatten();
            let refused = refused.is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused);
            let event = event(bytes, Circumstances { accepted: inner.accepted, refused })?;
            if let Event::Established { outbound_streams, .. } = event {
                inner.streams = outbound_streams;
            }
            return Some(event);
        }
        if incoming.length == 0 {
            // The end, of which nothing else was said.
            return Some(Event::Closed);
        }
        if inner.partial.len().saturating_add(bytes.len()) > self.largest {
            return Some(Event::Aborted { cause: USER_INITIATED, by_peer: false });
        }
        let payload = match (inner.partial.is_empty(), incoming.whole) {
            (true, true) => Bytes::copy_from_slice(bytes),
            (_, whole) => {
                inner.partial.extend_from_slice(bytes);
                if !whole {
                    return None;
                }
                inner.partial.split().freeze()
            }
        };
        let info = incoming.info.unwrap_or_default();
        let [s0, s1, q0, q1, f0, f1, _, _, p0, p1, p2, p3, ..] = info;
        Some(Event::Message(Received {
            stream: u16::from_ne_bytes([s0, s1]),
            sequence: u16::from_ne_bytes([q0, q1]),
            protocol: u32::from_be_bytes([p0, p1, p2, p3]),
            unordered: u16::from_ne_bytes([f0, f1]) & UNORDERED != 0,
            payload,
        }))
    }
}

/// `struct sctp_sndinfo`; the protocol identifier is passed on as it is.
fn send_info(stream: u16, flags: u16, protocol: u32, context: u32) -> ffi::SendInfo {
    let ([s0, s1], [f0, f1]) = (stream.to_ne_bytes(), flags.to_ne_bytes());
    let ([p0, p1, p2, p3], [c0, c1, c2, c3]) = (protocol.to_be_bytes(), context.to_ne_bytes());
    [s0, s1, f0, f1, p0, p1, p2, p3, c0, c1, c2, c3, 0, 0, 0, 0]
}

impl Carrier for Carried {
    fn poll_send(
        &self,
        context: &mut Context<'_>,
        messages: &mut VecDeque<Message>,
    ) -> Poll<Result<(), SendError>> {
        let mut taken = false;
        loop {
            let Some(message) = messages.front() else { return Poll::Ready(Ok(())) };
            let (socket, streams, parting) = {
                let inner = self.lock();
                (inner.socket.clone(), inner.streams, inner.parting)
            };
            let refused = if socket.is_none() {
                Some(SendError::Unknown)
            } else if parting {
                Some(SendError::ShuttingDown)
            } else if message.stream >= streams {
                Some(SendError::Stream { streams })
            } else if message.payload.is_empty() {
                Some(SendError::Empty)
            } else {
                (message.payload.len() > self.largest).then_some(SendError::TooLarge)
            };
            if let Some(refused) = refused {
                messages.pop_front();
                return Poll::Ready(Err(refused));
            }
            let Some(socket) = socket else { continue };
            match Self::send_now(&socket, message) {
                Ok(()) => {
                    messages.pop_front();
                    taken = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if taken {
                        return Poll::Ready(Ok(()));
                    }
                    // Several tasks may send, and tokio wakes but one.
                    let all = self.writers.with(context.waker());
                    let ready = socket.poll_send_ready(&mut Context::from_waker(&all));
                    if ready!(ready).is_err() {
                        return Poll::Ready(Err(SendError::Unknown));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    messages.pop_front();
                    let large = error.raw_os_error() == Some(libc::EMSGSIZE);
                    return Poll::Ready(Err(if large { SendError::TooLarge } else { SendError::Unknown }));
                }
            }
        }
    }

    fn poll_receive(&self, context: &mut Context<'_>, into: &mut Vec<Event>, most: usize) -> Poll<()> {
        let before = into.len();
        loop {
            let mut inner = self.lock();
            let taken = into.len().saturating_sub(before);
            if taken >= most {
                return Poll::Ready(());
            }
            let Some(socket) = inner.socket.clone() else {
                into.extend(inner.last.take());
                return Poll::Ready(());
            };
            let room = &mut inner.room;
            let received = socket.try_io(Interest::READABLE, || ffi::receive(socket.as_fd(), room));
            let event = match received {
                Ok(incoming) => self.take(&socket, &mut inner, &incoming),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if taken > 0 {
                        return Poll::Ready(());
                    }
                    inner.reader = Some(context.waker().clone());
                    if ready!(socket.poll_recv_ready(context)).is_err() {
                        return Poll::Ready(());
                    }
                    None
                }
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => None,
                    ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => {
                        Some(Event::Aborted { cause: 0, by_peer: true })
                    }
                    _ => Some(Event::Lost),
                },
            };
            if event.as_ref().is_some_and(Event::is_last) {
                inner.close();
                self.writers.wake_by_ref();
            }
            into.extend(event);
        }
    }

    fn paths(&self) -> Vec<PathStatus> {
        self.socket().map_or_else(Vec::new, |socket| options::paths(socket.as_fd()))
    }

    fn ends(&self) -> Ends {
        self.ends
    }

    fn buffered(&self) -> u32 {
        self.socket().map_or(0, |socket| ffi::queued(socket.as_fd()))
    }

    fn set_primary(&self, remote: IpAddr) -> bool {
        let set = |socket: Arc<UdpSocket>| options::set_primary(socket.as_fd(), remote, self.ends.remote_port);
        self.socket().is_some_and(|socket| set(socket).is_ok())
    }

    fn shutdown(&self) {
        let mut inner = self.lock();
        inner.parting = true;
        if let Some(socket) = &inner.socket {
            // Where it is not connected there is nothing to be shut down.
            let _ = SockRef::from(&**socket).shutdown(Shutdown::Write);
        }
    }

    /// A socket of one association is aborted by closing it; the kernel sends no reason then.
    fn abort(&self, _reason: &[u8]) {
        let mut inner = self.lock();
        if !inner.has_ended() {
            inner.last = Some(Event::Aborted { cause: USER_INITIATED, by_peer: false });
        }
        inner.close();
        let reader = inner.reader.take();
        drop(inner);
        reader.into_iter().for_each(Waker::wake);
        self.writers.wake_by_ref();
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        let mut inner = self.lock();
        if !inner.parting {
            inner.close();
        }
    }
}

/// Tasks that wait for room; all are woken together.
#[derive(Default)]
struct Writers(Mutex<Vec<Waker>>);

impl Writers {
    fn with(self: &Arc<Self>, waker: &Waker) -> Waker {
        let mut writers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !writers.iter().any(|writer| writer.will_wake(waker)) {
            writers.push(waker.clone());
        }
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Writers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let writers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for writer in writers {
            writer.wake();
        }
    }
}
