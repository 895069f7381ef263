//! Probes over real sockets: one module for each kind. What is sent and what is read are pure functions there; this
//! module and [`socket`], [`exchange`] do the I/O.

mod exchange;
mod filter;
pub mod gtpu;
pub mod http2;
pub mod icmp;
pub mod pfcp;
pub mod sctp;
mod socket;
mod stream;
pub mod tcp;
pub mod udp;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout};

use super::outcome::{Answer, Failure, Obstacle, Outcome, asked};
use super::target::Target;
use crate::config::model::Probe;

/// Who probes: [`Sockets`], or a script in tests.
pub trait Prober: Send + Sync + 'static {
    /// Probes a target once, in not much more than its timeout. `draws` are random numbers for what tells this
    /// probe's answer from others'.
    fn probe(&self, target: Arc<Target>, draws: [u64; 2]) -> impl Future<Output = Outcome> + Send;
}

/// Probes from this host. Raw sockets are opened at their first use, one for each kind and family, and shared.
#[derive(Debug)]
pub struct Sockets {
    /// PFCP's Recovery Time Stamp.
    stamp: u32,
    icmp: icmp::Echoes,
    sctp: sctp::Inits,
}

impl Sockets {
    /// `began` is when the balancer began, which PFCP endpoints are told, so that they notice its restarts and do not
    /// see one at each probe.
    pub fn new(began: SystemTime) -> Self {
        Self { stamp: pfcp::stamp(began), icmp: icmp::Echoes::default(), sctp: sctp::Inits::default() }
    }
}

impl Prober for Sockets {
    async fn probe(&self, target: Arc<Target>, draws: [u64; 2]) -> Outcome {
        let Target { to, from, ref health, .. } = *target;
        if let Some(from) = from.filter(|from| from.is_ipv4() != to.is_ipv4()) {
            return Obstacle::Family { from, to: to.ip() }.into();
        }
        let ends = Ends { to, from };
        let sent = Instant::now();
        let within = health.timeout;
        let replied = match &health.probe {
            Probe::Icmp => in_time(within, self.icmp.ask(ends, draws)).await,
            Probe::Tcp => in_time(within, tcp::ask(ends)).await,
            Probe::Udp { payload, .. } => in_time(within, udp::ask(ends, payload, |_| udp::Reading::Answer)).await,
            Probe::Gtpu => {
                let sequence = low16(draws[0]);
                let read = |datagram: &[u8]| gtpu::read(datagram, sequence);
                in_time(within, udp::ask(ends, &gtpu::echo_request(sequence), read)).await
            }
            Probe::Sctp => in_time(within, self.sctp.ask(ends, draws)).await,
            Probe::Pfcp => {
                let sequence = pfcp::Sequence::from_low(draws[0]);
                let request = pfcp::heartbeat_request(sequence, self.stamp);
                let read = |datagram: &[u8]| pfcp::read(datagram, sequence);
                in_time(within, udp::ask(ends, &request, read)).await
            }
            Probe::Http2 { path, authority } => {
                in_time(within, http2::ask(ends, path, authority.as_deref(), within)).await
            }
        };
        match (replied, &health.probe) {
            (Some(Ok(())), probe) => Outcome::Answer(Answer::To(asked(probe), sent.elapsed())),
            (Some(Err(outcome)), _) => outcome,
            (None, Probe::Udp { answer: false, .. }) => Outcome::Answer(Answer::Silence(within)),
            (None, probe) => Failure::Silent { asked: asked(probe), within }.into(),
        }
    }
}

/// Where a probe goes, and where it comes from.
#[derive(Clone, Copy, Debug)]
struct Ends {
    to: SocketAddr,
    from: Option<std::net::IpAddr>,
}

/// What a probe gives: an answer came, or what else became of it.
type Reply = Result<(), Outcome>;

async fn in_time(within: Duration, reply: impl Future<Output = Reply>) -> Option<Reply> {
    timeout(within, reply).await.ok()
}

/// The lowest 16 bits.
fn low16(draw: u64) -> u16 {
    let [.., high, low] = draw.to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// The lowest 32 bits.
fn low32(draw: u64) -> u32 {
    let [.., a, b, c, d] = draw.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}
