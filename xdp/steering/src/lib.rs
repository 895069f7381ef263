#![no_std]
#![forbid(unsafe_code)]
#![allow(clippy::cast_lossless, reason = "From is not const, and one spelling serves const and other functions")]
//! The steering decision of Pinion: what becomes of one packet.
//!
//! The crate knows neither kernel nor operating system. It is generic over a [`Packet`] (bounds-checked
//! bytes) and a set of [`Tables`] (services, pins, next hops, a clock), so that the code which forwards
//! inside XDP is the code that tests, fuzzers and `pinion replay` run.
//!
//! A packet takes three phases, and only the last one stores:
//!
//! 1. [`parse`] reads the headers into [`Facts`];
//! 2. a protocol's room ([`flow`], [`gtpu`], [`sctp`]) decides on a [`Plan`];
//! 3. [`apply`] carries the plan out.
//!
//! [`steer`] does all three for the packets that matter. What is seldom (a handshake, a neighbour's
//! question) it hands back as [`Step::Rare`]; [`rare`] finishes it. In the kernel each rare path is a
//! function of its own that the verifier checks once; on the host [`run`] calls it directly.

mod address;
mod answer;
mod apply;
mod cached;
mod checksum;
mod choose;
pub mod crc32c;
mod facts;
pub mod flow;
mod fragment;
pub mod gtpu;
pub mod hop;
mod icmp;
mod neighbour;
mod next;
mod packet;
mod plan;
mod reason;
mod reject;
pub mod sctp;
mod tables;
mod values;
mod verdict;
mod walk;

pub use address::Address;
pub use apply::apply;
pub use choose::{MOST, Search, mix};
pub use facts::{Facts, parse};
use next::{Cached, Next, Planned};
pub use packet::{Packet, REACH, Round};
pub use plan::{Face, Plan};
pub use reason::Reason;
pub use tables::{Ask, Insert, Route, Tables};
pub use values::{
    BANKS, ERRORS_MOST, Exhausted, FILTERS_MOST, Filter, FilterKey, Flow, FlowKey, FlowKind, Fragment,
    FragmentKey, Heard, Kind, Link, LongKey, MAX_PATHS, NextHop, Parts, Pin, PinKey, Placement, SERVICES_MOST,
    Service, ServiceKey, ShortKey, ShortPinKey, Source, SourceKey, State, TOLD_MOST, Target, Unknown, protocol,
};
pub use verdict::{Outcome, Rare, Step, Verdict};
pub use walk::Walk;

/// What one packet's phases hand to each other.
///
/// It lies in a per-CPU map in the kernel, because BPF's stack ends at 512 bytes.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Work {
    /// What [`parse`] read.
    pub facts: Facts,
    /// What a protocol's room decided.
    pub plan: Plan,
    /// Where the packet goes next.
    pub hop: NextHop,
    /// How far a loop over the packet has come.
    pub walk: Walk,
    /// How far a loop over endpoints has come.
    pub search: Search,
    /// What is in a tunnel.
    pub inner: gtpu::Inner,
}

/// Steers one packet: parse, decide, apply.
///
/// This is for the packet that nearly all are: untagged IPv4 without options, of a session that is known, to a
/// next hop that is known. Its offsets are constants to the compiler, and what it learns stays in registers.
/// Where it returns a rare path, nothing was stored, and [`steer_general`] begins again.
///
/// What it sends it has counted. The outcomes of [`steer_general`] and [`rare`] are not yet counted: whoever binds
/// these to its host counts [`Outcome::reason`] once.
#[inline(always)]
pub fn steer<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Step {
    let mut facts = Facts::default();
    match facts::common(packet, &mut facts) {
        Ok(()) => forward(packet, tables, &mut facts),
        Err(step) => step,
    }
}

/// Decides and applies. Each protocol has its own end of the way, so that the compiler keeps apart what only
/// one of them needs.
#[inline(always)]
fn forward<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &mut Facts) -> Step {
    let plan = &mut Plan::default();
    match facts.protocol {
        protocol::UDP if facts.destination_port() == gtpu::PORT => {
            gtpu::decide::<P, T, Cached>(packet, tables, facts, plan)
        }
        protocol::UDP => flow::decide::<P, T, Cached>(packet, tables, facts, plan),
        protocol::TCP => flow::decide::<P, T, Cached>(packet, tables, facts, plan),
        // A handshake is finished elsewhere: looking its pin up here would only cost twice.
        protocol::SCTP if sctp::is_control(facts.kind) => Step::rare(Rare::General),
        protocol::SCTP => sctp::steady(packet, tables, facts, plan),
        _ => Step::rare(Rare::General),
    }
}

/// As [`steer`], for every packet there is: it asks for next hops, and leaves its facts to the rare paths.
#[inline(always)]
pub fn steer_general<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Step {
    if let Err(step) = parse(packet, tables, work) {
        return step;
    }
    let (facts, plan) = (&mut work.facts, &mut work.plan);
    match facts.protocol {
        protocol::UDP if facts.destination_port() == gtpu::PORT => {
            gtpu::decide::<P, T, Planned>(packet, tables, facts, plan)
        }
        protocol::UDP | protocol::TCP => flow::decide::<P, T, Planned>(packet, tables, facts, plan),
        // It looks its pin up itself.
        protocol::SCTP if facts.kind == sctp::chunk::INIT_ACK => Step::rare(Rare::InitAck),
        protocol::SCTP => sctp::decide(packet, tables, facts, plan),
        _ => Step::pass(Reason::NotOurs),
    }
}

/// Goes a rare path, to its end or to one where others end: [`Rare::Parameters`], [`Rare::Apply`], [`Rare::Reject`],
/// [`Rare::Indicate`], [`Rare::BreakOut`].
#[inline(always)]
pub fn rare<P: Packet, T: Tables>(rare: Rare, packet: &mut P, tables: &T, work: &mut Work) -> Step {
    match rare {
        // Both hosts have come further before they ask.
        Rare::None | Rare::General => Step::drop(Reason::Inconsistent),
        Rare::Apply => Step::done(apply(packet, tables, work)),
        Rare::Place => flow::place(packet, tables, work),
        Rare::Tunnel => gtpu::place(packet, tables, work),
        Rare::Echo => Step::done(gtpu::echo(packet, work)),
        Rare::Indication => gtpu::relay(packet, tables, work),
        Rare::Classify => gtpu::classify(packet, tables, work),
        Rare::BreakOut => Step::done(gtpu::break_out(packet, tables, work)),
        Rare::Indicate => Step::done(gtpu::indicate(packet, tables, work)),
        Rare::Init => sctp::init(packet, tables, work),
        Rare::InitAck => sctp::init_ack(packet, tables, work),
        Rare::Parameters => sctp::parameters(packet, tables, work),
        Rare::Control => sctp::control(packet, tables, work),
        Rare::OutOfBlue => sctp::out_of_the_blue(packet, tables, work),
        Rare::Reset => flow::reset(packet, tables, work),
        Rare::Unreachable => Step::done(icmp::unreachable(packet, tables, work)),
        Rare::Follow => fragment::follow(packet, tables, work),
        Rare::Refused => Step::done(facts::refused(tables, work)),
        Rare::Arp => Step::done(neighbour::arp(packet, tables, work)),
        Rare::Solicitation => Step::done(neighbour::solicitation(packet, tables, work)),
        Rare::Reject => Step::done(reject::reject(packet, tables, work)),
    }
}

/// How many steps a round of a loop takes.
///
/// In the kernel a round costs two calls, and a call with its return as much as a step.
pub(crate) const STEPS: u32 = 8;

/// One round of a loop; `false` ends it.
#[inline(always)]
pub fn round<P: Packet, T: Tables>(round: Round, packet: &mut P, tables: &T, work: &mut Work) -> bool {
    let mut left = match round {
        Round::Least | Round::Sum | Round::Element | Round::Inner | Round::Filter => 1,
        _ => STEPS,
    };
    while left > 0 {
        let goes_on = match round {
            Round::Extension => facts::extension(packet, work),
            Round::Scan => sctp::scan(packet, work),
            Round::Rewrite => sctp::rewrite(packet, tables, work),
            Round::Mask => sctp::mask(packet, tables, work),
            Round::Least => choose::least(tables, work),
            Round::Element => gtpu::element(packet, work),
            Round::Inner => gtpu::extension(packet, work),
            Round::Filter => gtpu::filter(tables, work),
            Round::Sum => reject::sum(packet, work),
        };
        if !goes_on {
            return false;
        }
        left -= 1;
    }
    true
}

/// Steers one packet to its end, and counts: the way of hosts that need no separate rare paths.
pub fn run<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Outcome {
    let mut work = Work::default();
    let step = steer(packet, tables);
    if step.rare == Rare::None {
        return step.outcome;
    }
    let mut step = steer_general(packet, tables, &mut work);
    while step.rare != Rare::None {
        step = rare(step.rare, packet, tables, &mut work);
    }
    tables.count(step.outcome.reason);
    step.outcome
}
