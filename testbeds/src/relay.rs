//! The balancer as a bad network: SCTP packets between a client and an endpoint pass it, and are lost,
//! doubled, held back and damaged as often as a test says.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pinion_transport::link::{Frame, Interface, PacketSocket};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::cases::dice::Dice;
use crate::failure::Failure;
use crate::topology::{End, Topology};

/// How often what happens to packets, of each hundred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Impairment {
    /// They vanish.
    pub lost: usize,
    /// They come twice.
    pub doubled: usize,
    /// Others overtake them.
    pub held: usize,
    /// A bit behind the IP header is flipped.
    pub damaged: usize,
}

/// What has happened to packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets that came to the relay.
    pub packets: u64,
    /// Packets that vanished.
    pub lost: u64,
    /// Packets that went on twice.
    pub doubled: u64,
    /// Packets that were held back.
    pub held: u64,
    /// Packets that were damaged.
    pub damaged: u64,
}

/// A running relay in place of the balancer's kernel, which still answers for the balancer's addresses but
/// forwards no more.
#[derive(Debug)]
pub struct Relay {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    tally: Arc<Mutex<Tally>>,
}

impl Relay {
    /// Relays between the first client and the first endpoint of a topology, on every path.
    ///
    /// # Errors
    ///
    /// [`Failure::Network`], [`Failure::Socket`].
    pub fn start(topology: &Topology, impairment: Impairment, seed: u64) -> Result<Self, Failure> {
        topology.balancer.sysctls(&[("net/ipv4/ip_forward", "0"), ("net/ipv6/conf/all/forwarding", "0")])?;
        let failed = |source| Failure::Socket { what: "packet sockets of a relay", source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let sides = topology.balancer.run(|| {
            let _inside = runtime.enter();
            let hosts = topology.clients.iter().take(1).zip(&topology.endpoints);
            let paths = hosts.flat_map(|(client, endpoint)| client.links.iter().zip(&endpoint.links));
            paths
                .map(|(near, far)| {
                    Ok([Side::open(&near.balancer, &near.host)?, Side::open(&far.balancer, &far.host)?])
                })
                .collect::<io::Result<Vec<_>>>()
        })?;
        let tally = Arc::new(Mutex::new(Tally::default()));
        let mut fate = Fate { impairment, dice: Dice::new(seed), tally: Arc::clone(&tally) };
        let mut paths = sides.map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                let mut stopped = pin!(stopped);
                let mut clock = tokio::time::interval(TICK);
                poll_fn(|context| {
                    if stopped.as_mut().poll(context).is_ready() {
                        return Poll::Ready(Ok(()));
                    }
                    while clock.poll_tick(context).is_ready() {}
                    for path in &mut paths {
                        carry(path, &mut fate, context)?;
                    }
                    Poll::Pending
                })
                .await
            })
        });
        Ok(Self { stop: Some(stop), thread: Some(thread), tally })
    }

    /// What has happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What it met it has met alone: the test sees what did not arrive.
            let _ = thread.join();
        }
    }
}

/// How often packets that were held back are looked at.
const TICK: Duration = Duration::from_millis(2);
/// How long a packet is held back.
const HELD: Duration = Duration::from_millis(6);
/// Bytes of an Ethernet header, and of both Ethernet addresses.
const ETHERNET: usize = 14;
const ADDRESSES: usize = 12;

/// One end of a path.
struct Side {
    socket: PacketSocket,
    /// Receiver and sender of frames that leave here.
    macs: [u8; ADDRESSES],
    out: VecDeque<Bytes>,
    held: VecDeque<(Instant, Bytes)>,
}

impl Side {
    fn open(here: &End, there: &End) -> io::Result<Self> {
        let socket = PacketSocket::open(&Interface::find(&here.interface.name)?)?;
        let mut macs = [0; ADDRESSES];
        let pair = [there, here].into_iter().filter_map(|end| end.interface.mac).flat_map(|mac| mac.0);
        for (place, byte) in macs.iter_mut().zip(pair) {
            *place = byte;
        }
        Ok(Self { socket, macs, out: VecDeque::new(), held: VecDeque::new() })
    }
}

/// Takes what has come on both sides to the other one.
fn carry([near, far]: &mut [Side; 2], fate: &mut Fate, context: &mut Context<'_>) -> io::Result<()> {
    carry_from(near, far, fate, context)?;
    carry_from(far, near, fate, context)
}

fn carry_from(from: &mut Side, to: &mut Side, fate: &mut Fate, context: &mut Context<'_>) -> io::Result<()> {
    while let Poll::Ready(received) = from.socket.poll_receive(context, |frame| {
        if let Some(start) = sctp_at(frame) {
            fate.meet(frame, start, to);
        }
    }) {
        match received {
            // The test cut it.
            Err(error) if error.kind() == io::ErrorKind::NetworkDown => {}
            other => other?,
        }
    }
    let now = Instant::now();
    while let Some((_, frame)) = to.held.pop_front_if(|(until, _)| *until <= now) {
        to.out.push_back(frame);
    }
    let Side { socket, out, .. } = to;
    let _ = socket.poll_send(context, || out.pop_front().map(Frame::from));
    Ok(())
}

/// Where SCTP, or a fragment of it, begins in a frame.
fn sctp_at(frame: &[u8]) -> Option<usize> {
    const SCTP: u8 = 132;
    const FRAGMENT: u8 = 44;
    let kind = frame.get(ADDRESSES..ETHERNET)?;
    let (protocol, header) = match kind {
        [0x08, 0x00] => (*frame.get(ETHERNET + 9)?, 20),
        [0x86, 0xdd] => (*frame.get(ETHERNET + 6)?, 40),
        _ => return None,
    };
    match protocol {
        SCTP => Some(ETHERNET + header),
        // Damage to this header would not be SCTP's to notice, but its receiver's kernel's to answer.
        FRAGMENT => Some(ETHERNET + header + 8),
        _ => None,
    }
}

/// What becomes of packets.
struct Fate {
    impairment: Impairment,
    dice: Dice,
    tally: Arc<Mutex<Tally>>,
}

impl Fate {
    /// A frame whose SCTP begins at `start` goes on to a side, or not.
    fn meet(&mut self, frame: &[u8], start: usize, to: &mut Side) {
        let Impairment { lost, doubled, held, damaged } = self.impairment;
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.packets += 1;
        if self.dice.chance(lost) {
            tally.lost += 1;
            return;
        }
        let mut bytes = BytesMut::from(to.macs.as_slice());
        bytes.extend_from_slice(frame.get(ADDRESSES..).unwrap_or_default());
        if self.dice.chance(damaged) {
            tally.damaged += 1;
            let at = start.saturating_add(self.dice.below(bytes.len().saturating_sub(start)));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << self.dice.below(8);
            }
        }
        let bytes = bytes.freeze();
        if self.dice.chance(doubled) {
            tally.doubled += 1;
            to.out.push_back(bytes.clone());
        }
        if self.dice.chance(held) {
            tally.held += 1;
            to.held.push_back((Instant::now() + HELD, bytes));
        } else {
            to.out.push_back(bytes);
        }
    }
}
