//! Messages of a live exchange, damaged: nothing panics, nothing grows, and other clients' sessions stay as they were.

use std::net::IpAddr;
use std::time::Duration;

use bolero::check;
use pinion_exchange::damage::Dice;
use pinion_gtpc::{Bounds, SessionView, Settings};
use pinion_protocols::gtpv2::{Cause, Element, ElementType, MessageType};

use crate::mme::{Mme, imsi};
use crate::stage::{N3, Stage, T3, message, settings, tunnel};

/// Users whose sessions are to stay as they are: at SGW 3, by MME 2.
const OTHERS: u32 = 4_444_444;
const SESSIONS: u32 = 40;

fn open_sgws(open: [bool; 3]) -> Settings {
    let mut settings = settings(3);
    for (endpoint, open) in settings.endpoints.iter_mut().zip(open) {
        endpoint.drained = !open;
    }
    settings.bounds = Bounds { sessions: SESSIONS, clients: 16, requests: 64, answers: 256, chores: 8 };
    settings
}

struct Exchange {
    stage: Stage,
    dice: Dice,
    others: Vec<SessionView>,
    user: u32,
}

impl Exchange {
    fn new(seed: u64) -> Self {
        let mut stage = Stage::with(open_sgws([false, false, true]));
        for user in OTHERS..OTHERS + 4 {
            stage.attach(1, user);
        }
        stage.front_end.configure(open_sgws([true, true, false]));
        let others = stage.sessions();
        Self { stage, dice: Dice::new(seed), others, user: 0 }
    }

    /// What MME 1 or one of SGW 1 and 2 would say next, and who.
    fn next(&mut self) -> (IpAddr, Vec<u8>) {
        let (turn, sgw) = (self.dice.below(16), self.dice.below(2));
        let there = self.dice.below(self.stage.sgws[sgw].users.len());
        let there = self.stage.sgws[sgw].users.keys().nth(there).copied();
        let sgw_address = self.stage.sgws[sgw].address;
        let user = self.dice.below(self.stage.mmes[0].users.len());
        let known = self.stage.mmes[0].users.keys().nth(user).copied();
        let (known, user) = (known.is_some(), known.unwrap_or(self.user));
        let mme = &mut self.stage.mmes[0];
        let from = mme.address;
        let bytes = match turn {
            0..=2 => {
                self.user += 1;
                mme.create(self.user, 5)
            }
            3 if known => mme.create(user, 6),
            4 if known => mme.modify(user, |_| {}),
            5 if known => mme.modify(user, |writer| {
                writer.add(&tunnel(10, Mme::teid(user), from));
            }),
            6 | 7 if known => {
                let bytes = mme.delete(user, 5);
                mme.users.remove(&user);
                bytes
            }
            8 if known => {
                let here = mme.users[&user];
                message(MessageType::DeleteBearerCommand, Some(here), 0x80_0000 | mme.sequence, |writer| {
                    writer.nested(ElementType::BearerContext, |writer| {
                        writer.add(&Element::EpsBearerId(6));
                    });
                })
            }
            9 => mme.request(MessageType::CreateIndirectDataForwardingTunnelRequest, 0, |writer| {
                writer.element(ElementType::Imsi, |out| out.extend_from_slice(&imsi(user)));
                writer.add(&tunnel(10, Mme::teid(user), from));
            }),
            10 => {
                // Now and then it begins anew.
                if self.dice.below(32) == 0 {
                    mme.recovery = mme.recovery.wrapping_add(1);
                    mme.users.clear();
                }
                message(MessageType::EchoRequest, None, mme.sequence, |writer| {
                    writer.add(&Element::Recovery(mme.recovery));
                })
            }
            _ => {
                let sgw = &mut self.stage.sgws[sgw];
                let mme_teid = there.and_then(|teid| sgw.users.get(&teid)).map_or(0, |it| it.mme);
                sgw.sequence += 1;
                let kind = [
                    MessageType::CreateBearerRequest,
                    MessageType::DeleteBearerRequest,
                    MessageType::DownlinkDataNotification,
                ][turn % 3];
                let bytes = message(kind, Some(mme_teid), sgw.sequence, |writer| {
                    writer.add(&Element::EpsBearerId(5));
                });
                return (sgw_address, bytes);
            }
        };
        (from, bytes)
    }

    fn step(&mut self) {
        let (from, mut bytes) = self.next();
        if self.dice.below(8) == 0 {
            bytes[0] |= 0x10;
            bytes.extend(self.next().1);
        }
        if self.dice.below(2) == 0 {
            self.dice.damage(&mut bytes);
        }
        // Now and then what an SGW answers is damaged, or does not come.
        self.stage.damages = self.dice.below(3) == 0;
        self.stage.receive(from, &bytes);
        self.stage.damages = false;
        for (from, mut answer) in std::mem::take(&mut self.stage.post) {
            if self.dice.below(2) == 0 {
                self.dice.damage(&mut answer);
            }
            self.stage.receive(from.ip(), &answer);
        }
        self.stage.pass(Duration::from_millis(200));
        for said in self.stage.sent_to(self.stage.mmes[0].address) {
            let accepted =
                said.kind() == MessageType::CreateSessionResponse && said.cause() == Some(Cause::Accepted);
            if let (true, Some(teid), Some(end)) = (accepted, said.teid(), said.tunnel(0)) {
                self.stage.mmes[0].users.insert(teid.wrapping_sub(1), end.teid);
            }
        }
        self.stage.inbox.clear();
        for sgw in &mut self.stage.sgws {
            sgw.heard.clear();
        }
        for mme in &mut self.stage.mmes {
            mme.heard.clear();
        }
    }

    fn check(&self) {
        let theirs: Vec<_> = self.stage.sessions().into_iter().take(self.others.len()).collect();
        assert_eq!(theirs, self.others);
        assert_eq!(self.stage.sgws[2].users.len(), 4);
        let backlog = self.stage.front_end.backlog();
        // Echo Requests, and ends of sessions that peers are told of, are not of the bound.
        assert!(
            backlog.asked <= 64 + 3 + 16 + 8 && backlog.remembered <= 256 && backlog.clients <= 16,
            "{backlog:?}"
        );
        assert!(self.stage.front_end.session_count() <= SESSIONS as usize);
    }
}

/// `PINION_GTPC_MUTATIONS`: how many; 50,000 where it is not said.
#[test]
fn damaged_messages_harm_nobody_else() {
    let count = std::env::var("PINION_GTPC_MUTATIONS").ok().and_then(|it| it.parse().ok()).unwrap_or(50_000_u64);
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
        exchange.stage.live(T3 * (2 * N3 + 4));
        exchange.check();
        let backlog = exchange.stage.front_end.backlog();
        assert_eq!((backlog.remembered, backlog.chores), (0, 0), "{seed}");
        assert!(backlog.asked <= 3, "only Echo Requests: {backlog:?}");
        for user in OTHERS..OTHERS + 4 {
            let (request, from) = (exchange.stage.mmes[1].delete(user, 5), exchange.stage.mmes[1].address);
            assert_eq!(exchange.stage.ask(from, &request).cause(), Some(Cause::Accepted));
        }
        assert!(exchange.stage.sgws[2].users.is_empty());
    }
}

#[test]
fn any_datagram_ends() {
    let mut stage = Stage::new(1);
    let from = stage.mmes[0].address;
    let attached = stage.attach(0, 1).tunnel(0).unwrap().teid;
    check!().for_each(|bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        if let Some(teid) = bytes.get_mut(4..8) {
            teid.copy_from_slice(&attached.to_be_bytes());
        }
        stage.front_end.receive(stage.now, (from, 2123).into(), &bytes);
        while stage.front_end.output().is_some() {}
    });
}
