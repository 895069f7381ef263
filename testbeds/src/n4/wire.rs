//! A network in memory between machines, good or bad.

use std::time::Duration;

use super::{Datagram, Machine};
use crate::cases::dice::Dice;

/// Carries datagrams; some are lost, some come twice.
#[derive(Debug)]
pub struct Wire {
    lost: usize,
    doubled: usize,
    dice: Dice,
    log: Option<Vec<Datagram>>,
}

impl Wire {
    /// A wire that loses nothing.
    #[must_use]
    pub fn perfect() -> Self {
        Self::bad(0, 0, 0)
    }

    /// A wire that loses and doubles so many of a hundred datagrams, which ones is the seed's choice.
    #[must_use]
    pub fn bad(lost: usize, doubled: usize, seed: u64) -> Self {
        Self { lost, doubled, dice: Dice::new(seed), log: None }
    }

    /// Keeps every datagram that is sent from now on, lost or not, for [`Wire::log`].
    #[must_use]
    pub fn logged(mut self) -> Self {
        self.log = Some(Vec::new());
        self
    }

    /// What was sent.
    #[must_use]
    pub fn log(&self) -> &[Datagram] {
        self.log.as_deref().unwrap_or_default()
    }

    /// What arrives of what is sent.
    pub fn carry(&mut self, sent: Vec<Datagram>) -> Vec<Datagram> {
        if let Some(log) = &mut self.log {
            log.extend(sent.iter().cloned());
        }
        if (self.lost, self.doubled) == (0, 0) {
            return sent;
        }
        let mut arrived = Vec::with_capacity(sent.len());
        for datagram in sent {
            if self.dice.chance(self.lost) {
                continue;
            }
            if self.dice.chance(self.doubled) {
                arrived.push(datagram.clone());
            }
            arrived.push(datagram);
        }
        arrived
    }

    /// Carries datagrams between machines until all are silent, at one moment. What goes to none of them is dropped.
    pub fn run(&mut self, machines: &mut [&mut dyn Machine], now: Duration) {
        loop {
            let sent: Vec<Datagram> = machines.iter_mut().flat_map(|machine| machine.take()).collect();
            if sent.is_empty() {
                return;
            }
            for datagram in self.carry(sent) {
                let to = machines.iter_mut().find(|machine| machine.socket() == datagram.to);
                if let Some(machine) = to {
                    machine.receive(datagram.from, &datagram.bytes, now);
                }
            }
        }
    }

    /// As [`Wire::run`], again and again with `step` between, from `now` to `until`.
    pub fn run_until(
        &mut self,
        machines: &mut [&mut dyn Machine],
        mut now: Duration,
        until: Duration,
        step: Duration,
    ) {
        while now <= until {
            for machine in machines.iter_mut() {
                machine.tick(now);
            }
            self.run(machines, now);
            now = now.saturating_add(step);
        }
    }
}
