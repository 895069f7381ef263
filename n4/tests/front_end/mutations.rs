//! Messages of a live exchange, damaged: nothing panics, nothing grows, and other SMFs' sessions stay as they were.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use pinion_exchange::damage::Dice;
use pinion_n4::{Bounds, SessionView, Settings, Upf};
use pinion_protocols::pfcp::{Cause, Element, ElementType, FTeid, MessageType};

use crate::random::check_pins;
use crate::smf::{CHOOSE, Smf, create_far, create_pdr, forward, header, pdr, remove_pdr, user_pdr};
use crate::stage::{Stage, settings, upf, upf_address};

/// Those whose sessions are to stay as they are are on UPF 3; all others on 1 and 2.
const THEIR_UPF: u8 = 3;
const SESSIONS: u32 = 40;

struct Exchange {
    stage: Stage,
    dice: Dice,
    smf: Smf,
    others: Vec<SessionView>,
    /// What the SMF knows of its sessions: SEIDs here, and F-TEIDs.
    known: Vec<(u64, FTeid)>,
    seid: u64,
}

fn open_upfs(open: [bool; 3], restore: bool) -> Settings {
    let upfs = (1..=3).zip(open).map(|(number, open)| Upf { drained: !open, ..upf(number) }).collect();
    let bounds = Bounds { sessions: SESSIONS, smfs: 8, answers: 256, chores: 16 };
    Settings { upfs, bounds, restore, ..settings(3) }
}

impl Exchange {
    fn new(seed: u64) -> Self {
        let restore = seed.is_multiple_of(2);
        let mut stage = Stage::new(open_upfs([false, false, true], restore));
        stage.pass(Duration::ZERO);
        // No damage makes another name of an address.
        let mut other = Smf { name: Some(b"\x05smf-a\x07example"), ..Smf::new(40) };
        stage.ask(&other, &other.setup(7));
        for seid in 1..=4 {
            other.sequence += 1;
            assert_eq!(stage.ask(&other, &other.simple(seid)).cause(), Some(Cause::ACCEPTED));
        }
        stage.front_end.configure(open_upfs([true, true, false], restore));
        let others = stage.sessions();
        Self { stage, dice: Dice::new(seed), smf: Smf::new(1), others, known: Vec::new(), seid: 100 }
    }

    /// What the SMF or UPF 1 would say next, and from where.
    fn next(&mut self) -> (IpAddr, Vec<u8>) {
        self.smf.sequence = (self.smf.sequence + 1) % (1 << 24);
        let smf = &self.smf;
        let known = self.known.get(self.dice.below(self.known.len())).copied();
        let (here, tunnel) = known.unwrap_or((0, CHOOSE));
        let upf = &mut self.stage.upfs[0];
        let to_upf = upf.sessions.values().nth(self.dice.below(upf.sessions.len())).copied().unwrap_or(0);
        let node = upf.node();
        let from_smf = match self.dice.below(16) {
            0 => smf.setup_retaining(7),
            1..=3 => {
                self.seid += 1;
                smf.establish(self.seid, |writer| {
                    create_pdr(writer, 1, Some(CHOOSE));
                    create_pdr(writer, 2, Some(FTeid::Choose { v4: true, v6: true, id: Some(4) }));
                    user_pdr(writer, 3, Some(Ipv4Addr::new(10, 45, 0, 2)));
                    create_far(writer, 1);
                })
            }
            4 => smf.modify(here, |writer| create_pdr(writer, 5, Some(CHOOSE))),
            5 => smf.modify(here, |writer| pdr(writer, ElementType::UpdatePdr, 1, Some(tunnel))),
            6 => smf.modify(here, |writer| remove_pdr(writer, 5)),
            7 => smf.modify(here, |writer| {
                if let FTeid::Given { teid, addresses } = tunnel {
                    forward(writer, header(teid, addresses));
                }
            }),
            8 | 9 => smf.delete(here),
            10 => smf.heartbeat(7),
            11 => smf.request(MessageType::PfdManagementRequest, None, |writer| {
                writer.nested(ElementType::ApplicationIdPfds, |writer| {
                    writer.element(ElementType::ApplicationId, |out| out.extend_from_slice(b"video"));
                });
            }),
            12 => smf.request(MessageType::AssociationUpdateRequest, None, |writer| {
                writer.add(&smf.node()).add(&Element::AlternativeSmfAddress(smf.address.into()));
                writer.element(ElementType::CpFunctionFeatures, |out| out.extend_from_slice(&[7]));
            }),
            13 => return (upf_address(1), upf.report(to_upf, 1)),
            14 => {
                let report = upf.request(MessageType::NodeReportRequest, None, |writer| {
                    writer.add(&node).add(&Element::NodeReportType(1));
                });
                return (upf_address(1), report);
            }
            _ => {
                let stamp = upf.stamp;
                let beat = upf.request(MessageType::HeartbeatRequest, None, |writer| {
                    writer.add(&Element::RecoveryTimeStamp(stamp));
                });
                return (upf_address(1), beat);
            }
        };
        (smf.address, from_smf)
    }

    fn step(&mut self) {
        let (from, mut bytes) = self.next();
        if self.dice.below(8) == 0 {
            // A bundle.
            bytes[0] |= 4;
            let (_, more) = self.next();
            bytes.extend(more);
        }
        let damaged = self.dice.below(4) != 0;
        if damaged {
            self.dice.damage(&mut bytes);
        }
        // Now and then the UPF's answer is what is damaged.
        self.stage.slow = self.dice.below(4) == 0;
        self.stage.receive(from, &bytes);
        let damages = std::mem::take(&mut self.stage.slow);
        for (upf, mut answer) in std::mem::take(&mut self.stage.post) {
            if damages && self.dice.below(2) == 0 && upf.ip() != upf_address(THEIR_UPF) {
                self.dice.damage(&mut answer);
            }
            self.stage.receive(upf.ip(), &answer);
        }
        self.stage.pass(Duration::from_millis(20));
        self.learn();
    }

    fn learn(&mut self) {
        for (_, said) in std::mem::take(&mut self.stage.inbox) {
            if said.kind() == MessageType::SessionEstablishmentResponse
                && let (Some(session), Some(tunnel)) = (said.f_seid(), said.tunnels().first())
            {
                self.known.push((session.seid, *tunnel));
            }
        }
        let surplus = self.known.len().saturating_sub(32);
        self.known.drain(..surplus);
        for upf in &mut self.stage.upfs {
            upf.heard.clear();
        }
    }

    fn check(&self) {
        let theirs: Vec<_> = self.stage.sessions().into_iter().take(self.others.len()).collect();
        assert_eq!(theirs, self.others);
        for at in theirs.iter().flat_map(|session| &session.tunnels).flat_map(|tunnel| &tunnel.at) {
            assert!(self.stage.pins.contains_key(at));
        }
        assert_eq!(self.stage.upfs[2].sessions.len(), 4);
        let backlog = self.stage.front_end.backlog();
        // Nothing is asked for longer than T1 x N1: 450 steps.
        assert!(backlog.asked < 4_000 && backlog.remembered <= 256, "{backlog:?}");
        assert!(backlog.batches == 0 && backlog.homeless <= SESSIONS as usize, "{backlog:?}");
        assert!(self.stage.front_end.session_count() <= SESSIONS as usize);
    }
}

/// `PINION_N4_MUTATIONS`: how many; 100,000 where it is not said.
#[test]
fn damaged_messages_harm_nobody_else() {
    let count = std::env::var("PINION_N4_MUTATIONS").ok().and_then(|it| it.parse().ok()).unwrap_or(100_000_u64);
    let seeds = count.div_ceil(5_000);
    for seed in 0..seeds {
        let mut exchange = Exchange::new(seed);
        for step in 0..count / seeds {
            exchange.step();
            if step % 16 == 0 {
                exchange.check();
            }
        }
        // All calms down: nothing is left of what was under way, and others go on as if nothing had been.
        exchange.stage.live(Duration::from_secs(60));
        exchange.check();
        check_pins(&exchange.stage);
        let backlog = exchange.stage.front_end.backlog();
        assert_eq!((backlog.asked, backlog.remembered, backlog.chores, backlog.homeless), (0, 0, 0, 0), "{seed}");
        let mut other = Smf { sequence: 1_000, ..Smf::new(40) };
        for session in exchange.others {
            other.sequence += 1;
            let answer = exchange.stage.ask(&other, &other.delete(session.seid));
            assert_eq!((answer.cause(), answer.message().seid()), (Some(Cause::ACCEPTED), Some(session.smf.1)));
        }
    }
}
