//! Whatever is asked for, in whatever order answers and tunnels come: what must always hold, does.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use pinion_n4::Settings;
use pinion_protocols::pfcp::MessageType;

use crate::loss::many;
use crate::smf::{CHOOSE, Smf, create_far, create_pdr, remove_pdr, user_pdr};
use crate::stage::{HEARTBEAT, Host, N1, Stage, T1, settings, upf_address};
use crate::upf::Mood;

/// What is done next.
struct Play {
    stage: Stage,
    smfs: Vec<Smf>,
    /// SEIDs here that SMFs were told.
    known: Vec<(usize, u64)>,
    next_seid: u64,
}

impl Play {
    fn new(restore: bool) -> Self {
        let (mut stage, first) = Stage::set_up(Settings { restore, ..settings(3) });
        let mut second = Smf { sequence: 1, ..Smf::new(2) };
        stage.ask(&second, &second.setup(7));
        second.sequence += 1;
        stage.host = Host::Waits;
        stage.slow = true;
        Self { stage, smfs: vec![first, second], known: Vec::new(), next_seid: 1 }
    }

    fn step(&mut self, what: u8, which: u8) {
        let which = usize::from(which);
        let by = which % 2;
        let session = self.known.get(which % self.known.len().max(1)).copied();
        let smf = &mut self.smfs[session.filter(|_| what % 16 > 3).map_or(by, |(smf, _)| smf)];
        smf.sequence += 1;
        let address = smf.address;
        let rule = u16::from(what % 4) + 1;
        let request = match (what % 16, session) {
            (0..=2, _) => {
                self.next_seid += 1;
                Some(smf.establish(self.next_seid, |writer| {
                    create_pdr(writer, 1, Some(CHOOSE));
                    user_pdr(writer, 9, Some(Ipv4Addr::new(10, 45, 0, 2)));
                    create_far(writer, 1);
                }))
            }
            (3, _) if which == 7 => Some(smf.setup(7)),
            (4 | 5, Some((_, seid))) => Some(smf.modify(seid, |writer| create_pdr(writer, rule, Some(CHOOSE)))),
            (6, Some((_, seid))) => Some(smf.modify(seid, |writer| remove_pdr(writer, rule))),
            (7, Some((_, seid))) => Some(smf.delete(seid)),
            _ => None,
        };
        if let Some(request) = request {
            self.stage.receive(address, &request);
        }
        match what % 16 {
            8..=10 => self.stage.deliver(which),
            11 | 12 => self.stage.install(),
            13 => self.stage.pass(Duration::from_secs(1)),
            14 if which % 8 == 0 => self.stage.refuse(),
            15 if which % 4 == 0 => {
                let upf = &mut self.stage.upfs[which / 4 % 3];
                match upf.mood {
                    Mood::Answers => upf.mood = Mood::IsSilent,
                    _ => {
                        upf.restart();
                        upf.mood = Mood::Answers;
                    }
                }
            }
            _ => {}
        }
        self.learn();
    }

    fn learn(&mut self) {
        for (number, smf) in self.smfs.iter().enumerate() {
            for answer in self.stage.answers(smf.address) {
                if let (MessageType::SessionEstablishmentResponse, Some(session)) =
                    (answer.kind(), answer.f_seid())
                {
                    self.known.push((number, session.seid));
                }
            }
        }
        self.stage.inbox.clear();
    }

    /// All answers come, and all tunnels are put into force.
    fn calm(&mut self) {
        self.stage.slow = false;
        self.stage.host = Host::PutsIntoForce;
        for upf in &mut self.stage.upfs {
            upf.mood = Mood::Answers;
        }
        while !self.stage.batches.is_empty() || !self.stage.post.is_empty() {
            self.stage.install();
            self.stage.deliver(0);
        }
        self.stage.live(3 * HEARTBEAT + T1 * N1 * 3);
    }

    /// Pins are those of sessions, and nothing is under way that was not asked a moment ago.
    fn check(&self) {
        check_pins(&self.stage);
        crate::takeover::check_kept(&self.stage);
        let backlog = self.stage.front_end.backlog();
        assert_eq!((backlog.batches, backlog.chores, backlog.homeless), (0, 0, 0));
        let counted: u32 = self.stage.front_end.upfs().map(|upf| upf.sessions).sum();
        assert_eq!(counted as usize, self.stage.front_end.session_count());
    }
}

/// Pins are those of sessions.
pub(crate) fn check_pins(stage: &Stage) {
    let told: BTreeSet<_> =
        stage.sessions().iter().flat_map(|it| it.tunnels.clone()).flat_map(|it| it.at).collect();
    let pinned: BTreeSet<_> = stage.pins.keys().copied().collect();
    assert_eq!(told, pinned);
    for session in stage.sessions() {
        for tunnel in &session.tunnels {
            for at in &tunnel.at {
                assert_eq!(stage.pins[at], (session.upf.0.clone(), tunnel.upf_teid));
            }
        }
    }
}

/// The stage asserts with every message to an SMF that the tunnels that it tells of lead somewhere at that moment.
#[test]
fn no_answer_before_its_tunnels_in_any_order() {
    bolero::check!().with_type::<(bool, Vec<(u8, u8)>)>().for_each(|(restore, steps)| {
        let mut play = Play::new(*restore);
        for (what, which) in steps {
            play.step(*what, *which);
        }
        play.calm();
        play.check();
    });
}

/// Long plays, of the same kind.
#[test]
fn long_plays_end_as_they_should() {
    for seed in 0..40_u64 {
        let mut play = Play::new(seed % 2 == 0);
        let mut state = seed;
        for _ in 0..600 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [what, which, ..] = (state ^ state >> 29).to_be_bytes();
            play.step(what, which);
        }
        play.calm();
        play.check();
    }
}

/// Counted, not timed: a restart costs one message for each session, and so does a loss.
#[test]
fn a_loss_costs_as_many_messages_as_there_are_sessions() {
    let costs = [100_u64, 200].map(|count| {
        let (mut stage, mut smf) = Stage::set_up(settings(1));
        many(&mut stage, &mut smf, count);
        let before = stage.front_end.counts().sent;
        smf.sequence += 1;
        stage.ask(&smf, &smf.setup(8));
        stage.front_end.counts().sent - before
    });
    assert_eq!(costs, [101, 201]);
    let costs = [100_u64, 200].map(|count| {
        let (mut stage, mut smf) = Stage::set_up(Settings { restore: true, ..settings(2) });
        many(&mut stage, &mut smf, 2 * count);
        let said = stage.upfs[1].heard.len();
        stage.upfs[0].mood = Mood::IsSilent;
        let node = stage.upfs[0].node();
        let release = stage.upfs[0].request(MessageType::AssociationReleaseRequest, None, |writer| {
            writer.add(&node);
        });
        stage.receive(upf_address(1), &release);
        stage.upfs[1].heard.len() - said
    });
    assert_eq!(costs, [100, 200]);
}
