//! Mode `redirect`: to each SMF the UPFs are one UP function, and sessions are only placed.

mod function;
mod members;
mod sessions;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use pinion_n4::{Mode, Settings};
use pinion_protocols::pfcp::{Cause, MessageType};

use crate::smf::Smf;
use crate::stage::{Said, Stage, settings, upf_address};
use crate::upf::ScriptedUpf;

/// The Node ID that the UPFs share.
const SHARED: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 99));

fn redirecting(upfs: u8) -> Settings {
    Settings { mode: Mode::Redirect, user_plane: Vec::new(), ..settings(upfs) }
}

/// UPFs that say that they are one, and an SMF with an association.
fn set_up(upfs: u8) -> (Stage, Smf) {
    let mut stage = members(upfs);
    let mut smf = Smf::new(1);
    assert_eq!(stage.ask(&smf, &smf.setup(7)).cause(), Some(Cause::ACCEPTED));
    smf.sequence += 1;
    (stage, smf)
}

/// UPFs that say that they are one, and answer to heartbeats.
fn members(upfs: u8) -> Stage {
    let mut stage = Stage::new(redirecting(upfs));
    stage.upfs.iter_mut().for_each(|upf| upf.node = SHARED);
    stage.pass(Duration::ZERO);
    stage
}

/// Asks with the next number.
fn ask(stage: &mut Stage, smf: &mut Smf, request: impl FnOnce(&Smf) -> Vec<u8>) -> Said {
    smf.sequence += 1;
    stage.ask(smf, &request(smf))
}

/// How many sessions each UPF has.
fn shares(stage: &Stage) -> Vec<usize> {
    stage.upfs.iter().map(|upf| upf.sessions.len()).collect()
}

/// A request of a UPF, from where it is.
fn from_upf(stage: &mut Stage, upf: usize, request: impl FnOnce(&mut ScriptedUpf) -> Vec<u8>) -> Said {
    let request = request(&mut stage.upfs[upf]);
    let address = upf_address(stage.upfs[upf].number);
    let answers = |stage: &Stage| -> Vec<Said> {
        stage.upfs[upf].heard.iter().filter(|said| !said.is_request()).cloned().collect()
    };
    let before = answers(stage).len();
    stage.receive(address, &request);
    let mut answers = answers(stage).split_off(before);
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

fn setups(stage: &Stage, upf: usize) -> usize {
    stage.upfs[upf].heard(MessageType::AssociationSetupRequest).len()
}
