//! Replays captures through the steering code: what becomes of each packet, and why.
//!
//! A [`Replay`] takes the frames of one capture, in order. Clock, random numbers and next hops are imagined: capture time, a seed,
//! link addresses derived from the destination. The same input gives the same output, and on either engine the same.
//!
//! Services come from a configuration ([`Replay::configured`]) or from the capture itself ([`Replay::auto`]): then every server in
//! it becomes a service with sample endpoints, and what the capture shows as sent by a service is presented as sent by an endpoint,
//! as it was behind a balancer; steering is to turn it back into what was captured. Sessions that were under way when the
//! capture began are restored, as a node does that takes over.
//!
//! Memory does not grow with the capture's size: tables are bounded.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use pinion_pcaps::capture;
//! use pinion_pcaps::replay::{Choice, Replay, Survey};
//!
//! let mut survey = Survey::default();
//! let mut reader = capture::open("n2.pcap".as_ref())?;
//! while let Some(frame) = reader.next()? {
//!     survey.frame(&frame);
//! }
//! let mut replay = Replay::auto(Choice::User, survey, 0)?;
//! let mut reader = capture::open("n2.pcap".as_ref())?;
//! while let Some(frame) = reader.next()? {
//!     let step = replay.step(&frame)?;
//!     println!("{} {} {}", frame.number, step.verdict.name(), step.reason.name());
//! }
//! println!("{:?}", replay.summary()?);
//! # Ok(())
//! # }
//! ```

mod addresses;
mod auto;
mod book;
mod carry;
mod difference;
mod engines;
mod headers;
mod pin;
mod record;
mod sample;
mod stand_in;
mod summary;
mod survey;

use std::time::Duration;

use pinion_exchange::random::Random;
use pinion_loader::LoadError;
use pinion_loader::setup::{ServiceSpec, Setup};
use pinion_steering::{Kind, Reason, Verdict, gtpu, protocol};

pub use difference::Difference;
pub use engines::Choice;
pub use pin::Pin;
pub use record::Record;
pub use summary::{EndpointSummary, Fate, ServiceSummary, Summary};
pub use survey::{MOST_SERVICES, Survey};

use crate::capture::Frame;
use auto::Auto;
use book::Book;
use carry::carry;
use engines::{Engines, Made};
use headers::{End, Headers};
use summary::Counts;

/// Why a replay cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// An engine cannot be had, laid out or run.
    #[error(transparent)]
    Engine(#[from] LoadError),
    /// The engines made different things of a frame.
    #[error("{0}")]
    Differ(Box<Difference>),
}

/// One capture's way through the steering code.
pub struct Replay {
    engines: Engines,
    book: Book,
    counts: Counts,
    random: Random,
    /// Whether the capture's servers are played by sample endpoints.
    auto: bool,
    restored: u64,
    left_out: u64,
    /// The frame as it came in, and its headers.
    frame: Vec<u8>,
    came: Option<Headers>,
    /// The frame as it left, and its headers.
    out: Vec<u8>,
    left: Option<Headers>,
}

/// What became of one frame.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    service: Option<usize>,
    endpoint: Option<usize>,
    replay: &'a Replay,
}

impl Replay {
    /// Makes services of what a survey found.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Engine`] where the engine cannot be had.
    pub fn auto(choice: Choice, survey: Survey, seed: u64) -> Result<Self, ReplayError> {
        let auto = Auto::new(survey.finish());
        let mut replay = Self::configured(choice, &auto.specs, seed)?;
        replay.auto = true;
        replay.left_out = auto.left_out;
        let book = &replay.book;
        replay.engines.each(|engine| {
            replay.restored = auto.restore(book, engine)?;
            Ok(())
        })?;
        Ok(replay)
    }

    /// Lays out the services that are given; frames are taken as they are.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Engine`] where the engine cannot be had, or the services contradict each other or do not fit.
    pub fn configured(choice: Choice, services: &[ServiceSpec], seed: u64) -> Result<Self, ReplayError> {
        let mut engines = Engines::open(choice)?;
        let mut setup = Setup::default();
        engines.each(|engine| {
            setup = Setup::default();
            setup.apply(engine, services)
        })?;
        Ok(Self {
            engines,
            book: Book::new(services, &setup),
            counts: Counts::new(services),
            random: Random::new(seed),
            auto: false,
            restored: 0,
            left_out: 0,
            frame: Vec::new(),
            came: None,
            out: Vec::new(),
            left: None,
        })
    }

    /// Steers one frame.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Differ`] where two engines make different things of it; [`ReplayError::Engine`] where the kernel refuses.
    pub fn step(&mut self, frame: &Frame<'_>) -> Result<Step<'_>, ReplayError> {
        self.counts.packets = self.counts.packets.saturating_add(1);
        let Some(carried) = carry(frame, &mut self.frame) else {
            self.counts.skipped = self.counts.skipped.saturating_add(1);
            (self.came, self.left) = (None, None);
            self.out.clear();
            self.out.extend_from_slice(frame.bytes);
            return Ok(self.done(Verdict::Pass, Reason::NotIp));
        };
        self.counts.padded = self.counts.padded.saturating_add(u64::from(carried.padded));
        self.counts.shortened = self.counts.shortened.saturating_add(u64::from(carried.shortened));
        self.came = Headers::of(&self.frame);
        if self.auto
            && let Some(headers) = &mut self.came
        {
            stand_in::stand_in(&mut self.frame, headers, &self.book, self.engines.maps())?;
        }
        let (tick, random) = (tick(frame.time), self.random.word());
        let made = self.engines.run(tick, random, &self.frame, &mut self.out)?;
        let (verdict, reason) = match made {
            Made::Alike(verdict, reason) => (verdict, reason),
            Made::Different(rans) => {
                let [user, kernel] = *rans;
                let frame = frame.number;
                return Err(ReplayError::Differ(Box::new(Difference { frame, user, kernel })));
            }
        };
        let events = self.engines.drain()?;
        self.counts.events = self.counts.events.saturating_add(events);
        self.left = match verdict {
            Verdict::Drop => None,
            Verdict::Pass | Verdict::Transmit | Verdict::Redirect => Headers::of(&self.out),
        };
        Ok(self.done(verdict, reason))
    }

    /// What the packets so far came to.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Engine`] where the kernel's tables cannot be read.
    pub fn summary(&self) -> Result<Summary, ReplayError> {
        let flows = self.engines.maps().flows()?;
        let mut summary = self.counts.summary(&self.book, flows.iter().map(|(key, _)| key.kind()));
        summary.restored = self.restored;
        summary.left_out = self.left_out;
        Ok(summary)
    }

    fn done(&mut self, verdict: Verdict, reason: Reason) -> Step<'_> {
        let (service, endpoint) = self.who(verdict, reason);
        self.counts.count(verdict, reason, self.came.as_ref(), service, endpoint);
        Step { verdict, reason, service, endpoint, replay: self }
    }

    /// The service and the endpoint that a packet is between, by the addresses it came with and left with.
    fn who(&self, verdict: Verdict, reason: Reason) -> (Option<usize>, Option<usize>) {
        let Some(came) = &self.came else {
            return (None, None);
        };
        let steered = matches!(verdict, Verdict::Transmit | Verdict::Redirect);
        match (&self.left, reason) {
            (Some(left), Reason::Replied) if steered => {
                let service = self.served(&left.from(), left);
                (service, self.owner(service, &came.from()))
            }
            (Some(left), Reason::Pinned | Reason::Placed | Reason::Hashed) if steered => {
                let service = self.served(&came.to(), came);
                (service, self.owner(service, &left.to()))
            }
            _ => (self.served(&came.to(), came), None),
        }
    }

    fn served(&self, end: &End, headers: &Headers) -> Option<usize> {
        let found = self.book.at(end).map(|(service, _)| service);
        // A tunnel's sender chooses its source port (TS 29.281 4.4.2).
        let gtpu = headers.protocol == protocol::UDP && headers.destination_port == gtpu::PORT;
        found.or_else(|| {
            let end = End { port: gtpu::PORT, ..*end };
            self.book.at(&end).map(|(service, _)| service).filter(|_| gtpu)
        })
    }

    fn owner(&self, service: Option<usize>, end: &End) -> Option<usize> {
        let service = service?;
        let port = match self.book.service(service)?.kind {
            Kind::Gtpu => gtpu::PORT,
            Kind::Flow | Kind::Sctp => end.port,
        };
        self.book.endpoint(service, end.address, port)
    }
}

impl Step<'_> {
    /// The packet as it leaves; empty where it is dropped. A frame that carries no IP or ARP is as it was captured.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.replay.out
    }

    /// The frame as steering got it: as Ethernet carries it, and in [`Replay::auto`] as the endpoint would have sent it.
    #[must_use]
    pub fn presented(&self) -> &[u8] {
        &self.replay.frame
    }

    /// The name of the service that the packet is for, or from.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        let service = self.replay.book.service(self.service?)?;
        Some(&service.name)
    }

    /// The name of the endpoint that it goes to, or comes from; `None` where it is not forwarded.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        let service = self.replay.book.service(self.service?)?;
        Some(&service.endpoints.get(self.endpoint?)?.name)
    }

    /// The pin that it was steered by.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Engine`] where the kernel's tables cannot be read.
    pub fn pin(&self) -> Result<Option<Pin>, ReplayError> {
        let replay = self.replay;
        let (Some(service), Some(came), Some(left)) = (self.service, &replay.came, &replay.left) else {
            return Ok(None);
        };
        let steered = pin::Steered {
            reason: self.reason,
            service,
            endpoint: self.endpoint,
            came,
            left,
            frame: &replay.frame,
        };
        Ok(pin::pin(&steered, &replay.book, replay.engines.maps())?)
    }
}

/// Steering's clock (ticks of 2^30 ns) at a capture's time; it goes around after 146 years.
fn tick(time: Duration) -> u32 {
    (time.as_nanos() >> 30) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_ticks_every_2_to_the_30_ns() {
        assert_eq!(tick(Duration::from_nanos((7 << 30) - 1)), 6);
        assert_eq!(tick(Duration::from_nanos(7 << 30)), 7);
    }
}
