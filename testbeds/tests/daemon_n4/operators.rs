//! What operators ask for, and see.

use testbeds::need;
use testbeds::scenario::probe;

use super::bed::{Bed, Options, SMFS, UPFS, address, all_of, plain};

/// Of each SMF.
const SESSIONS: usize = 60;

#[test]
fn a_drained_upf_keeps_what_it_has_and_an_added_one_gets_its_share() {
    need!(probe());
    let options = Options::default();
    let mut bed = Bed::new(&options);
    let mut daemon = bed.start(&options);
    let seids = bed.establish_all(SESSIONS, |_| plain);
    let before = bed.at_upfs();
    assert!(before[..UPFS].iter().all(|sessions| *sessions > 0));
    let traffic = bed.traffic(&all_of(&seids));

    bed.place.ask(&["drain", "upfs/endpoint1"]).unwrap();
    assert_eq!(bed.place.state("upfs", "endpoint1").unwrap(), "draining");
    bed.establish(0, SESSIONS, plain);
    let drained = bed.at_upfs();
    assert_eq!((drained[0], drained.iter().sum::<usize>()), (before[0], 3 * SESSIONS));

    let wider = Options { upfs: UPFS + 1, ..options };
    bed.configure(&wider);
    daemon.reload().unwrap();
    bed.wait_for_upfs("up", UPFS..UPFS + 1);
    let fresh = bed.establish(1, SESSIONS, plain);
    let after = bed.at_upfs();
    assert_eq!((after[0], after.iter().sum::<usize>()), (before[0], 4 * SESSIONS));
    assert!(after[UPFS] > 0, "{after:?}");
    println!("{before:?}, drained {drained:?}, with another {after:?}: {} packets, none lost", bed.whole(traffic));
    for seid in fresh {
        assert!(bed.send(1, seid, 1).whole());
    }
    bed.flawless();
}

#[test]
fn sessions_are_shown_with_who_asked_for_them_and_where_they_are() {
    need!(probe());
    let options = Options::default();
    let bed = Bed::new(&options);
    let mut daemon = bed.start(&options);
    let seids = bed.establish_all(SESSIONS, |_| plain);
    let list = |filter: &[&str]| {
        let shown = bed.place.ask(&[&["sessions", "n4", "--all"], filter].concat()).unwrap();
        shown.as_array().unwrap().clone()
    };

    let all = list(&[]);
    assert_eq!(all.len(), SMFS * SESSIONS);
    for (smf, seid) in all_of(&seids) {
        let (here, hex) = (address(&bed.topology.clients[smf]).to_string(), format!("{seid:#x}"));
        let mut its = all.iter().filter(|it| it["smf_address"] == here.as_str() && it["smf_seid"] == hex.as_str());
        let it = its.next().unwrap();
        assert!(its.next().is_none());
        let upf = &bed.topology.endpoints[bed.owner(smf, seid).unwrap()].name;
        let uplink = bed.smfs[smf].with(|machine, _| machine.session(seid).unwrap().uplink).unwrap();
        assert_eq!((&it["upf"], &it["phase"]), (&format!("upfs/{upf}").into(), &"open".into()));
        let at = &it["tunnels"][0]["at"][0];
        assert_eq!((&at["address"], &at["teid"]), (&uplink.address.to_string().into(), &uplink.teid.into()));
    }
    let of_first = address(&bed.topology.clients[0]).to_string();
    assert_eq!(list(&["--smf", &of_first]).len(), SESSIONS);
    for (host, sessions) in bed.topology.endpoints.iter().zip(bed.at_upfs()).take(UPFS) {
        assert_eq!(list(&["--upf", &host.name]).len(), sessions);
        assert_eq!(bed.place.endpoint("upfs", &host.name).unwrap()["sessions"], sessions);
    }

    let first = &all[0];
    let by_seid = bed.place.ask(&["explain", first["key"].as_str().unwrap()]).unwrap();
    assert_eq!((&by_seid[0]["n4_session"], &by_seid[0]["session"]), (first, &serde_json::Value::Null));
    let teid = format!("teid:{}", first["tunnels"][0]["at"][0]["teid"]);
    let by_teid = bed.place.ask(&["explain", &teid]).unwrap().to_string();
    assert!(by_teid.contains(first["key"].as_str().unwrap()), "{by_teid}");
    let stats = bed.place.ask(&["stats"]).unwrap();
    assert_eq!((&stats["n4"][0]["established"], &stats["n4"][0]["lost"]), (&(SMFS * SESSIONS).into(), &0.into()));

    // A reload takes nobody's association away.
    daemon.reload().unwrap();
    bed.wait_for_upfs("up", 0..UPFS);
    bed.flawless();
}

#[test]
fn a_upf_without_an_association_is_down() {
    need!(probe());
    let options = Options::default();
    let bed = Bed::new(&options);
    bed.upfs[1].upf.with(|upf, _| upf.kill());
    let daemon = bed.place.start(&bed.topology.balancer).unwrap();
    bed.wait_for_upfs("up", 0..1);
    bed.wait_for_upfs("down", 1..2);
    bed.wait_for_upfs("up", 2..3);
    let shown = bed.place.endpoint("upfs", "endpoint2").unwrap();
    assert_eq!(shown["why"], "it does not answer to the wish for an association");
    bed.upfs[1].upf.with(|upf, _| upf.restart(0xe900_0000));
    bed.wait_for_upfs("up", 0..3);
    drop(daemon);
    bed.flawless();
}
