//! Two nodes, the networks between them, and what happens to all of these.

use std::net::IpAddr;
use std::time::Duration;

use pinion_protocols::sctp::endpoint::{
    AssociationId, Config, Endpoint, Event, Message, Reliability, SendError, Snapshot, Time,
};

use crate::network::{Dice, Faults, Link, Network, address};
use crate::oracle::{HEADER, Oracle};

const PORTS: [u16; 2] = [9000, 38412];
const SECOND: u64 = 1_000_000;

struct Node {
    endpoint: Endpoint,
    addresses: Vec<IpAddr>,
    /// What the node's clock says when the world's says 0.
    clock: u64,
    id: Option<AssociationId>,
    up: bool,
    epoch: u32,
    /// When it tries again to connect.
    connect_at: u64,
    /// Until then it takes no events.
    sleeps_until: u64,
    /// The association ended as agreed.
    closed: bool,
}

impl Node {
    fn now(&self, world: u64) -> Time {
        Time::from_micros(self.clock.wrapping_add(world))
    }
}

/// What happened in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) delivered: u64,
    pub(crate) failed: u64,
    pub(crate) packets: u64,
    pub(crate) restarts: u64,
    pub(crate) losses: u64,
    pub(crate) path_downs: u64,
    pub(crate) hand_overs: u64,
    pub(crate) address_changes: u64,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    now: u64,
    nodes: [Node; 2],
    pub(crate) network: Network,
    /// By sender.
    pub(crate) oracles: [Oracle; 2],
    config: Config,
    pub(crate) tally: Tally,
    /// Nothing is sent and nobody crashes any more.
    quiet: bool,
    both_connect: bool,
    partial: bool,
}

fn config(dice: &mut Dice) -> Config {
    Config {
        rto_initial: Duration::from_millis(200),
        rto_min: Duration::from_millis(50 + 50 * dice.below(3)),
        rto_max: Duration::from_secs(2),
        heartbeat_interval: Some(Duration::from_millis(500 + dice.below(1000))),
        sack_delay: Duration::from_millis(dice.below(3) * 20),
        path_max_retransmissions: 1 + dice.below(4) as u16,
        potentially_failed_after: if dice.permille(300) { u16::MAX } else { 0 },
        receive_buffer: 40_000 + 20_000 * dice.below(8) as u32,
        send_buffer: 20_000 + 20_000 * dice.below(8) as u32,
        max_message: 30_000,
        mtu: [576, 1280, 1500, 9000][dice.below(4) as usize],
        largest_mtu: [1500, 9000][dice.below(2) as usize],
        nagle: dice.permille(200),
        outbound_streams: 1 + dice.below(20) as u16,
        max_gaps: if dice.permille(100) { 4 } else { 1000 },
        ..Config::default()
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let config = config(&mut dice);
        let paths = 1 + dice.below(3) as usize;
        let hard = dice.below(3);
        let links = (0..paths)
            .map(|_| Link {
                faults: Faults {
                    loss: dice.below(1 + 60 * hard),
                    duplication: dice.below(1 + 40 * hard),
                    corruption: dice.below(1 + 10 * hard),
                    delay: 100 + dice.below(40_000),
                    jitter: dice.below(1 + 10_000 * hard),
                },
                down_until: 0,
                mtu: 1280 + dice.below(9000) as usize,
            })
            .collect();
        let mut node = |index: usize| {
            let addresses: Vec<IpAddr> = (0..paths).map(|network| address(network, index)).collect();
            let mut endpoint = Endpoint::new(config.clone(), dice.seed());
            endpoint.listen(PORTS[index], &addresses);
            Node {
                endpoint,
                addresses,
                clock: dice.below(1 << 40),
                id: None,
                up: false,
                epoch: 0,
                connect_at: dice.below(50_000),
                sleeps_until: 0,
                closed: false,
            }
        };
        let nodes = [node(0), node(1)];
        Self {
            both_connect: dice.permille(200),
            partial: dice.permille(300),
            network: Network::new(links),
            dice,
            now: 0,
            nodes,
            oracles: [Oracle::default(), Oracle::default()],
            config,
            tally: Tally::default(),
            quiet: false,
        }
    }

    /// Lets the world go on for so long, with something happening about every `pace`.
    pub(crate) fn run(&mut self, duration: u64, pace: u64) {
        let end = self.now + duration;
        while self.now < end {
            let mischief = self.now + 1 + self.dice.below(pace);
            self.advance(mischief.min(end));
            if !self.quiet {
                self.mischief();
            }
            for node in 0..2 {
                self.settle(node);
            }
        }
    }

    /// Lets packets arrive and timers expire until `until`.
    fn advance(&mut self, until: u64) {
        loop {
            let arrival = self.network.next().unwrap_or(u64::MAX);
            let mut next = arrival.min(until);
            for node in &self.nodes {
                if let Some(due) = node.endpoint.deadline() {
                    next = next.min(due.as_micros().wrapping_sub(node.clock)).max(self.now);
                }
                if node.sleeps_until > self.now {
                    next = next.min(node.sleeps_until);
                }
            }
            self.now = next.max(self.now);
            while let Some((to, datagram)) = self.network.arrived(self.now) {
                let now = self.nodes[to].now(self.now);
                self.nodes[to].endpoint.receive(now, &datagram);
                self.settle(to);
            }
            for node in 0..2 {
                let now = self.nodes[node].now(self.now);
                self.nodes[node].endpoint.expire(now);
                self.settle(node);
            }
            if self.now >= until {
                return;
            }
        }
    }

    /// Takes events and packets out of a node.
    fn settle(&mut self, index: usize) {
        if self.nodes[index].sleeps_until <= self.now {
            self.take_events(index);
        }
        self.transmit(index);
        let node = &mut self.nodes[index];
        let connects = index == 0 || self.both_connect;
        if node.id.is_none() && connects && !self.quiet && node.connect_at <= self.now {
            let remotes: Vec<IpAddr> = (0..node.addresses.len()).map(|n| address(n, 1 - index)).collect();
            let now = node.now(self.now);
            let local = (node.addresses.as_slice(), PORTS[index]);
            if let Ok(id) = node.endpoint.connect(now, local, (&remotes, PORTS[1 - index])) {
                node.id = Some(id);
                node.epoch += 1;
            }
            self.transmit(index);
        }
    }

    fn transmit(&mut self, index: usize) {
        let now = self.nodes[index].now(self.now);
        while let Some(transmit) = self.nodes[index].endpoint.poll_transmit(now) {
            self.network.send(&mut self.dice, self.now, index, &transmit);
        }
    }

    fn take_events(&mut self, index: usize) {
        while let Some((id, event)) = self.nodes[index].endpoint.poll_event() {
            let node = &mut self.nodes[index];
            match event {
                Event::Established { accepted, .. } => {
                    if accepted {
                        // It may replace one that this side knows to be gone, or is told so now.
                        node.id = Some(id);
                        node.epoch += 1;
                    }
                    node.up = true;
                    node.closed = false;
                }
                Event::Message(message) => {
                    self.oracles[1 - index].received(message.stream, message.unordered, &message.payload);
                }
                Event::SendFailed { context, sent, .. } => self.oracles[index].failed(context, sent),
                Event::Restarted => {
                    node.epoch += 1;
                    self.tally.restarts += 1;
                }
                Event::PathDown(_) => self.tally.path_downs += 1,
                event if event.is_last() => {
                    self.tally.losses += u64::from(event != Event::Closed);
                    if node.id == Some(id) {
                        node.closed = event == Event::Closed;
                        node.id = None;
                        node.up = false;
                        node.connect_at = self.now + self.dice.below(SECOND / 5);
                    }
                }
                _ => {}
            }
        }
    }

    /// Something happens.
    fn mischief(&mut self) {
        let index = self.dice.below(2) as usize;
        match self.dice.below(1000) {
            0..3 => self.crash(index),
            3..30 => self.hand_over(index),
            30..60 => {
                let link = self.dice.below(self.network.links.len() as u64) as usize;
                self.network.links[link].down_until = self.now + self.dice.below(8 * SECOND);
            }
            60..80 => self.nodes[index].sleeps_until = self.now + self.dice.below(3 * SECOND),
            80..90 => {
                if let Some(id) = self.nodes[index].id {
                    let network = self.dice.below(self.network.links.len() as u64) as usize;
                    self.nodes[index].endpoint.set_primary(id, address(network, 1 - index));
                }
            }
            90..100 => self.change_address(index),
            _ => self.send(index),
        }
    }

    /// Asks the peer to use an own address more, or no more.
    fn change_address(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let Some(id) = node.id else { return };
        let own = address(self.dice.below(node.addresses.len() as u64) as usize, index);
        let now = Time::from_micros(node.clock.wrapping_add(self.now));
        if self.dice.permille(500) {
            self.tally.address_changes += u64::from(node.endpoint.add_address(now, id, own));
        } else {
            self.tally.address_changes += u64::from(node.endpoint.delete_address(now, id, own));
        }
    }

    fn send(&mut self, index: usize) {
        self.take_events(index);
        let now = self.nodes[index].now(self.now);
        for _ in 0..1 + self.dice.below(8) {
            let Some(id) = self.nodes[index].id else { return };
            let epoch = self.nodes[index].epoch;
            let stream = self.dice.below(u64::from(self.config.outbound_streams)) as u16;
            let unordered = self.dice.permille(200);
            let name = self.oracles[index].name(epoch, stream, unordered);
            let length = match self.dice.below(20) {
                0 => 1 + self.dice.below(29_000),
                1..4 => 1 + self.dice.below(4000),
                _ => 1 + self.dice.below(300),
            };
            let payload = name.payload((length as usize).max(HEADER));
            let length = payload.len();
            let reliability = match self.dice.below(4) {
                0 if self.partial => Reliability::Lifetime(Duration::from_millis(self.dice.below(800))),
                1 if self.partial => Reliability::Retransmissions(self.dice.below(3) as u16),
                _ => Reliability::Full,
            };
            let reliable = reliability == Reliability::Full;
            let message =
                Message { unordered, reliability, context: name.context, ..Message::new(stream, 60, payload) };
            match self.nodes[index].endpoint.send(now, id, message) {
                Ok(()) => self.oracles[index].sent(name, length, reliable),
                Err(SendError::BufferFull | SendError::Unknown | SendError::Stream { .. }) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// A node forgets everything and begins anew.
    fn crash(&mut self, index: usize) {
        self.oracles.iter_mut().for_each(Oracle::crashed);
        let seed = self.dice.seed();
        let node = &mut self.nodes[index];
        node.endpoint = Endpoint::new(self.config.clone(), seed);
        node.endpoint.listen(PORTS[index], &node.addresses);
        node.clock = self.dice.below(1 << 40);
        node.id = None;
        node.up = false;
        node.epoch += 1;
        node.connect_at = self.now + self.dice.below(SECOND / 2);
        node.sleeps_until = 0;
    }

    /// The association goes on elsewhere, out of bytes, under another clock and with another seed.
    fn hand_over(&mut self, index: usize) {
        // What ended is told here, not there.
        self.take_events(index);
        let seed = self.dice.seed();
        let node = &mut self.nodes[index];
        let Some(id) = node.id else { return };
        let Some(snapshot) = node.endpoint.export(node.now(self.now), id) else { return };
        let bytes = postcard::to_allocvec(&snapshot).unwrap();
        let snapshot: Snapshot = postcard::from_bytes(&bytes).unwrap();
        node.endpoint = Endpoint::new(self.config.clone(), seed);
        node.endpoint.listen(PORTS[index], &node.addresses);
        node.clock = self.dice.below(1 << 40);
        node.id = Some(node.endpoint.import(node.now(self.now), snapshot).unwrap());
        self.tally.hand_overs += 1;
    }

    /// The network is good again: all that was sent arrives, and both sides agree to end it.
    pub(crate) fn finish(&mut self) {
        self.quiet = true;
        for link in &mut self.network.links {
            link.down_until = 0;
            link.faults = Faults { delay: link.faults.delay, ..Faults::default() };
        }
        self.run(90 * SECOND, SECOND);
        for (sender, oracle) in self.oracles.iter().enumerate() {
            let silent = oracle.silent();
            assert!(silent.is_empty(), "from node {sender}: {} silent, {:?}", silent.len(), silent.first());
        }
        let up = [self.nodes[0].up, self.nodes[1].up];
        if up == [true, true] {
            let id = self.nodes[0].id.unwrap();
            let now = self.nodes[0].now(self.now);
            self.nodes[0].endpoint.shutdown(now, id);
            self.run(60 * SECOND, SECOND);
            // Whoever gives up the addresses that work may lose the association, and is told.
            let lost = self.tally.address_changes > 0 && self.nodes.iter().all(|node| node.id.is_none());
            let closed = [self.nodes[0].closed, self.nodes[1].closed];
            assert!(lost || closed == [true, true], "both sides see the end: {closed:?}");
        }
        for node in &self.nodes {
            assert_eq!(node.endpoint.associations().count(), usize::from(node.id.is_some()));
        }
    }
}
