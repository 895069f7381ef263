//! Requests that are sent again (TS 29.244 6.4), and heartbeats (6.2.2).

use std::time::Duration;

use testbeds::n4::{Machine as _, SmfConfig, Timing, Wire, Wish};

use super::common::{NOW, flawless, pair, session, smf_config, upf_config};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_request_is_sent_again_as_it_was_until_it_is_given_up() {
    let timing = Timing { t1: 2 * SECOND, n1: 4 };
    let (mut smf, mut upf) = pair(SmfConfig { timing, ..smf_config(1) }, upf_config(9));
    upf.kill();
    smf.heartbeat(upf.socket(), NOW);
    let first = smf.take();
    assert_eq!(first.len(), 1);
    for second in 1..=20 {
        smf.tick(second * SECOND);
        // At 2, 4, 6 and 8 seconds.
        let again = if second % 2 == 0 && second <= 8 { &first[..] } else { &[] };
        assert_eq!(smf.take(), again, "after {second} seconds");
    }
    assert_eq!((smf.counts().retransmitted, smf.counts().given_up, smf.is_quiet()), (4, 1, true));
}

/// The answer to a request that comes again is the same, also where what it asked for is long done.
#[test]
fn a_repeated_request_has_one_answer() {
    let (mut smf, mut upf) = pair(smf_config(1), upf_config(9));
    let mut wire = Wire::perfect().logged();
    let seid = session(&mut smf, &mut upf, &mut wire, &Wish { ue: None, urr: true, ..Wish::default() });
    smf.delete(seid, NOW);
    wire.run(&mut [&mut smf, &mut upf], NOW);
    let (asked, answered): (Vec<_>, Vec<_>) = wire.log().iter().cloned().partition(|sent| sent.to == upf.socket());
    for request in &asked {
        upf.receive(request.from, &request.bytes, NOW);
    }
    assert_eq!(upf.take(), answered);
    assert_eq!((asked.len(), upf.counts().repeated), (3, 3));
    flawless(&smf, &upf);
}

#[test]
fn an_smf_sends_heartbeats_of_its_own() {
    let heartbeat = Some(5 * SECOND);
    let (mut smf, mut upf) = pair(SmfConfig { heartbeat, ..smf_config(1) }, upf_config(9));
    let mut wire = Wire::perfect().logged();
    wire.run_until(&mut [&mut smf, &mut upf], NOW, 12 * SECOND, SECOND);
    // Two requests, two responses.
    assert_eq!(wire.log().len(), 4);
    flawless(&smf, &upf);
}
