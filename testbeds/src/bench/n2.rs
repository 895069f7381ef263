//! The N2 front end in memory: how many messages it takes, whether many AMFs make it slower, what a UE costs.
//!
//! Its peers remember nothing, so that what is measured is the front end: each answer is made from what it answers.

mod peers;

use std::time::{Duration, Instant};

use bytes::Bytes;
use pinion_n2::{Amf, FrontEnd, Leg, Output, Settings};
use pinion_simulators::n2::messages::ng_setup;

use super::{BenchError, Report, memory};
use crate::cases::dice::Dice;
use peers::Peers;

/// Streams of each association.
const STREAMS: u16 = 64;
/// Uplink messages of UEs that are measured.
const TALK: u32 = 200_000;
/// UEs that come and go.
const LIVES: u32 = 50_000;

/// Runs the bench.
pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    let few = Stage::new(16, 2).talk(100);
    report.row("n2/messages", "messages/s", few, None, "at least 300000");
    let many = Stage::new(16, 64).talk(100);
    report.row("n2/messages-64-amfs", "messages/s", many, Some(few), "ratio at least 0.8");
    report.row("n2/lives", "messages/s", Stage::new(16, 2).lives(), None, "");
    report.row("n2/added-p99", "us", Stage::new(16, 2).added_p99(100), None, "at most 50");
    report.row("n2/ue", "bytes", ue_size()?, None, "at most 1024");
    Ok(())
}

/// A front end between peers that remember nothing.
struct Stage {
    front_end: FrontEnd,
    peers: Peers,
    gnbs: u32,
    /// How long the front end took, and for how many messages of peers.
    spent: Duration,
    messages: u64,
    /// What gNBs know UEs by: association, AMF UE NGAP ID and RAN UE NGAP ID.
    told: Vec<(u64, u64, u32)>,
    ran: u32,
}

impl Stage {
    /// gNBs that are set up with AMFs.
    fn new(gnbs: u32, amfs: u16) -> Self {
        let mut stage = Self {
            front_end: FrontEnd::new(settings(amfs), 7),
            peers: Peers::default(),
            gnbs,
            spent: Duration::ZERO,
            messages: 0,
            told: Vec::new(),
            ran: 0,
        };
        for gnb in 1..=gnbs {
            stage.front_end.accepted(Duration::ZERO, gnb.into(), STREAMS);
            stage.take(Leg::Gnb(gnb.into()), 0, &ng_setup(gnb));
        }
        stage
    }

    /// Gives it a message of a peer, and what the others answer to what comes out.
    fn take(&mut self, leg: Leg, stream: u16, bytes: &Bytes) {
        let mut waiting = vec![(leg, stream, bytes.clone())];
        while let Some((leg, stream, bytes)) = waiting.pop() {
            let begun = Instant::now();
            self.front_end.receive(Duration::ZERO, leg, stream, 60, &bytes);
            self.spent += begun.elapsed();
            self.messages += 1;
            loop {
                let begun = Instant::now();
                let output = self.front_end.output();
                self.spent += begun.elapsed();
                match output {
                    None => break,
                    Some(Output::Open { upstream, amf }) => {
                        self.peers.open(upstream, &amf);
                        self.front_end.connected(Duration::ZERO, upstream, STREAMS);
                    }
                    Some(Output::Send { leg: Leg::Gnb(gnb), bytes, .. }) => {
                        self.told.extend(peers::known(&bytes).map(|(id, ran)| (gnb, id, ran)));
                    }
                    Some(Output::Send { leg: leg @ Leg::Amf(upstream), stream, bytes }) => {
                        let answer = self.peers.answer(upstream, &bytes);
                        waiting.extend(answer.map(|answer| (leg, stream, answer)));
                    }
                    Some(Output::Close { .. } | Output::Amf { .. }) => {}
                }
            }
        }
    }

    /// So many UEs come to each gNB.
    fn come(&mut self, ues: u32) {
        for _ in 0..ues {
            for gnb in 1..=self.gnbs {
                self.ran += 1;
                self.take(Leg::Gnb(gnb.into()), 1 + stream(self.ran), &peers::initial(self.ran));
            }
        }
    }

    /// Messages a second, of UEs that send and are answered.
    fn talk(mut self, ues: u32) -> f64 {
        self.come(ues);
        let known = std::mem::take(&mut self.told);
        (self.spent, self.messages) = (Duration::ZERO, 0);
        for (number, &(gnb, id, ran)) in (0..TALK).zip(known.iter().cycle()) {
            self.take(Leg::Gnb(gnb), 1 + stream(ran), &peers::uplink(id, ran));
            if number % 1_024 == 0 {
                self.told.clear();
            }
        }
        self.messages as f64 / self.spent.as_secs_f64()
    }

    /// Microseconds that 99 of 100 messages of UEs, and what answers them, wait for the front end and are in it at most, where
    /// they come at random times and half as many as it could take.
    fn added_p99(mut self, ues: u32) -> f64 {
        self.come(ues);
        let known = std::mem::take(&mut self.told);
        let mut took = Vec::with_capacity(TALK as usize);
        for (number, &(gnb, id, ran)) in (0..TALK).zip(known.iter().cycle()) {
            self.spent = Duration::ZERO;
            self.take(Leg::Gnb(gnb), 1 + stream(ran), &peers::uplink(id, ran));
            took.push(self.spent.as_secs_f64());
            if number % 1_024 == 0 {
                self.told.clear();
            }
        }
        let apart = 2.0 * took.iter().sum::<f64>() / f64::from(TALK);
        let mut dice = Dice::new(1);
        let mut busy = 0.0;
        let mut waited: Vec<f64> = took
            .into_iter()
            .map(|took| {
                busy += took;
                let waited = busy;
                // Times between what comes independently are distributed exponentially.
                let unit = dice.roll() as f64 / u64::MAX as f64;
                busy = (busy + apart * unit.max(f64::EPSILON).ln()).max(0.0);
                waited * 1e6
            })
            .collect();
        waited.sort_unstable_by(f64::total_cmp);
        waited.get(waited.len() * 99 / 100).copied().unwrap_or(f64::NAN)
    }

    /// Messages a second, of UEs that come, and are released.
    fn lives(mut self) -> f64 {
        (self.spent, self.messages) = (Duration::ZERO, 0);
        for _ in 0..LIVES / self.gnbs {
            self.come(1);
            for (gnb, id, ran) in std::mem::take(&mut self.told) {
                self.take(Leg::Gnb(gnb), 1 + stream(ran), &peers::released(id, ran));
            }
        }
        self.messages as f64 / self.spent.as_secs_f64()
    }
}

fn stream(ran: u32) -> u16 {
    u16::try_from(ran % u32::from(STREAMS - 1)).unwrap_or_default()
}

/// Bytes of memory that a UE takes, where 1,000 gNBs have 100 each.
fn ue_size() -> Result<f64, BenchError> {
    let (gnbs, ues) = (1_000, 100);
    let mut stage = Stage::new(gnbs, 2);
    stage.told.reserve_exact((gnbs * ues) as usize);
    stage.told.resize((gnbs * ues) as usize, (0, 0, 0));
    stage.told.clear();
    let before = memory()?;
    stage.come(ues);
    let after = memory()?;
    let here = stage.front_end.ue_count();
    if here != (gnbs * ues) as usize {
        return Err(BenchError::Missing(format!("{here} UEs of {} are there", gnbs * ues)));
    }
    Ok(after.saturating_sub(before) as f64 / f64::from(gnbs * ues))
}

fn settings(amfs: u16) -> Settings {
    Settings::new("pinion", (0..amfs).map(|number| Amf::new(format!("amfs/{number}"))).collect())
}
