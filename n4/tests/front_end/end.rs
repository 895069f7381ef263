//! The end of the service (TS 29.244 6.2.8): nothing of it stays with its peers.

use std::time::Duration;

use pinion_n4::{Bounds, Settings};
use pinion_protocols::pfcp::{Cause, ElementType, MessageType};

use crate::loss::many;
use crate::smf::Smf;
use crate::stage::{HEARTBEAT, Host, N1, Said, Stage, T1, settings};
use crate::upf::Mood;

const RELEASE: MessageType = MessageType::AssociationReleaseRequest;

fn end(stage: &mut Stage) {
    stage.front_end.leave(stage.now);
    stage.settle();
}

/// TS 29.244 6.2.7.3, 6.2.8: sessions end, a few at once; then UPFs are released, and SMFs are asked to release.
#[test]
fn clause_6_2_8_all_of_it_ends() {
    let bounds = Bounds { chores: 4, ..Bounds::default() };
    let (mut stage, mut smf) = Stage::set_up(Settings { bounds, ..settings(2) });
    let mut other = Smf::new(2);
    stage.ask(&other, &other.setup(3));
    many(&mut stage, &mut smf, 10);
    many(&mut stage, &mut other, 10);
    assert!(!stage.front_end.is_over());
    end(&mut stage);
    assert!(!stage.front_end.is_over());
    // Meanwhile nobody is taken in.
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.simple(99)).cause(), Some(Cause::NO_RESOURCES));
    stage.live(Duration::from_secs(10));
    assert!(stage.front_end.is_over());
    assert_eq!((stage.sessions_at_upfs(), stage.pins.len()), (0, 0));
    for upf in &stage.upfs {
        let heard: Vec<_> =
            upf.heard.iter().map(Said::kind).filter(|kind| kind.is_request() == Some(true)).collect();
        assert_eq!(heard.last(), Some(&RELEASE));
        assert_eq!(heard.iter().filter(|kind| **kind == MessageType::SessionDeletionRequest).count(), 10);
    }
    for smf in [&smf, &other] {
        let updates = stage.requests(smf.address, MessageType::AssociationUpdateRequest);
        let asked: Vec<_> = updates.iter().map(|said| said.value(ElementType::AssociationReleaseReq)).collect();
        assert_eq!(asked, [Some(vec![1])]);
    }
    // And it stays so.
    let before: Vec<_> = stage.upfs.iter().map(|upf| upf.heard.len()).collect();
    stage.live(3 * HEARTBEAT);
    assert_eq!(stage.upfs.iter().map(|upf| upf.heard.len()).collect::<Vec<_>>(), before);
}

/// A UPF that does not answer holds nobody up for longer than it takes to find that out, nor does an SMF.
#[test]
fn who_is_silent_is_not_waited_for() {
    for restore in [false, true] {
        let (mut stage, mut smf) = Stage::set_up(Settings { restore, ..settings(2) });
        many(&mut stage, &mut smf, 10);
        stage.upfs[0].mood = Mood::IsSilent;
        stage.smfs_answer = false;
        end(&mut stage);
        stage.live(HEARTBEAT + 2 * T1 * N1);
        assert!(stage.front_end.is_over());
        assert!(stage.pins.is_empty() && stage.upfs[1].sessions.is_empty());
    }
}

/// It is not over before the host has ended the tunnels.
#[test]
fn tunnels_end_before_it_does() {
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    many(&mut stage, &mut smf, 3);
    stage.host = Host::Waits;
    end(&mut stage);
    stage.live(3 * T1);
    assert_eq!((stage.sessions_at_upfs(), stage.pins.len()), (0, 3));
    assert!(!stage.front_end.is_over());
    while !stage.batches.is_empty() {
        stage.install();
    }
    assert!(stage.front_end.is_over() && stage.pins.is_empty());
}
