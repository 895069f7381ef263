//! Frames in and out of an interface, many a system call.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{self, IpAddr, Ipv6Addr};
use std::os::fd::AsRawFd;
use std::task::{Context, Poll, ready};

use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, MultiHeaders, SockFlag, SockProtocol, SockType, bind, recvmmsg, sendmmsg,
    setsockopt, socket, sockopt,
};
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::filter;
use super::frame::Frame;
use super::interface::Interface;

/// Frames of one system call.
const BATCH: usize = 64;
/// Room for the largest frame, bytes.
const LARGEST: usize = 9216;
/// Room for bursts in the kernel, bytes.
const QUEUE: usize = 8 << 20;

/// A packet socket (packet(7)) bound to one interface. It receives what the interface receives, in any
/// mode, and nothing that this host itself sends.
#[derive(Debug)]
pub struct PacketSocket {
    /// Of packets, not of UDP: tokio waits for any socket alike.
    socket: UdpSocket,
    room: Vec<u8>,
    /// Frames that were taken to be sent and are not.
    waiting: Vec<Frame>,
    lost: u64,
    /// They hold the interface's memberships.
    _groups: Option<net::UdpSocket>,
    interface: u32,
}

impl PacketSocket {
    /// Opens one in the namespace of the calling thread, within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The system's, such as `PermissionDenied` without CAP_NET_RAW.
    pub fn open(interface: &Interface) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
        SockRef::from(&socket).attach_filter(&filter::INCOMING)?;
        // The interface's address has no protocol: the socket's stays.
        bind(socket.as_raw_fd(), &interface.address)?;
        // Without CAP_NET_ADMIN the default remains.
        let _ = setsockopt(&socket, sockopt::RcvBufForce, &QUEUE);
        let _ = setsockopt(&socket, sockopt::SndBufForce, &QUEUE);
        // What came from other interfaces before it was bound.
        forget(&socket);
        Ok(Self {
            socket: UdpSocket::from_std(socket.into())?,
            room: vec![0; BATCH * LARGEST],
            waiting: Vec::with_capacity(BATCH),
            lost: 0,
            _groups: None,
            interface: interface.index,
        })
    }

    /// Has the kernel give it ARP, and what is to one of these addresses, groups among them, and nothing else.
    ///
    /// # Errors
    ///
    /// The system's.
    pub(super) fn only_to(self, addresses: &[IpAddr]) -> io::Result<Self> {
        SockRef::from(&self.socket).attach_filter(&filter::only_to(addresses))?;
        // What came before is not filtered.
        forget(&self.socket);
        Ok(self)
    }

    /// Lets the interface hear these groups too, where its kernel has IPv6 on it; where it has not, a card
    /// that filters must be promiscuous.
    pub(super) fn joined(mut self, groups: &[Ipv6Addr]) -> Self {
        let Ok(holder) = net::UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)) else { return self };
        for group in groups {
            // A veth hears everything anyway.
            let _ = holder.join_multicast_v6(group, self.interface);
        }
        self._groups = Some(holder);
        self
    }

    /// Gives each frame that has come to `take`, as many as one system call yields.
    ///
    /// # Errors
    ///
    /// The system's, such as `NetworkDown`: the interface may come back.
    pub fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(&[u8]),
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.socket.poll_recv_ready(context))?;
            let Self { socket, room, .. } = self;
            match socket.try_io(Interest::READABLE, || receive(socket, room, &mut take)) {
                Err(error) if tries_again(&error) => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// Sends the frames that `next` yields; pending where there is no room for all of them. A frame that
    /// the interface refuses is lost, as on any link.
    pub fn poll_send(&mut self, context: &mut Context<'_>, mut next: impl FnMut() -> Option<Frame>) -> Poll<()> {
        loop {
            while self.waiting.len() < BATCH
                && let Some(frame) = next()
            {
                self.waiting.push(frame);
            }
            if self.waiting.is_empty() {
                return Poll::Ready(());
            }
            // Without a reactor nothing can be sent any more.
            let Ok(()) = ready!(self.socket.poll_send_ready(context)) else { return Poll::Ready(()) };
            match self.socket.try_io(Interest::WRITABLE, || send(&self.socket, &self.waiting)) {
                Ok(sent) => drop(self.waiting.drain(..sent.clamp(1, self.waiting.len()))),
                Err(error) if tries_again(&error) => {}
                Err(_) => {
                    self.waiting.remove(0);
                    self.lost = self.lost.saturating_add(1);
                }
            }
        }
    }

    /// Frames that the interface refused: it was down, its queue was full.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

/// Takes what waits on a socket, and forgets it.
fn forget(socket: &impl AsRawFd) {
    let mut before = [0; 64];
    while nix::sys::socket::recv(socket.as_raw_fd(), &mut before, MsgFlags::MSG_DONTWAIT).is_ok() {}
}

fn receive(socket: &UdpSocket, room: &mut [u8], take: &mut impl FnMut(&[u8])) -> io::Result<()> {
    let mut headers = MultiHeaders::<LinkAddr>::preallocate(BATCH, None);
    let mut slices: Vec<_> = room.chunks_mut(LARGEST).map(|chunk| [IoSliceMut::new(chunk)]).collect();
    let received = recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
    for message in received {
        for frame in message.iovs() {
            take(frame);
        }
    }
    Ok(())
}

fn send(socket: &UdpSocket, frames: &[Frame]) -> io::Result<usize> {
    let mut headers = MultiHeaders::<LinkAddr>::preallocate(frames.len(), None);
    let slices: Vec<_> = frames.iter().map(|frame| frame.parts().map(IoSlice::new)).collect();
    let addresses = vec![None; frames.len()];
    let sent = sendmmsg(socket.as_raw_fd(), &mut headers, &slices, addresses, [], MsgFlags::MSG_DONTWAIT)?;
    Ok(sent.count())
}

fn tries_again(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
