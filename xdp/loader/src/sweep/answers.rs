//! Whether endpoints answer at all, by what the pins of a pass through the flows say.

use std::collections::{BTreeMap, HashMap};

use pinion_steering::{Address, Flow, FlowKey, Parts, State, Target};

/// What the pins of a pass have said so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// By an endpoint's index in `TARGETS` on path 0.
    endpoints: HashMap<u32, Tally>,
    /// UDP's and TCP's pins of replies know their endpoint by address, port and service alone.
    replies: HashMap<(Address, u16, u16), Tally>,
    owners: HashMap<(Address, u16, u16), u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    answered: bool,
    waiting: u64,
}

impl Tally {
    fn add(&mut self, answered: bool, waits: bool) {
        self.answered |= answered;
        self.waiting = self.waiting.saturating_add(u64::from(!answered && waits));
    }
}

impl Answers {
    /// Takes a pin in. `waits` says that it has been there for long enough to be answered; `target` is what it leads to.
    pub(super) fn add(&mut self, key: &FlowKey, flow: &Flow, target: &Target, waits: bool) {
        let opening = flow.state == State::Opening as u8;
        match key.parts() {
            // The client of a connection goes on once it has an answer; a datagram's does not mind.
            Parts::Tuple { protocol, .. } if flow.reply == 0 => {
                self.owners.insert((target.address, target.port, flow.service), target.owner);
                let answered =
                    protocol == pinion_steering::protocol::TCP && flow.state == State::Established as u8;
                self.endpoints.entry(target.owner).or_default().add(answered, false);
            }
            Parts::Tuple { far: (address, port), .. } => {
                self.replies.entry((address, port, flow.service)).or_default().add(!opening, waits);
            }
            Parts::Association { .. } if flow.reply != 0 => {
                self.endpoints.entry(flow.from).or_default().add(!opening, waits);
            }
            Parts::Association { .. } | Parts::Peer { .. } | Parts::Tunnel { .. } => {}
        }
    }

    /// The endpoints of which no reply was seen at all, and how many sessions wait for one.
    pub(super) fn silent(mut self) -> BTreeMap<u32, u64> {
        for (key, tally) in self.replies {
            if let Some(owner) = self.owners.get(&key) {
                let whole = self.endpoints.entry(*owner).or_default();
                whole.answered |= tally.answered;
                whole.waiting = whole.waiting.saturating_add(tally.waiting);
            }
        }
        let silent = self.endpoints.into_iter().filter(|(_, tally)| !tally.answered && tally.waiting > 0);
        silent.map(|(endpoint, tally)| (endpoint, tally.waiting)).collect()
    }
}
