//! Ten thousand sessions, on good wires and bad.

use std::collections::BTreeSet;
use std::time::Duration;

use pinion_protocols::pfcp::{Cause, MessageType};
use testbeds::n4::{Machine as _, SmfConfig, State, UpfConfig, Uplink, Wire, Wish};
use testbeds::packets::gtpu::Gtpu;

use super::common::{BEYOND, NOW, flawless, gnb, packet, pair, radio, smf_config, upf_config};

const SESSIONS: u64 = 10_000;
const STEP: Duration = Duration::from_millis(250);

#[test]
fn ten_thousand_sessions_are_made_used_and_deleted() {
    whole_lives(smf_config(1), upf_config(9), Wire::perfect());
}

/// A request and its response both arrive 81 times in 100: that eleven in a row fail is one chance in 10^8.
#[test]
fn ten_thousand_sessions_outlive_a_bad_wire() {
    let (mut smf, mut upf) = (smf_config(1), upf_config(9));
    smf.timing.n1 = 10;
    upf.timing.n1 = 10;
    whole_lives(smf, upf, Wire::bad(10, 10, 7));
}

#[test]
fn ten_thousand_sessions_share_datagrams() {
    let (mut smf, mut upf) = (smf_config(1), upf_config(9));
    (smf.bundle, upf.bundle) = (Some(1400), Some(1400));
    whole_lives(smf, upf, Wire::perfect());
}

fn whole_lives(smf: SmfConfig, upf: UpfConfig, mut wire: Wire) {
    let bundled = smf.bundle.is_some();
    let (mut smf, mut upf) = pair(smf, upf);
    let to = upf.socket();
    let mut clock = NOW;
    macro_rules! settle {
        () => {
            while {
                let end = clock + STEP;
                wire.run_until(&mut [&mut smf, &mut upf], clock, end, STEP);
                clock = end;
                !(smf.is_quiet() && upf.is_quiet())
            } {}
        };
    }
    let wish = |number| Wish { ue: None, urr: true, endpoint: number % 2 == 0, ..Wish::default() };
    let seids: Vec<u64> = (0..SESSIONS).map(|number| smf.establish(to, &wish(number), clock)).collect();
    settle!();
    for seid in &seids {
        smf.confirm(*seid, clock);
        smf.activate(*seid, gnb(*seid as u32), clock);
    }
    settle!();

    // Each has a tunnel and a user of its own, at both ends alike.
    let at_smf: BTreeSet<_> = smf.sessions().values().map(|session| (session.uplink, session.ue)).collect();
    let at_upf: BTreeSet<_> = upf.sessions().values().map(|bearer| (bearer.tunnel(), bearer.ue)).collect();
    assert_eq!(at_smf.len() as u64, SESSIONS);
    assert_eq!(at_smf, at_upf);

    for session in smf.sessions().values() {
        let (tunnel, ue) = (session.uplink.unwrap(), session.ue.unwrap());
        let sent = packet(ue, BEYOND);
        let message = Gtpu::data(tunnel.teid, &sent).bytes();
        assert_eq!(upf.uplink(radio(), &message, clock), Uplink::Inner(sent));
        let down = upf.downlink(&packet(BEYOND, ue), clock).unwrap();
        assert_eq!(down.to, radio());
        assert_eq!(down.bytes[4..8], session.gnb.unwrap().teid.to_be_bytes());
    }

    let bearers: Vec<u64> = upf.sessions().keys().copied().collect();
    for seid in &bearers {
        upf.report_usage(*seid, clock);
    }
    for seid in &seids {
        smf.query(*seid, clock);
        smf.deactivate(*seid, clock);
    }
    settle!();
    for session in smf.sessions().values() {
        assert_eq!(upf.downlink(&packet(BEYOND, session.ue.unwrap()), clock), None);
    }
    settle!();
    for seid in &seids {
        smf.delete(*seid, clock);
    }
    settle!();

    let asked = [
        MessageType::SessionEstablishmentResponse,
        MessageType::SessionModificationResponse,
        MessageType::SessionModificationResponse,
        MessageType::SessionModificationResponse,
        MessageType::SessionModificationResponse,
        MessageType::SessionDeletionResponse,
    ];
    for session in smf.sessions().values() {
        assert_eq!(session.state, State::Deleted);
        assert_eq!(session.causes, asked.map(|kind| (kind, Cause::ACCEPTED)));
        let reports = session.reports;
        assert_eq!((reports.usage, reports.downlink, reports.error, session.usage), (1, 1, 0, 2));
    }
    assert!(upf.sessions().is_empty());
    assert_eq!(smf.counts().bundles > 0, bundled);
    assert_eq!(smf.counts().given_up + upf.counts().given_up, 0);
    flawless(&smf, &upf);
}
