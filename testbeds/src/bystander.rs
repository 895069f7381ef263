//! Clients that exchange datagrams by way of the balancer while something happens to its tables.

use std::net::{Ipv4Addr, SocketAddr};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use pinion_loader::kernel::Attached;
use pinion_loader::{LoadError, Maps};
use pinion_steering::{Address, Flow, FlowKey, State, protocol};

use crate::failure::Failure;
use crate::peers::{Echoes, udp};
use crate::scenario::{Service, wake};
use crate::topology::{Host, Topology};

/// How long an answer is waited for.
const WAIT: Duration = Duration::from_secs(2);
/// How long nothing happens.
const QUIET: Duration = Duration::from_secs(2);
/// The clients' port.
const PORT: u16 = 5000;
/// Longer ago, in ticks, than any session may be silent.
const LONG_AGO: u32 = 100_000;

/// What the clients saw while something happened, and how long that took.
#[derive(Debug, Clone)]
pub struct Seen {
    /// How long it took.
    pub took: Duration,
    /// What became of their datagrams.
    pub echoes: Echoes,
    /// The longest that one of them waited for an answer.
    pub longest: Duration,
}

/// The clients of a topology, and servers of a UDP service on all its endpoints: one session for each client.
pub struct Bystanders {
    clients: Vec<udp::Client>,
    to: SocketAddr,
    _servers: Vec<udp::Server>,
    _wakers: Vec<Attached>,
}

impl Bystanders {
    /// Starts the servers, and wakes the hosts' ends of all links ([`wake`]).
    ///
    /// # Errors
    ///
    /// [`Failure::Steering`], [`Failure::Socket`].
    pub fn of(topology: &Topology, service: &Service) -> Result<Self, Failure> {
        let wakers = wake(topology)?;
        let serve = |host: &Host| udp::Server::start(&host.namespace, &host.name, &service.sockets(host));
        let bind = |host: &Host| {
            let address = host.addresses(service.v6).into_iter().next().unwrap_or(Ipv4Addr::UNSPECIFIED.into());
            udp::Client::bind(&host.namespace, SocketAddr::new(address, PORT))
        };
        Ok(Self {
            clients: topology.clients.iter().map(bind).collect::<Result<_, _>>()?,
            to: service.socket(),
            _servers: topology.endpoints.iter().map(serve).collect::<Result<_, _>>()?,
            _wakers: wakers,
        })
    }

    /// What they see while nothing happens.
    ///
    /// # Errors
    ///
    /// As [`Bystanders::during`].
    pub fn quiet(&mut self) -> Result<Seen, Failure> {
        self.during(|| {
            sleep(QUIET);
            Ok(())
        })
    }

    /// What they see while `work` is done.
    ///
    /// # Errors
    ///
    /// Those of `work`, and [`Failure::Socket`] of a client.
    pub fn during<E: From<Failure>>(&mut self, work: impl FnOnce() -> Result<(), E>) -> Result<Seen, E> {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let traffic = scope.spawn(|| self.exchange(&stop));
            let begin = Instant::now();
            let done = work();
            let took = begin.elapsed();
            stop.store(true, Ordering::Release);
            let (echoes, longest) = traffic.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            done.map(|()| Seen { took, echoes, longest })
        })
    }

    fn exchange(&mut self, stop: &AtomicBool) -> Result<(Echoes, Duration), Failure> {
        let (mut echoes, mut longest) = (Echoes::default(), Duration::ZERO);
        for client in &mut self.clients {
            // The first one waits for ARP.
            client.exchange(self.to, 1, 64, WAIT)?;
        }
        while !stop.load(Ordering::Acquire) {
            for client in &mut self.clients {
                let sent = Instant::now();
                echoes.add(client.exchange(self.to, 1, 64, WAIT)?);
                longest = longest.max(sent.elapsed());
            }
        }
        Ok((echoes, longest))
    }
}

/// Puts UDP sessions into the tables that nobody has used for long, both directions of each.
///
/// # Errors
///
/// What [`Maps::put_flow`] refuses.
pub fn put_silent_sessions(maps: &mut impl Maps, count: u32) -> Result<(), LoadError> {
    let seen = maps.clock()?.wrapping_sub(LONG_AGO);
    let (service, endpoint) = (Address::v4([10, 1, 255, 1]), Address::v4([10, 1, 101, 2]));
    for number in 0..count {
        let [_, a, b, c] = number.to_be_bytes();
        let client = Address::v4([172, 16 + a, b, c]);
        let flow = Flow { target: 1, seen, state: State::Established as u8, ..Flow::default() };
        let forward = FlowKey::tuple(service, 7000, client, PORT, protocol::UDP);
        let reply = FlowKey::tuple(client, PORT, endpoint, 7100, protocol::UDP);
        maps.put_flow(&reply, &Flow { target: 0, reply: 1, ..flow })?;
        maps.put_flow(&forward, &flow)?;
    }
    Ok(())
}
